//! One question to the Admin API: dated, signed and sent anew on every attempt.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap};

use super::envelope::{Page, RecordReader, parse_page};
use super::error::{DuoError, fault_of_status, reason_of_body};
use super::signature::{authorization, canonical_query, date_header, text_to_sign};
use crate::http::{retry_after, transport_reason};
use crate::model::{LogType, Millis, Paging, SECOND};
use crate::settings::{Credentials, Endpoint, SignatureVersion};
use crate::sync::{FetchFault, PageRequest};

/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// How much of a refusal's body is read, in bytes.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// A client of one account's Admin API.
#[derive(Clone, Debug)]
pub struct DuoClient {
    http: reqwest::Client,
    endpoint: Endpoint,
    credentials: Credentials,
    version: SignatureVersion,
}

/// What is asked, and how.
#[derive(Debug)]
pub struct Question<'a> {
    /// The log.
    pub log_type: LogType,
    /// The span and the place in it.
    pub request: &'a PageRequest,
    /// Dates the request.
    pub now: DateTime<Utc>,
    /// Longest wait for the whole answer.
    pub timeout: Duration,
    /// Memory for the answer; what is in it is overwritten.
    pub buffer: Vec<u8>,
}

/// What Duo gave.
#[derive(Debug)]
pub struct Answer<R> {
    /// The page.
    pub page: Page,
    /// What was made of its records.
    pub records: Vec<R>,
    /// Duo's clock, from the `Date` header.
    pub server_time: Option<Millis>,
}

impl DuoClient {
    /// A client; `http` must not follow redirects.
    pub fn new(
        http: reqwest::Client,
        endpoint: Endpoint,
        credentials: Credentials,
        version: SignatureVersion,
    ) -> Self {
        Self {
            http,
            endpoint,
            credentials,
            version,
        }
    }

    /// Asks for one page, whose records go through `reader`.
    pub async fn page<R: RecordReader>(
        &self,
        question: Question<'_>,
        reader: &mut R,
    ) -> Result<Answer<R::Record>, DuoError> {
        let Question {
            log_type,
            request,
            now,
            timeout,
            buffer,
        } = question;
        let spec = log_type.spec();
        let query = Self::query(log_type, request);
        let date = date_header(now);
        let text = text_to_sign(self.version, &date, &self.endpoint.host, spec.path, &query);
        let unanswered = |fault, reason: String| DuoError {
            fault,
            path: spec.path,
            status: None,
            reason,
            clock_ahead_seconds: None,
        };
        let mut response = self
            .http
            .get(format!("{}{}?{query}", self.endpoint.origin, spec.path))
            .header(DATE, &date)
            .header(
                AUTHORIZATION,
                authorization(self.version, &self.credentials, &text),
            )
            .timeout(timeout)
            .send()
            .await
            .map_err(|fault| unanswered(FetchFault::Unreachable, transport_reason(fault)))?;

        let status = response.status().as_u16();
        let server_time = server_time(response.headers());
        let refused = |fault, reason: String| DuoError {
            fault,
            path: spec.path,
            status: Some(status),
            reason,
            clock_ahead_seconds: server_time.map(|time| (Millis::from(now) - time) / SECOND),
        };
        if status != 200 {
            let fault = fault_of_status(status, retry_after(response.headers()));
            // The status decides; a body that cannot be read takes nothing away from it.
            let body = read_body(&mut response, Vec::new(), LARGEST_REFUSAL)
                .await
                .unwrap_or_default();
            return Err(refused(fault, reason_of_body(&body)));
        }
        let body = read_body(&mut response, buffer, LARGEST_ANSWER)
            .await
            .map_err(|fault| match fault {
                BodyFault::TooLarge => refused(
                    FetchFault::Fatal,
                    format!("the answer is larger than {LARGEST_ANSWER} bytes"),
                ),
                BodyFault::Broken(fault) => {
                    refused(FetchFault::Unreachable, transport_reason(fault))
                }
            })?;
        let (page, records) = parse_page(&spec, body, reader)
            .map_err(|reason| refused(FetchFault::Garbled, reason))?;
        Ok(Answer {
            page,
            records,
            server_time,
        })
    }

    fn query(log_type: LogType, request: &PageRequest) -> String {
        let spec = log_type.spec();
        let limit = spec
            .limit
            .map(|most| request.limit.unwrap_or(most).to_string());
        let mut parameters = Vec::with_capacity(6);
        let (mintime, maxtime);
        match spec.paging {
            Paging::Cursor { parameter, sorted } => {
                mintime = request.mintime.0.to_string();
                maxtime = request.maxtime.0.to_string();
                parameters.extend([("mintime", mintime.as_str()), ("maxtime", maxtime.as_str())]);
                if sorted {
                    // Without it the newest page comes first.
                    parameters.push(("sort", "ts:asc"));
                }
                parameters.extend(request.cursor.as_deref().map(|cursor| (parameter, cursor)));
            }
            Paging::LastSecond => {
                // Milliseconds here would silently mean the far future: an endless empty log.
                mintime = request.mintime.seconds().to_string();
                parameters.push(("mintime", mintime.as_str()));
            }
        }
        parameters.extend(limit.as_deref().map(|limit| ("limit", limit)));
        canonical_query(&parameters)
    }
}

enum BodyFault {
    TooLarge,
    Broken(reqwest::Error),
}

async fn read_body(
    response: &mut reqwest::Response,
    mut body: Vec<u8>,
    most: usize,
) -> Result<Vec<u8>, BodyFault> {
    let promised = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    if promised.is_some_and(|length| length > most) {
        return Err(BodyFault::TooLarge);
    }
    body.clear();
    body.reserve(promised.unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(BodyFault::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(BodyFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn server_time(headers: &HeaderMap) -> Option<Millis> {
    let date = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date)
        .ok()
        .map(|time| Millis(time.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::DuoClient;
    use crate::model::{LogType, Millis};
    use crate::sync::PageRequest;

    fn query(log_type: LogType, cursor: Option<&str>) -> String {
        let request = PageRequest {
            mintime: Millis(1_795_348_800_000),
            maxtime: Millis(1_795_348_920_000),
            cursor: cursor.map(str::to_owned),
            limit: None,
            is_check: false,
        };
        DuoClient::query(log_type, &request)
    }

    #[test]
    fn each_log_is_asked_in_its_own_units_and_words() {
        let bounds = "maxtime=1795348920000&mintime=1795348800000";
        assert_eq!(
            query(LogType::Activity, None),
            format!("limit=1000&{bounds}&sort=ts%3Aasc")
        );
        assert_eq!(
            query(LogType::Authentication, Some("1,x")),
            format!("limit=1000&{bounds}&next_offset=1%2Cx&sort=ts%3Aasc")
        );
        assert_eq!(
            query(LogType::TrustMonitor, Some("31229")),
            format!("limit=200&{bounds}&offset=31229")
        );
        assert_eq!(query(LogType::Administrator, None), "mintime=1795348800");
        assert_eq!(
            query(LogType::OfflineEnrollment, None),
            "mintime=1795348800"
        );
    }
}
