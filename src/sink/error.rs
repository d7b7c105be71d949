//! Why Azure Monitor did not accept a call.

use std::fmt;

use crate::plan::SendFault;

/// A call that was not accepted.
#[derive(Debug)]
pub struct SinkError {
    /// What the core decides by.
    pub fault: SendFault,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The service's error code, where the answer has a known one.
    pub code: Option<&'static str>,
    /// What went wrong, in one line.
    pub reason: String,
}

impl SinkError {
    /// What to do about it; names the setting.
    pub fn hint(&self) -> Option<&'static str> {
        match (self.fault, self.status) {
            (SendFault::Credentials, _) => Some(
                "check that WORKSPACE_ID and SHARED_KEY are from one workspace, that the key was not regenerated, and \
                 that the local clock is right",
            ),
            (SendFault::Fatal, Some(404 | 410)) => Some(
                "check WORKSPACE_ID and logAnalyticsUri; if they are right, this workspace no longer takes the HTTP \
                 Data Collector API",
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
}

impl fmt::Display for SinkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
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
