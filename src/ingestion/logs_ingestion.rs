//! The Logs Ingestion API: an identity and a data collection rule.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::error::{confirm, error, no_response};
use super::gzip::gzip;
use super::token::{IdentityError, TokenError, Tokens};
use super::{BatchRequest, Table};
use crate::http::{Transport, retry_after};
use crate::model::{IngestionApi, SendError, SendErrorKind};
use crate::settings::LogsIngestionSettings;

/// <https://learn.microsoft.com/rest/api/logsingestion>
const VERSION: &str = "2023-01-01";
/// The stream for health rows in the same rule.
const HEALTH_STREAM: &str = "Custom-CiscoDuoHealth";
/// Timeout for a token. Token and response together take less time than a new lease lasts.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_CODE: usize = 64;
/// Header with the error code. The body is not read: its message may quote a row.
const CODE: &str = "x-ms-error-code";

/// A client of the Logs Ingestion API for one data collection rule.
#[derive(Debug)]
pub struct LogsIngestion {
    http: reqwest::Client,
    streams: String,
    stream: String,
    gzip: bool,
    tokens: Tokens,
}

impl LogsIngestion {
    /// Creates a client without requesting a token.
    ///
    /// # Errors
    ///
    /// The identity in the settings cannot be used.
    pub fn new(
        transport: &Transport,
        settings: LogsIngestionSettings,
    ) -> Result<Self, IdentityError> {
        let LogsIngestionSettings { origin, rule_id, stream, gzip, identity: (identity, cloud) } =
            settings;
        Ok(Self {
            http: transport.client_for(&origin),
            streams: format!("{origin}/dataCollectionRules/{rule_id}/streams"),
            stream,
            gzip,
            tokens: Tokens::new(identity, cloud, transport.clone())?,
        })
    }

    /// Sends one request. Returns after Azure Monitor accepted it. Replaces a refused token once.
    pub async fn send(&self, request: BatchRequest) -> Result<(), SendError> {
        let url = self.url(request.table);
        let deadline = Instant::now() + TOKEN_TIMEOUT + request.timeout;
        let body = if self.gzip { gzip(&request.body) } else { request.body };
        let mut is_first = true;
        loop {
            let timeout = remaining(deadline).min(TOKEN_TIMEOUT);
            let token = self.tokens.token(timeout).await.map_err(without_token)?;
            let timeout = remaining(deadline).min(request.timeout);
            let posted = self.post(&url, body.clone(), &token.authorization, timeout);
            match posted.await {
                Err(refusal) if refusal.status == Some(401) => {
                    self.tokens.forget(&token);
                    if !is_first {
                        return Err(refusal);
                    }
                    is_first = false;
                }
                result => return result,
            }
        }
    }

    fn url(&self, table: Table) -> String {
        let stream = match table {
            Table::CiscoDuo => &self.stream,
            Table::CiscoDuoHealth => HEALTH_STREAM,
        };
        format!("{}/{stream}?api-version={VERSION}", self.streams)
    }

    async fn post(
        &self,
        url: &str,
        body: Bytes,
        authorization: &str,
        timeout: Duration,
    ) -> Result<(), SendError> {
        let mut authorization = HeaderValue::from_str(authorization)
            .map_err(|_| without_token(TokenError::unusable()))?;
        authorization.set_sensitive(true);
        let mut request = self
            .http
            .post(url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/json")
            .timeout(timeout);
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        let sent = request.body(body).send().await;
        let api = IngestionApi::LogsIngestion;
        let response = sent.map_err(|source| no_response(api, source))?;
        let status = response.status();
        if status.is_success() {
            return confirm(api, response).await;
        }
        let status = status.as_u16();
        let code = code(response.headers());
        let reason = code.clone().unwrap_or_else(|| "no code in the response".to_owned());
        let kind = kind(status, retry_after(response.headers()));
        Err(error(api, kind, Some(status), code, reason))
    }
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn without_token(TokenError { is_transient, reason, source }: TokenError) -> SendError {
    let kind = SendErrorKind::NoToken { is_transient };
    let source = source.map(|source| Arc::new(source) as _);
    SendError { source, ..error(IngestionApi::LogsIngestion, kind, None, None, reason) }
}

fn kind(status: u16, retry_after: Option<TimeDelta>) -> SendErrorKind {
    match status {
        // One of the records may be invalid. If the rule is wrong, every record is refused alone.
        400 => SendErrorKind::BadRecord,
        // 403 also until a new role becomes effective; the next run tries again.
        401 | 403 => SendErrorKind::Credentials,
        413 => SendErrorKind::TooLarge,
        429 => SendErrorKind::Throttled { retry_after },
        // Returned by endpoints that do not accept compressed bodies.
        501 => SendErrorKind::Fatal,
        408 | 500..=599 => SendErrorKind::Unreachable,
        // 404: the rule, stream or endpoint does not exist.
        _ => SendErrorKind::Fatal,
    }
}

/// The error code, if it is a single word; nothing else of a response is reported.
fn code(headers: &HeaderMap) -> Option<String> {
    let code = headers.get(CODE)?.to_str().ok()?;
    let is_word = (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests;
