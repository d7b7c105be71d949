//! The HTTP Data Collector API: workspace ID and shared key.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api>

use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use super::error::{LARGEST_RESPONSE, confirm, error, no_response};
use super::{SinkCall, Table};
use crate::http::{read_body, retry_after};
use crate::model::{IngestionApi, Secret, SendError, SendErrorKind, azure_signature};
use crate::settings::DataCollectorSettings;

/// Part of the signed text: any other spelling, or a charset behind it, would not match.
const JSON: &str = "application/json";
const RESOURCE: &str = "/api/logs";
/// A 404 to a body above this size is read as "too large", which the service does not tell from a wrong address.
const TOO_LARGE_FROM: usize = 1_000_000;
/// Codes of the service that another body cannot change.
const FATAL_CODES: [&str; 8] = [
    "InactiveCustomer",
    "InvalidApiVersion",
    "MissingApiVersion",
    "InvalidCustomerId",
    "InvalidLogType",
    "MissingLogType",
    "MissingContentType",
    "UnsupportedContentType",
];

/// Sends rows to one workspace.
#[derive(Clone, Debug)]
pub struct DataCollector {
    http: reqwest::Client,
    settings: DataCollectorSettings,
}

impl DataCollector {
    /// A sink; `http` must not follow redirects.
    pub fn new(http: reqwest::Client, settings: DataCollectorSettings) -> Self {
        Self { http, settings }
    }

    /// Sends one request and returns when the service accepted it.
    pub async fn send(&self, call: SinkCall) -> Result<(), SendError> {
        let SinkCall { table, body, is_dated_by_event, now, timeout } = call;
        let bytes = body.len();
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let text = text_to_sign(bytes, &date);
        let authorization =
            authorization(&self.settings.workspace_id, &self.settings.shared_key, &text);
        let mut request = self
            .http
            .post(format!("{}{RESOURCE}?api-version=2016-04-01", self.settings.origin))
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, JSON)
            .header("Log-Type", log_type(table))
            .header("x-ms-date", date)
            .timeout(timeout);
        if is_dated_by_event {
            request = request.header("time-generated-field", "event_time");
        }
        let sent = request.body(body).send().await;
        let api = IngestionApi::DataCollector;
        let mut response = sent.map_err(|fault| no_response(api, fault))?;
        let status = response.status();
        if status.is_success() {
            return confirm(api, response).await;
        }
        let status = status.as_u16();
        let retry_after = retry_after(response.headers());
        let body = read_body(&mut response, LARGEST_RESPONSE).await.ok().flatten();
        let body = String::from_utf8_lossy(body.as_deref().unwrap_or_default());
        let code = code(&body);
        let reason = code.unwrap_or("no known code in the response").to_owned();
        let kind = kind(status, &body, bytes, retry_after);
        Err(error(api, kind, Some(status), code.map(str::to_owned), reason))
    }
}

/// The service's name for a table; it adds `_CL` itself.
const fn log_type(table: Table) -> &'static str {
    match table {
        Table::CiscoDuo => "CiscoDuo",
        Table::CiscoDuoHealth => "CiscoDuoHealth",
    }
}

fn kind(status: u16, answer: &str, bytes: usize, retry_after: Option<TimeDelta>) -> SendErrorKind {
    match status {
        400 if FATAL_CODES.iter().any(|code| answer.contains(code)) => SendErrorKind::Fatal,
        // InvalidDataFormat, or nothing said: one of the records may be at fault.
        400 => SendErrorKind::BadRecord,
        401 | 403 => SendErrorKind::Credentials,
        404 if bytes > TOO_LARGE_FROM => SendErrorKind::TooLarge,
        413 => SendErrorKind::TooLarge,
        429 => SendErrorKind::Throttled { retry_after },
        408 | 500..=599 => SendErrorKind::Unreachable,
        _ => SendErrorKind::Fatal,
    }
}

/// The service's code and nothing else: its explanation may quote a row.
fn code(answer: &str) -> Option<&'static str> {
    const OTHER_CODES: [&str; 4] =
        ["InvalidDataFormat", "InvalidAuthorization", "UnspecifiedError", "ServiceUnavailable"];
    let mut known = FATAL_CODES.into_iter().chain(OTHER_CODES);
    known.find(|code| answer.contains(code))
}

/// The text to sign; `bytes` is the length of the body in bytes, not in characters.
fn text_to_sign(bytes: usize, date: &str) -> String {
    format!("POST\n{bytes}\n{JSON}\nx-ms-date:{date}\n{RESOURCE}")
}

fn authorization(workspace_id: &str, shared_key: &Secret, text: &str) -> String {
    format!("SharedKey {workspace_id}:{}", azure_signature(shared_key, text))
}

#[cfg(test)]
mod tests {
    use super::{authorization, code, kind, text_to_sign};
    use crate::model::{Secret, SendErrorKind};

    /// Made with Python's hmac and hashlib; none of it by this crate.
    const VECTORS: &str = include_str!("../../tests/vectors/data-collector.json");

    #[derive(serde::Deserialize)]
    struct Vector {
        workspace_id: String,
        shared_key: String,
        date: String,
        body: String,
        authorization: String,
    }

    #[test]
    fn signatures_agree_with_an_implementation_made_elsewhere() {
        let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let text = text_to_sign(vector.body.len(), &vector.date);
            let key = Secret::new(vector.shared_key);
            assert_eq!(authorization(&vector.workspace_id, &key, &text), vector.authorization);
        }
    }

    #[test]
    fn answers_mean_what_the_documentation_says() {
        let fault = |status, answer: &str, bytes| kind(status, answer, bytes, None);
        assert_eq!(fault(400, "{\"Error\":\"InvalidDataFormat\"}", 10), SendErrorKind::BadRecord);
        assert_eq!(fault(400, "", 10), SendErrorKind::BadRecord);
        assert_eq!(fault(400, "{\"Error\":\"InactiveCustomer\"}", 10), SendErrorKind::Fatal);
        assert_eq!(fault(403, "", 10), SendErrorKind::Credentials);
        assert_eq!(fault(404, "", 1_000_000), SendErrorKind::Fatal);
        assert_eq!(fault(404, "", 1_000_001), SendErrorKind::TooLarge);
        assert_eq!(fault(413, "", 10), SendErrorKind::TooLarge);
        assert_eq!(fault(429, "", 10), SendErrorKind::Throttled { retry_after: None });
        for passing in [408, 500, 502, 503, 504] {
            assert_eq!(fault(passing, "", 10), SendErrorKind::Unreachable);
        }
        assert_eq!(fault(301, "", 10), SendErrorKind::Fatal);
    }

    #[test]
    fn an_answer_that_quotes_a_row_is_not_repeated() {
        assert_eq!(code("InvalidDataFormat: at \"hunter2\""), Some("InvalidDataFormat"));
        assert_eq!(code("hunter2"), None);
    }
}
