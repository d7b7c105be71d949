//! The HTTP Data Collector API: workspace ID and shared key.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api>

use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use super::error::{LARGEST_RESPONSE, confirm, error, no_response};
use super::{BatchRequest, Table};
use crate::http::{read_body, retry_after};
use crate::model::{IngestionApi, Secret, SendError, SendErrorKind, azure_signature};
use crate::settings::DataCollectorSettings;

/// Part of the signed text; must be sent exactly like this, without a charset.
const JSON: &str = "application/json";
const RESOURCE: &str = "/api/logs";
/// A 404 for a larger body means "too large"; the API also returns it for a wrong address.
const TOO_LARGE_FROM: usize = 1_000_000;
/// Error codes that do not depend on the body.
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

/// A client of the Data Collector API of one workspace.
#[derive(Clone, Debug)]
pub struct DataCollector {
    http: reqwest::Client,
    settings: DataCollectorSettings,
}

impl DataCollector {
    /// Creates a client; `http` must not follow redirects.
    pub fn new(http: reqwest::Client, settings: DataCollectorSettings) -> Self {
        Self { http, settings }
    }

    /// Sends one request. Returns when Azure Monitor has accepted it.
    pub async fn send(&self, request: BatchRequest) -> Result<(), SendError> {
        let BatchRequest { table, body, is_dated_by_event, now, timeout } = request;
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
        let mut response = sent.map_err(|source| no_response(api, source))?;
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

/// The `Log-Type` of a table; the API appends `_CL`.
const fn log_type(table: Table) -> &'static str {
    match table {
        Table::CiscoDuo => "CiscoDuo",
        Table::CiscoDuoHealth => "CiscoDuoHealth",
    }
}

fn kind(status: u16, body: &str, bytes: usize, retry_after: Option<TimeDelta>) -> SendErrorKind {
    match status {
        400 if FATAL_CODES.iter().any(|code| body.contains(code)) => SendErrorKind::Fatal,
        // InvalidDataFormat or no code: one of the records may be invalid.
        400 => SendErrorKind::BadRecord,
        401 | 403 => SendErrorKind::Credentials,
        404 if bytes > TOO_LARGE_FROM => SendErrorKind::TooLarge,
        413 => SendErrorKind::TooLarge,
        429 => SendErrorKind::Throttled { retry_after },
        408 | 500..=599 => SendErrorKind::Unreachable,
        _ => SendErrorKind::Fatal,
    }
}

/// The error code only: the message may quote a row.
fn code(body: &str) -> Option<&'static str> {
    const OTHER_CODES: [&str; 4] =
        ["InvalidDataFormat", "InvalidAuthorization", "UnspecifiedError", "ServiceUnavailable"];
    let mut known = FATAL_CODES.into_iter().chain(OTHER_CODES);
    known.find(|code| body.contains(code))
}

/// The text to sign; `bytes` is the length of the body in bytes.
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

    /// Created with Python's hmac and hashlib.
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
    fn signatures_match_another_implementation() {
        let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let text = text_to_sign(vector.body.len(), &vector.date);
            let key = Secret::new(vector.shared_key);
            assert_eq!(authorization(&vector.workspace_id, &key, &text), vector.authorization);
        }
    }

    #[test]
    fn responses_are_classified_as_documented() {
        let of = |status, body: &str, bytes| kind(status, body, bytes, None);
        assert_eq!(of(400, "{\"Error\":\"InvalidDataFormat\"}", 10), SendErrorKind::BadRecord);
        assert_eq!(of(400, "", 10), SendErrorKind::BadRecord);
        assert_eq!(of(400, "{\"Error\":\"InactiveCustomer\"}", 10), SendErrorKind::Fatal);
        assert_eq!(of(403, "", 10), SendErrorKind::Credentials);
        assert_eq!(of(404, "", 1_000_000), SendErrorKind::Fatal);
        assert_eq!(of(404, "", 1_000_001), SendErrorKind::TooLarge);
        assert_eq!(of(413, "", 10), SendErrorKind::TooLarge);
        assert_eq!(of(429, "", 10), SendErrorKind::Throttled { retry_after: None });
        for transient in [408, 500, 502, 503, 504] {
            assert_eq!(of(transient, "", 10), SendErrorKind::Unreachable);
        }
        assert_eq!(of(301, "", 10), SendErrorKind::Fatal);
    }

    #[test]
    fn a_response_that_quotes_a_row_is_not_reported() {
        assert_eq!(code("InvalidDataFormat: at \"hunter2\""), Some("InvalidDataFormat"));
        assert_eq!(code("hunter2"), None);
    }
}
