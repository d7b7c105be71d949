//! Why Azure Monitor did not accept a call.

use std::fmt;

use crate::http::transport_reason;
use crate::model::IngestionApi;
use crate::sync::SendFault;

/// A call that was not accepted.
#[derive(Debug)]
pub struct SinkError {
    /// The API that was asked.
    pub api: IngestionApi,
    /// What the core decides by.
    pub fault: SendFault,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The service's error code, where the answer has one.
    pub code: Option<String>,
    /// What went wrong, in one line; never a token, a key or a part of a row.
    pub reason: String,
    /// Whether no token was to be had, so that nothing was sent.
    pub lacks_token: bool,
}

impl SinkError {
    /// No answer came; whether the rows were accepted is not known.
    pub(super) fn unreachable(api: IngestionApi, fault: reqwest::Error) -> Self {
        Self {
            api,
            fault: SendFault::Unreachable,
            status: None,
            code: None,
            reason: transport_reason(fault),
            lacks_token: false,
        }
    }

    /// What to do about it; names the setting.
    pub fn hint(&self) -> Option<&'static str> {
        if self.lacks_token {
            return Some(
                "check that the function app has an identity, or AZURE_CLIENT_ID names a user-assigned one of its own; \
                 outside Azure set AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or \
                 AZURE_FEDERATED_TOKEN_FILE, and CISCO_DUO_CLOUD for another cloud",
            );
        }
        match self.api {
            IngestionApi::DataCollector => self.data_collector_hint(),
            IngestionApi::LogsIngestion => self.logs_ingestion_hint(),
        }
    }

    fn data_collector_hint(&self) -> Option<&'static str> {
        match (self.fault, self.status) {
            (SendFault::Credentials, _) => Some(
                "check that WORKSPACE_ID and SHARED_KEY are from one workspace, that the key was not regenerated, and \
                 that the local clock is right",
            ),
            (SendFault::Fatal, Some(404 | 410)) => Some(
                "check WORKSPACE_ID and logAnalyticsUri; if they are right, this workspace no longer takes the HTTP \
                 Data Collector API: use the Logs Ingestion API, by LOGS_INGESTION_ENDPOINT and LOGS_INGESTION_RULE_ID",
            ),
            (SendFault::Fatal, Some(400)) => {
                Some("check that the workspace of WORKSPACE_ID is active")
            }
            (SendFault::Unreachable, None) => Some(
                "check outbound HTTPS to the workspace's endpoint, DNS and HTTPS_PROXY; it is tried again",
            ),
            _ => None,
        }
    }

    fn logs_ingestion_hint(&self) -> Option<&'static str> {
        match (self.fault, self.status) {
            (SendFault::Credentials, Some(401)) => Some(
                "check CISCO_DUO_CLOUD: the token must be of the cloud of LOGS_INGESTION_ENDPOINT; and that the identity \
                 is of the tenant of the data collection rule",
            ),
            (SendFault::Credentials, _) => Some(
                "give the identity the role Monitoring Metrics Publisher on the data collection rule; a new role takes up \
                 to 30 minutes to spread, and until then every log keeps its place: nothing is lost",
            ),
            (SendFault::Fatal, Some(404)) => Some(
                "check LOGS_INGESTION_RULE_ID (the immutable ID, dcr-…), LOGS_INGESTION_STREAM (a stream that the rule \
                 declares) and LOGS_INGESTION_ENDPOINT (that of the same rule)",
            ),
            (SendFault::Fatal, Some(501)) => {
                Some("set LOGS_INGESTION_GZIP to off: this endpoint may not take compressed calls")
            }
            (SendFault::Throttled { .. }, _) => Some(
                "the data collection rule takes 2 GB and 12,000 calls a minute: look at what else sends to it; it is \
                 tried again",
            ),
            (SendFault::Unreachable, None) => Some(
                "check outbound HTTPS to LOGS_INGESTION_ENDPOINT, DNS (also of a private link) and HTTPS_PROXY; it is \
                 tried again",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lacks_token {
            return write!(formatter, "no token for Azure Monitor: {}", self.reason);
        }
        match self.status {
            Some(status) => write!(
                formatter,
                "Azure Monitor answered with HTTP {status}: {}",
                self.reason
            ),
            None => write!(formatter, "no answer from Azure Monitor: {}", self.reason),
        }
    }
}

impl std::error::Error for SinkError {}
