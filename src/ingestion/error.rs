//! Errors of Azure Monitor and their hints.

use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::http::{is_html, read_body, transport_reason};
use crate::identity::UnusableResponse;
use crate::model::{IngestionApi, SendError, SendErrorKind, Tries};

/// Maximum response, in bytes.
pub(super) const LARGEST_RESPONSE: usize = 64 * 1024;

/// An error without a source.
pub(super) fn error(
    api: IngestionApi,
    kind: SendErrorKind,
    status: Option<u16>,
    code: Option<String>,
    reason: String,
) -> SendError {
    SendError { api, kind, status, code, reason, tries: Tries::default(), source: None }
}

/// An error without a response. The rows may have been accepted.
pub(super) fn no_response(api: IngestionApi, source: reqwest::Error) -> SendError {
    let kind =
        if source.is_timeout() { SendErrorKind::TimedOut } else { SendErrorKind::Unreachable };
    let source = source.without_url();
    let reason = transport_reason(&source);
    SendError { source: Some(Arc::new(source)), ..error(api, kind, None, None, reason) }
}

/// Checks that a success is from Azure Monitor and not from a proxy: the body is empty or JSON.
///
/// # Errors
///
/// [`SendErrorKind::Intercepted`], or the body could not be read.
pub(super) async fn confirm(
    api: IngestionApi,
    mut response: reqwest::Response,
) -> Result<(), SendError> {
    let status = Some(response.status().as_u16());
    let is_html = is_html(response.headers());
    let body = read_body(&mut response, LARGEST_RESPONSE).await;
    let body = body.map_err(|source| no_response(api, source))?;
    let is_empty_or_json = body.is_some_and(|body| {
        let text = body.trim_ascii();
        text.is_empty() || serde_json::from_slice::<IgnoredAny>(text).is_ok()
    });
    if !is_html && is_empty_or_json {
        return Ok(());
    }
    let what = if is_html { "an HTML page" } else { "text instead of JSON" };
    let reason = format!(
        "the response is {what}, so the batch was not accepted; a proxy may be intercepting the connection"
    );
    Err(error(api, SendErrorKind::Intercepted, status, None, reason))
}

/// What to do about an error, with the setting to check.
pub fn hint(error: &SendError) -> Option<&'static str> {
    let source = error.source.as_deref();
    if let Some(token) = source.and_then(|source| source.downcast_ref::<UnusableResponse>()) {
        return Some(token.hint());
    }
    match error.kind {
        SendErrorKind::NoToken { .. } => Some(
            "check that the function app has a system-assigned identity, or the user-assigned one of AZURE_CLIENT_ID; \
             outside Azure set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or \
             AZURE_FEDERATED_TOKEN_FILE, and CISCO_DUO_CLOUD for another cloud",
        ),
        SendErrorKind::Intercepted => {
            Some("check HTTPS_PROXY and the proxy or firewall between here and Azure Monitor")
        }
        _ => match error.api {
            IngestionApi::DataCollector => data_collector_hint(error),
            IngestionApi::LogsIngestion => logs_ingestion_hint(error),
        },
    }
}

fn data_collector_hint(error: &SendError) -> Option<&'static str> {
    match (error.kind, error.status) {
        (SendErrorKind::Credentials, _) => Some(
            "check that WORKSPACE_ID and SHARED_KEY are from one workspace, that the key was not regenerated, and \
             that the local clock is right",
        ),
        (SendErrorKind::Fatal, Some(404 | 410)) => Some(
            "check WORKSPACE_ID and logAnalyticsUri; if they are right, this workspace no longer accepts the HTTP \
             Data Collector API: set LOGS_INGESTION_ENDPOINT and LOGS_INGESTION_RULE_ID for the Logs Ingestion API",
        ),
        (SendErrorKind::Fatal, Some(400)) => {
            Some("check that the workspace of WORKSPACE_ID is active")
        }
        (SendErrorKind::Unreachable | SendErrorKind::TimedOut, None) => Some(
            "check outbound HTTPS to the workspace's endpoint, DNS and HTTPS_PROXY; the connector retries",
        ),
        _ => None,
    }
}

fn logs_ingestion_hint(error: &SendError) -> Option<&'static str> {
    match (error.kind, error.status) {
        (SendErrorKind::Credentials, Some(401)) => Some(
            "check that CISCO_DUO_CLOUD is the cloud of LOGS_INGESTION_ENDPOINT, and that the identity is in the \
             tenant of the data collection rule",
        ),
        (SendErrorKind::Credentials, _) => Some(
            "give the identity the role Monitoring Metrics Publisher on the data collection rule; a new role takes up \
             to 30 minutes to become effective; until then the checkpoints are kept and nothing is lost",
        ),
        (SendErrorKind::Fatal, Some(404)) => Some(
            "check LOGS_INGESTION_RULE_ID (the immutable ID, dcr-…), LOGS_INGESTION_STREAM (a stream that the rule \
             declares) and LOGS_INGESTION_ENDPOINT (that of the same rule)",
        ),
        (SendErrorKind::Fatal, Some(501)) => {
            Some("set LOGS_INGESTION_GZIP to off: this endpoint may not accept compressed requests")
        }
        (SendErrorKind::Throttled { .. }, _) => Some(
            "the data collection rule accepts 2 GB and 12,000 requests per minute: look for other senders; the connector \
             retries",
        ),
        (SendErrorKind::Unreachable | SendErrorKind::TimedOut, None) => Some(
            "check outbound HTTPS to LOGS_INGESTION_ENDPOINT, DNS (also of a private link) and HTTPS_PROXY; the \
             connector retries",
        ),
        _ => None,
    }
}
