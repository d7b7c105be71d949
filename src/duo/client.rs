//! Requests to the Admin API, dated and signed on every try.

use std::sync::Arc;

use chrono::DateTime;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, DATE, HeaderMap};

use super::body::{ACCEPTED_ENCODING, BodyError, read_body};
use super::envelope::parse_page;
use super::error::{kind_of_status, reason_of_body};
use super::signature::{authorization, canonical_query, date_header, text_to_sign};
use crate::http::{is_html, is_markup, retry_after, transport_reason};
use crate::json::{NotJson, Scanner};
use crate::model::{
    FetchError, FetchErrorKind, LogType, Millis, PageRequest, PageResponse, Paging, Record,
};
use crate::settings::{Credentials, Endpoint, SignatureVersion};

/// Maximum response, in bytes after decompression.
const LARGEST_RESPONSE: usize = 64 * 1024 * 1024;
/// Maximum page of several records, in bytes; a larger one is requested in halves.
const LARGEST_PAGE: usize = 16 * 1024 * 1024;
/// Maximum body of an error response, in bytes.
const LARGEST_REFUSAL: usize = 64 * 1024;
const HTML_PAGE: &str = "an HTML page instead of JSON; a proxy may be intercepting the connection";

/// A client of one account's Admin API.
#[derive(Clone, Debug)]
pub struct DuoClient {
    http: reqwest::Client,
    endpoint: Endpoint,
    credentials: Credentials,
    version: SignatureVersion,
}

impl DuoClient {
    /// Creates a client; `http` must not follow redirects.
    pub fn new(
        http: reqwest::Client,
        endpoint: Endpoint,
        credentials: Credentials,
        version: SignatureVersion,
    ) -> Self {
        Self { http, endpoint, credentials, version }
    }

    /// Requests one page. `read` parses records as in [`parse_page`]; `now` dates the request.
    ///
    /// # Errors
    ///
    /// [`FetchError`] with the kind of the error.
    pub async fn page(
        &self,
        log_type: LogType,
        request: &PageRequest,
        now: Millis,
        read: impl FnMut(&Arc<String>, &mut Scanner<'_>) -> Result<Option<Record>, NotJson>,
    ) -> Result<PageResponse, FetchError> {
        let spec = log_type.spec();
        let query = Self::query(log_type, request);
        let date = date_header(now.date_time());
        let text = text_to_sign(self.version, &date, &self.endpoint.host, spec.path, &query);
        let mut error = FetchError::unreachable(spec.path, "");
        let sent = self
            .http
            .get(format!("{}{}?{query}", self.endpoint.origin, spec.path))
            .header(DATE, &date)
            // Neither version of the signature covers this header.
            .header(ACCEPT_ENCODING, ACCEPTED_ENCODING)
            .header(AUTHORIZATION, authorization(self.version, &self.credentials, &text))
            .timeout(request.timeout)
            .send()
            .await;
        let mut response = sent.map_err(|source| of_transport(error.clone(), source))?;
        let status = response.status().as_u16();
        let server_time = server_time(response.headers());
        error.status = Some(status);
        error.clock_ahead = server_time.map(|time| now - time);
        let is_html = is_html(response.headers());
        if status != 200 {
            // The status determines the error, even if the body cannot be read.
            let body = read_body(&mut response, LARGEST_REFUSAL).await.unwrap_or_default();
            error.kind = kind_of_status(status, retry_after(response.headers()));
            error.reason = reason_of_body(&body);
            if is_html || is_markup(&body) {
                HTML_PAGE.clone_into(&mut error.reason);
                if !is_transient(error.kind) {
                    error.kind = FetchErrorKind::Malformed;
                }
            }
            return Err(error);
        }
        let malformed = |reason: String| {
            let kind = FetchErrorKind::Malformed;
            FetchError { kind, reason, ..error.clone() }
        };
        if is_html {
            return Err(malformed(HTML_PAGE.to_owned()));
        }
        let limit = spec.limit.map(|most| request.limit.unwrap_or(most));
        let most =
            if limit.is_some_and(|limit| limit > 1) { LARGEST_PAGE } else { LARGEST_RESPONSE };
        let body = read_body(&mut response, most).await.map_err(|body| match body {
            BodyError::Transport(source) => of_transport(error.clone(), source),
            BodyError::Encoding(reason) => malformed(reason.to_owned()),
            BodyError::TooLarge => {
                let reason = format!("the response is larger than {most} bytes");
                FetchError { kind: FetchErrorKind::TooLarge, reason, ..error.clone() }
            }
        })?;
        if is_markup(&body) {
            return Err(malformed(HTML_PAGE.to_owned()));
        }
        let page = parse_page(&spec, body, read).map_err(malformed)?;
        Ok(PageResponse { server_time, limit, ..page })
    }

    fn query(log_type: LogType, request: &PageRequest) -> String {
        let spec = log_type.spec();
        let limit = spec.limit.map(|most| request.limit.unwrap_or(most).to_string());
        let mut parameters = Vec::with_capacity(6);
        let (mintime, maxtime);
        match spec.paging {
            Paging::Cursor { parameter, sorted } => {
                mintime = request.mintime.0.to_string();
                maxtime = request.maxtime.0.to_string();
                parameters.extend([("mintime", mintime.as_str()), ("maxtime", maxtime.as_str())]);
                if sorted {
                    // Without sorting, the newest page comes first.
                    parameters.push(("sort", "ts:asc"));
                }
                parameters.extend(request.cursor.as_deref().map(|cursor| (parameter, cursor)));
            }
            Paging::LastSecond => {
                // Milliseconds would be a time in the far future: the log would always be empty.
                mintime = request.mintime.seconds().to_string();
                parameters.push(("mintime", mintime.as_str()));
            }
        }
        parameters.extend(limit.as_deref().map(|limit| ("limit", limit)));
        canonical_query(&parameters)
    }
}

/// Whether Duo and every gateway in front of it may return this status with an HTML page.
const fn is_transient(kind: FetchErrorKind) -> bool {
    matches!(kind, FetchErrorKind::Unreachable | FetchErrorKind::Throttled { .. })
}

fn of_transport(mut error: FetchError, source: reqwest::Error) -> FetchError {
    error.kind =
        if source.is_timeout() { FetchErrorKind::TimedOut } else { FetchErrorKind::Unreachable };
    // The URL contains cursors.
    let source = source.without_url();
    error.reason = transport_reason(&source);
    error.source = Some(Arc::new(source));
    error
}

fn server_time(headers: &HeaderMap) -> Option<Millis> {
    let date = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date).ok().map(|time| Millis(time.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::DuoClient;
    use std::time::Duration;

    use crate::model::{LogType, Millis, PageRequest};

    fn query(log_type: LogType, cursor: Option<&str>) -> String {
        let request = PageRequest {
            mintime: Millis(1_795_348_800_000),
            maxtime: Millis(1_795_348_920_000),
            cursor: cursor.map(str::to_owned),
            limit: None,
            timeout: Duration::ZERO,
            is_reconciliation: false,
        };
        DuoClient::query(log_type, &request)
    }

    #[test]
    fn each_log_has_its_own_parameters_and_units() {
        let bounds = "maxtime=1795348920000&mintime=1795348800000";
        assert_eq!(query(LogType::Activity, None), format!("limit=1000&{bounds}&sort=ts%3Aasc"));
        assert_eq!(
            query(LogType::Authentication, Some("1,x")),
            format!("limit=1000&{bounds}&next_offset=1%2Cx&sort=ts%3Aasc")
        );
        assert_eq!(
            query(LogType::TrustMonitor, Some("31229")),
            format!("limit=200&{bounds}&offset=31229")
        );
        assert_eq!(query(LogType::Administrator, None), "mintime=1795348800");
        assert_eq!(query(LogType::OfflineEnrollment, None), "mintime=1795348800");
    }
}
