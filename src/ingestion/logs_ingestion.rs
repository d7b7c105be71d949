//! The Logs Ingestion API: an identity and a data collection rule.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>

use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::error::{confirm, error, no_response};
use super::gzip::gzip;
use super::token::{IdentityError, TokenError, Tokens};
use super::{SinkCall, Table};
use crate::http::{Transport, retry_after};
use crate::model::{IngestionApi, SendError, SendErrorKind};
use crate::settings::LogsIngestionSettings;

/// <https://learn.microsoft.com/rest/api/logsingestion>
const VERSION: &str = "2023-01-01";
/// The stream of the same rule for the connector's own rows.
const HEALTH_STREAM: &str = "Custom-CiscoDuoHealth";
/// Longest wait for a token. Token and response together take less time than a lease lasts when a request begins.
const TOKEN_PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_CODE: usize = 64;
/// Repeats the code of the error in the body, which is not read: its explanation may quote a row.
const CODE: &str = "x-ms-error-code";

/// Sends rows to one stream of a data collection rule.
#[derive(Debug)]
pub struct LogsIngestion {
    http: reqwest::Client,
    streams: String,
    stream: String,
    gzip: bool,
    tokens: Tokens,
}

impl LogsIngestion {
    /// A sink; no token is requested yet.
    ///
    /// # Errors
    ///
    /// When the identity that the settings name cannot be used at all.
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

    /// Sends one request and returns when the service accepted it. A refused token is replaced once.
    pub async fn send(&self, call: SinkCall) -> Result<(), SendError> {
        let url = self.url(call.table);
        let until = Instant::now() + TOKEN_PATIENCE + call.timeout;
        let body = if self.gzip { gzip(&call.body) } else { call.body };
        let mut is_first = true;
        loop {
            let patience = left(until).min(TOKEN_PATIENCE);
            let token = self.tokens.token(patience).await.map_err(without_token)?;
            let patience = left(until).min(call.timeout);
            let posted = self.post(&url, body.clone(), &token.authorization, patience);
            match posted.await {
                Err(refusal) if refusal.status == Some(401) => {
                    self.tokens.forget(&token);
                    if !is_first {
                        return Err(refusal);
                    }
                    is_first = false;
                }
                answer => return answer,
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
        let response = sent.map_err(|fault| no_response(api, fault))?;
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

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn without_token(TokenError { is_transient, reason }: TokenError) -> SendError {
    error(IngestionApi::LogsIngestion, SendErrorKind::NoToken { is_transient }, None, None, reason)
}

fn kind(status: u16, retry_after: Option<TimeDelta>) -> SendErrorKind {
    match status {
        // One of the records may be at fault; whether the rule is shows when each of them is refused alone.
        400 => SendErrorKind::BadRecord,
        // 403 also while a new role spreads: the checkpoint is kept, and the next run tries again.
        401 | 403 => SendErrorKind::Credentials,
        413 => SendErrorKind::TooLarge,
        429 => SendErrorKind::Throttled { retry_after },
        // Reported for compressed bodies by an endpoint that does not take them.
        501 => SendErrorKind::Fatal,
        408 | 500..=599 => SendErrorKind::Unreachable,
        // 404: no such rule, stream or endpoint.
        _ => SendErrorKind::Fatal,
    }
}

/// The service's code, where it is a word: nothing else of a response is repeated.
fn code(headers: &HeaderMap) -> Option<String> {
    let code = headers.get(CODE)?.to_str().ok()?;
    let is_word = (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests;
