//! The Logs Ingestion API: an identity and a data collection rule.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::error::SinkError;
use super::gzip::gzip;
use super::token::{IdentityError, TokenFault, Tokens};
use super::{SinkCall, Table};
use crate::http::{Transport, retry_after};
use crate::model::IngestionApi;
use crate::settings::LogsIngestionSettings;
use crate::sync::SendFault;

/// <https://learn.microsoft.com/rest/api/logsingestion>
const VERSION: &str = "2023-01-01";
/// The stream of the same rule for the connector's own rows.
const HEALTH_STREAM: &str = "Custom-CiscoDuoHealth";
/// Longest wait for a token. Token and answer together stay below what a claim lasts when a call is begun.
const TOKEN_PATIENCE: Duration = Duration::from_secs(10);
/// Longest code of the service that is told.
const LONGEST_CODE: usize = 64;
/// Repeats the code of the error in the body, which is not read: its explanation may quote a row.
const CODE: &str = "x-ms-error-code";

/// Sends rows to one stream of a data collection rule.
#[derive(Debug)]
pub struct LogsIngestion {
    http: reqwest::Client,
    /// The rule's address, up to the stream.
    streams: String,
    /// The stream for events.
    stream: String,
    gzip: bool,
    tokens: Tokens,
}

impl LogsIngestion {
    /// A sink; no token is asked for yet.
    ///
    /// # Errors
    ///
    /// When the identity that the settings name cannot be used at all.
    pub fn new(
        transport: &Transport,
        settings: LogsIngestionSettings,
    ) -> Result<Self, IdentityError> {
        let LogsIngestionSettings {
            origin,
            rule_id,
            stream,
            gzip,
            identity: (identity, cloud),
        } = settings;
        Ok(Self {
            http: transport.client_for(&origin),
            streams: format!("{origin}/dataCollectionRules/{rule_id}/streams"),
            stream,
            gzip,
            tokens: Tokens::new(identity, cloud, transport.clone())?,
        })
    }

    /// Sends one call and returns when the service accepted it. A token that is refused is asked for anew, once.
    pub async fn send(&self, call: SinkCall) -> Result<(), SinkError> {
        let url = self.url(call.table);
        let until = Instant::now() + TOKEN_PATIENCE + call.timeout;
        let body = if self.gzip {
            gzip(&call.body)
        } else {
            call.body
        };
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
    ) -> Result<(), SinkError> {
        let mut authorization = HeaderValue::from_str(authorization)
            .map_err(|_| without_token(TokenFault::unusable()))?;
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
        let response =
            sent.map_err(|fault| SinkError::unreachable(IngestionApi::LogsIngestion, fault))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let code = code(response.headers());
        Err(SinkError {
            api: IngestionApi::LogsIngestion,
            fault: fault(status.as_u16(), retry_after(response.headers())),
            status: Some(status.as_u16()),
            reason: code
                .clone()
                .unwrap_or_else(|| "no code in the answer".to_owned()),
            code,
            lacks_token: false,
        })
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn without_token(TokenFault { fault, reason }: TokenFault) -> SinkError {
    SinkError {
        api: IngestionApi::LogsIngestion,
        fault,
        status: None,
        code: None,
        reason,
        lacks_token: true,
    }
}

/// What an answer other than success means.
fn fault(status: u16, retry_after: Option<i64>) -> SendFault {
    match status {
        // One of the records may be at fault; whether the rule is shows when each of them is refused alone.
        400 => SendFault::BadRecord,
        // 403 also while a new role spreads: the place is kept, and the next run asks again.
        401 | 403 => SendFault::Credentials,
        413 => SendFault::TooLarge,
        429 => SendFault::Throttled { retry_after },
        // Said to answer compressed bodies by a place that does not take them.
        501 => SendFault::Fatal,
        408 | 500..=599 => SendFault::Unreachable,
        // 404: no such rule, stream or endpoint.
        _ => SendFault::Fatal,
    }
}

/// The service's code, where it is a word: nothing else of an answer is repeated.
fn code(headers: &HeaderMap) -> Option<String> {
    let code = headers.get(CODE)?.to_str().ok()?;
    let is_word = (1..=LONGEST_CODE).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests;
