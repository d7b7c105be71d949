//! Error codes.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use strum::{EnumIter, EnumMessage, IntoEnumIterator as _, IntoStaticStr};

use crate::model::{FetchErrorKind, SendErrorKind};
use crate::sync::{BackOffCause, Failure};

/// An error code as shown in rows, logs and on the status page, without text of other services. The
/// doc comment of a code is its displayed sentence, its strum message the hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[derive(EnumIter, EnumMessage, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[rustfmt::skip]
pub enum Code {
    /// Duo is throttling requests (HTTP 429).
    #[strum(message = "No action needed: the log backs off and continues. If it lasts for hours, find other clients of the Admin API of this account, or lower CISCO_DUO_REQUESTS_PER_MINUTE.")]
    DuoThrottled,
    /// Duo does not respond.
    #[strum(message = "Every run tries again. Check CISCO_DUO_API_HOSTNAME, DNS, outbound HTTPS and HTTPS_PROXY.")]
    DuoUnreachable,
    /// Duo refuses the keys or the signature.
    #[strum(message = "Check that CISCO_DUO_INTEGRATION_KEY, CISCO_DUO_SECRET_KEY and CISCO_DUO_API_HOSTNAME are from the same Admin API application. Check the clock.")]
    DuoCredentials,
    /// Duo does not permit this log for this application.
    #[strum(message = "If the Duo edition has this log, give the Admin API application the permission Grant read log and check its allowed networks. Otherwise remove the log from CISCO_DUO_LOG_TYPES.")]
    DuoForbidden,
    /// Duo permits none of the logs (Trust Monitor not counted) for this application.
    #[strum(message = "Use the keys of an application of the type Admin API (Duo Admin Panel > Applications > Protect an Application > Admin API), give it the permission Grant read log and check its allowed networks. The logs are requested again once an hour.")]
    DuoNothingPermitted,
    /// Duo does not offer this log.
    #[strum(message = "Check CISCO_DUO_API_HOSTNAME. If it is right, Duo ended this log: leave it out of CISCO_DUO_LOG_TYPES.")]
    DuoGone,
    /// The response is not from the Duo API.
    #[strum(message = "Check CISCO_DUO_API_HOSTNAME, and whether a proxy intercepts the connection.")]
    DuoInvalidResponse,
    /// Duo refuses the request.
    #[strum(message = "Every run tries again. If it persists, open a case with Duo Support, with the time and the line `log_run` of the log stream.")]
    DuoRefused,
    /// The log is collected, but Duo refuses the requests that reconcile closed hours.
    #[strum(message = "Every run tries again. If it persists, open a case with Duo Support, with the time and the line `log_run` of the log stream.")]
    DuoReconciliationRefused,
    /// Duo's pages contradict each other.
    #[strum(message = "Every run tries again. If it persists, open a case with Duo Support, with the time and the line `log_run` of the log stream.")]
    DuoPaging,
    /// Azure Monitor is throttling requests (HTTP 429).
    #[strum(message = "No action needed: the log backs off and continues. If it lasts for hours, find other senders to this workspace or data collection rule.")]
    AzureThrottled,
    /// Azure Monitor does not respond.
    #[strum(message = "Every run tries again. Check outbound HTTPS to the endpoint, DNS and HTTPS_PROXY.")]
    AzureUnreachable,
    /// Azure Monitor refuses the key or the identity.
    #[strum(message = "Data Collector API: check WORKSPACE_ID and SHARED_KEY. Logs Ingestion API: give the identity the role Monitoring Metrics Publisher on the data collection rule; a new role takes up to 30 minutes to become effective.")]
    AzureCredentials,
    /// No token for Azure Monitor could be obtained.
    #[strum(message = "Check that the function app has the identity that AZURE_CLIENT_ID names; outside Azure check AZURE_TENANT_ID and the secret or token file.")]
    AzureNoToken,
    /// Azure Monitor refuses the request.
    #[strum(message = "Check the settings of the destination: WORKSPACE_ID and logAnalyticsUri, or LOGS_INGESTION_ENDPOINT, LOGS_INGESTION_RULE_ID and LOGS_INGESTION_STREAM.")]
    AzureRefused,
    /// Azure Monitor refuses records, and the cause may not be the records.
    #[strum(message = "See the reason in the line `log_run` of the log stream and correct its cause. The checkpoint is kept and every run tries again; nothing is lost.")]
    RecordsRefused,
    /// The stored state cannot be read or written.
    #[strum(message = "Check the storage account of AzureWebJobsStorage, its firewall, and the role Storage Blob Data Owner. The log stream names a damaged checkpoint; it is never overwritten.")]
    State,
    /// The start time or the checkpoint is in the future.
    #[strum(message = "Check the clock and CISCO_DUO_START_TIME. If a wrong clock moved the checkpoint, restore an earlier version of it.")]
    Future,
    /// Within the last 15 minutes, rows of this log were sent to another workspace, endpoint or API.
    #[strum(message = "If the settings were changed, wait: collection continues after 15 minutes. If another instance uses the same state, give each its own CISCO_DUO_CONTAINER.")]
    OtherDestination,
    /// The clock of this machine differs from Duo's.
    #[strum(message = "Synchronize the clock of this machine; in Azure Functions, restart the app. Duo refuses requests whose time is wrong by minutes.")]
    Clock,
    /// The storage account ignores conditional writes (If-Match).
    #[strum(message = "Reconfigure the proxy that drops the header If-Match on the way to the storage account.")]
    StorageUnconditional,
    /// A part of closed hours is missing.
    #[strum(message = "Run duo-sentinel backfill --gaps; for hours older than two days add --resend. If the gap remains, the events cannot be read: they are older than 180 days, or more records share one second than Duo returns.")]
    Gap,
    /// Completeness is unknown for some closed hours.
    #[strum(message = "Read the hours again: duo-sentinel backfill --from FROM --to TO --log LOG --resend.")]
    UnknownHours,
    /// No run was recorded for half an hour or longer.
    #[strum(message = "Check in the portal that the function app runs and CiscoDuoTimer is enabled, and restart the app.")]
    NoRun,
    /// An error of this program ended the run.
    #[strum(message = "Report an issue of this project, with the line `log_run` and the lines before it. The checkpoint is kept.")]
    Internal,
    /// A later release defines this code.
    #[strum(message = "Update to that release.")]
    #[serde(other)]
    Unknown,
}

impl Code {
    /// Every code that this release sets.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter().filter(|code| *code != Self::Unknown)
    }

    /// The code in rows and logs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The error in one sentence.
    pub fn sentence(self) -> &'static str {
        self.get_documentation().expect("every code has a doc comment")
    }

    /// What to do.
    pub fn hint(self) -> &'static str {
        self.get_message().expect("every code has a hint")
    }

    pub(crate) const fn of_fetch(kind: FetchErrorKind) -> Self {
        match kind {
            FetchErrorKind::Throttled { .. } => Self::DuoThrottled,
            FetchErrorKind::Unreachable | FetchErrorKind::TimedOut => Self::DuoUnreachable,
            FetchErrorKind::Credentials => Self::DuoCredentials,
            FetchErrorKind::Forbidden => Self::DuoForbidden,
            FetchErrorKind::Gone => Self::DuoGone,
            FetchErrorKind::Malformed | FetchErrorKind::TooLarge => Self::DuoInvalidResponse,
            FetchErrorKind::Rejected | FetchErrorKind::Fatal => Self::DuoRefused,
        }
    }

    pub(crate) const fn of_send(kind: SendErrorKind) -> Self {
        match kind {
            SendErrorKind::Throttled { .. } => Self::AzureThrottled,
            SendErrorKind::Unreachable | SendErrorKind::TimedOut => Self::AzureUnreachable,
            SendErrorKind::Credentials => Self::AzureCredentials,
            SendErrorKind::NoToken { .. } => Self::AzureNoToken,
            SendErrorKind::BadRecord
            | SendErrorKind::TooLarge
            | SendErrorKind::Intercepted
            | SendErrorKind::Fatal => Self::AzureRefused,
        }
    }

    pub(crate) const fn of_back_off(cause: BackOffCause) -> Self {
        match cause {
            BackOffCause::DuoThrottled => Self::DuoThrottled,
            BackOffCause::DuoUnreachable => Self::DuoUnreachable,
            BackOffCause::DuoCredentials => Self::DuoCredentials,
            BackOffCause::AzureThrottled => Self::AzureThrottled,
            BackOffCause::AzureUnreachable => Self::AzureUnreachable,
            BackOffCause::StorageUnreachable => Self::State,
            BackOffCause::Unknown => Self::Unknown,
        }
    }

    pub(crate) const fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Duo => Self::DuoRefused,
            Failure::Reconciliation => Self::DuoReconciliationRefused,
            Failure::AzureMonitor => Self::AzureRefused,
            Failure::RecordsRefused => Self::RecordsRefused,
            Failure::Storage => Self::State,
            Failure::Future => Self::Future,
            Failure::OtherDestination { .. } => Self::OtherDestination,
            Failure::Window(_) => Self::DuoPaging,
        }
    }
}

/// An error code and its HTTP status. JSON adds sentence and hint, not read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Cause {
    /// The code, if there is an error.
    pub code: Option<Code>,
    /// The HTTP status, if there was a response.
    pub http_status: Option<u16>,
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (message, hint) = (self.code.map(Code::sentence), self.code.map(Code::hint));
        let http_status = self.http_status;
        json!({"code": self.code, "message": message, "hint": hint, "http_status": http_status})
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn each_code_survives_a_round_trip_and_has_a_sentence_and_a_hint() {
        for code in Code::all().chain([Code::Unknown]) {
            let shown = (code.sentence(), code.hint());
            assert!(shown.0.ends_with('.') && shown.1.ends_with('.'), "{shown:?}");
            let stored = serde_json::to_value(code).unwrap();
            assert_eq!(stored, code.as_str());
            assert_eq!(serde_json::from_value::<Code>(stored).unwrap(), code);
        }
        let later: Code = serde_json::from_str("\"of_a_later_release\"").unwrap();
        assert_eq!(later, Code::Unknown);
    }
}
