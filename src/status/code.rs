//! What can be wrong with a log, in known words.

mod causes;

use serde::{Deserialize, Serialize};

/// What is wrong with a log. The words are this program's own: no text of another service stands behind a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Duo asks for fewer calls.
    DuoThrottled,
    /// Duo does not answer.
    DuoUnreachable,
    /// Duo refuses keys or signature.
    DuoCredentials,
    /// Duo does not give this log to this application.
    DuoForbidden,
    /// Duo knows no such log.
    DuoGone,
    /// Somebody else answers in Duo's place.
    DuoGarbled,
    /// Duo refuses what is asked.
    DuoRefused,
    /// Duo refuses what is asked to prove closed hours.
    DuoChecksRefused,
    /// Duo's pages contradict one another.
    DuoPaging,
    /// Azure Monitor asks for less.
    AzureThrottled,
    /// Azure Monitor does not answer.
    AzureUnreachable,
    /// Azure Monitor refuses key or identity.
    AzureCredentials,
    /// No token is to be had for Azure Monitor.
    AzureNoToken,
    /// Azure Monitor refuses what is sent.
    AzureRefused,
    /// Azure Monitor refuses single records.
    RecordsRefused,
    /// The stored state cannot be reached or used.
    State,
    /// The log would begin in the future.
    Future,
    /// Rows of this state went somewhere else a moment ago.
    OtherDestination,
    /// The clock of this machine is wrong.
    Clock,
    /// The storage does not honour conditional writes.
    StorageUnconditional,
    /// A part of closed hours is missing.
    Gap,
    /// Of some closed hours it cannot be told whether they are complete.
    UnknownHours,
    /// No run was recorded for a while.
    NoRun,
    /// A fault of this program.
    Internal,
    /// A code that a later release knows.
    #[serde(other)]
    Unknown,
}

impl Code {
    /// Every code of this release.
    pub const ALL: [Self; 24] = [
        Self::DuoThrottled,
        Self::DuoUnreachable,
        Self::DuoCredentials,
        Self::DuoForbidden,
        Self::DuoGone,
        Self::DuoGarbled,
        Self::DuoRefused,
        Self::DuoChecksRefused,
        Self::DuoPaging,
        Self::AzureThrottled,
        Self::AzureUnreachable,
        Self::AzureCredentials,
        Self::AzureNoToken,
        Self::AzureRefused,
        Self::RecordsRefused,
        Self::State,
        Self::Future,
        Self::OtherDestination,
        Self::Clock,
        Self::StorageUnconditional,
        Self::Gap,
        Self::UnknownHours,
        Self::NoRun,
        Self::Internal,
    ];

    /// The code as rows and logs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DuoThrottled => "duo_throttled",
            Self::DuoUnreachable => "duo_unreachable",
            Self::DuoCredentials => "duo_credentials",
            Self::DuoForbidden => "duo_forbidden",
            Self::DuoGone => "duo_gone",
            Self::DuoGarbled => "duo_garbled",
            Self::DuoRefused => "duo_refused",
            Self::DuoChecksRefused => "duo_checks_refused",
            Self::DuoPaging => "duo_paging",
            Self::AzureThrottled => "azure_throttled",
            Self::AzureUnreachable => "azure_unreachable",
            Self::AzureCredentials => "azure_credentials",
            Self::AzureNoToken => "azure_no_token",
            Self::AzureRefused => "azure_refused",
            Self::RecordsRefused => "records_refused",
            Self::State => "state",
            Self::Future => "future",
            Self::OtherDestination => "other_destination",
            Self::Clock => "clock",
            Self::StorageUnconditional => "storage_unconditional",
            Self::Gap => "gap",
            Self::UnknownHours => "unknown_hours",
            Self::NoRun => "no_run",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }

    /// What is wrong, in plain words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::DuoThrottled => "Duo asks for fewer calls.",
            Self::DuoUnreachable => "Duo does not answer.",
            Self::DuoCredentials => "Duo refuses the keys or the signature.",
            Self::DuoForbidden => "Duo does not give this log to this application.",
            Self::DuoGone => "Duo knows no such log.",
            Self::DuoGarbled => "What answers in Duo's place is not Duo.",
            Self::DuoRefused => "Duo refuses what it is asked.",
            Self::DuoChecksRefused => {
                "The log is read, but Duo refuses what is asked to prove its closed hours."
            }
            Self::DuoPaging => "The pages of Duo contradict one another.",
            Self::AzureThrottled => "Azure Monitor asks for less.",
            Self::AzureUnreachable => "Azure Monitor does not answer.",
            Self::AzureCredentials => "Azure Monitor refuses the key or the identity.",
            Self::AzureNoToken => "There is no token for Azure Monitor.",
            Self::AzureRefused => "Azure Monitor refuses what it is sent.",
            Self::RecordsRefused => {
                "Azure Monitor refuses records even alone, and the fault may not be theirs."
            }
            Self::State => "The stored state cannot be reached or used.",
            Self::Future => "The log would begin in the future.",
            Self::OtherDestination => {
                "Rows of this state went to another workspace, endpoint or API a moment ago."
            }
            Self::Clock => "The clock of this machine differs from Duo's.",
            Self::StorageUnconditional => "The storage does not honour conditional writes.",
            Self::Gap => "A part of closed hours is missing.",
            Self::UnknownHours => {
                "Of some closed hours it cannot be told whether they are complete."
            }
            Self::NoRun => "No run was recorded for half an hour or longer.",
            Self::Internal => "A fault of this program ended the run.",
            Self::Unknown => "A later release knows what this is.",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::DuoThrottled => {
                "Nothing: the log waits and goes on by itself. If it lasts for hours, see what else calls the Admin API of \
                 this account, or lower CISCO_DUO_CALLS_PER_MINUTE."
            }
            Self::DuoUnreachable => {
                "It is tried again with every run. Check CISCO_DUO_API_HOSTNAME, DNS, outbound HTTPS and HTTPS_PROXY."
            }
            Self::DuoCredentials => {
                "Check that CISCO_DUO_INTEGRATION_KEY, CISCO_DUO_SECRET_KEY and CISCO_DUO_API_HOSTNAME are from one Admin API \
                 application, and the clock."
            }
            Self::DuoForbidden => {
                "Give the Admin API application the permission Grant read log, check its allowed networks and that the Duo \
                 edition has this log, or leave the log out of CISCO_DUO_LOG_TYPES."
            }
            Self::DuoGone => {
                "Check CISCO_DUO_API_HOSTNAME. If it is right, Duo ended this log: leave it out of CISCO_DUO_LOG_TYPES."
            }
            Self::DuoGarbled => "Check CISCO_DUO_API_HOSTNAME, and the proxy between here and Duo.",
            Self::DuoRefused | Self::DuoChecksRefused | Self::DuoPaging => {
                "It is tried again with every run. If it stays, report it to Duo with the time and the lines of the log stream."
            }
            Self::AzureThrottled => {
                "Nothing: the log waits and goes on by itself. If it lasts for hours, see what else sends to this workspace or \
                 data collection rule."
            }
            Self::AzureUnreachable => {
                "It is tried again with every run. Check outbound HTTPS to the endpoint, DNS and HTTPS_PROXY."
            }
            Self::AzureCredentials => {
                "Data Collector API: check WORKSPACE_ID and SHARED_KEY. Logs Ingestion API: give the identity the role \
                 Monitoring Metrics Publisher on the data collection rule; a new role takes up to 30 minutes to spread."
            }
            Self::AzureNoToken => {
                "Check that the function app has the identity that AZURE_CLIENT_ID names; outside Azure check AZURE_TENANT_ID \
                 and the secret or token file."
            }
            Self::AzureRefused => {
                "Check the settings of the destination: WORKSPACE_ID and logAnalyticsUri, or LOGS_INGESTION_ENDPOINT, \
                 LOGS_INGESTION_RULE_ID and LOGS_INGESTION_STREAM."
            }
            Self::RecordsRefused => {
                "See the answer in the log stream, and the originals with: duo-sentinel dead-letters list."
            }
            Self::State => {
                "Check the storage account of AzureWebJobsStorage and the role on it. A damaged checkpoint is named in the log \
                 stream; it is never overwritten."
            }
            Self::Future => {
                "Check the clock and CISCO_DUO_START. If a wrong clock moved the checkpoint, restore an earlier version of it."
            }
            Self::OtherDestination => {
                "If the settings were changed, wait: it goes on by itself after 15 minutes. If another instance is at work on \
                 the same state, give each its own CISCO_DUO_CONTAINER."
            }
            Self::Clock => {
                "Set the clock of this machine: Duo refuses requests that are off by minutes, and windows close late."
            }
            Self::StorageUnconditional => {
                "Find out what stands between here and the storage account and drops the header If-Match."
            }
            Self::Gap => {
                "Ask Duo for the span again: duo-sentinel backfill --from FROM --to TO --types LOG. If the gap stays, Duo does \
                 not keep the events any more."
            }
            Self::UnknownHours => {
                "Read the hours again: duo-sentinel backfill --from FROM --to TO --types LOG --resend."
            }
            Self::NoRun => {
                "See in the portal whether the function app runs and CiscoDuoTimer is enabled, and restart the app."
            }
            Self::Internal => {
                "Report it with the lines of the log stream. The place of the log is kept."
            }
            Self::Unknown => "Update to that release.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn each_code_is_stored_as_it_is_spelled_and_says_what_to_do() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.sentence().ends_with('.') && code.remedy().ends_with('.'));
        }
        let later: Code = serde_json::from_str("\"of_a_later_release\"").unwrap();
        assert_eq!(later, Code::Unknown);
    }
}
