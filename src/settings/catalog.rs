//! The catalog of settings: name, default, bounds, group, meaning, and the hint for a missing one.
//!
//! The reader, docs/settings.md, the deployment templates and the tests use this catalog.

use Kind::{Choice, Form, Number, Secret, Text};
use Need::{Alternative, Optional, Required};

use crate::model::DUO_KEEPS;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Name of the environment variable or app setting.
    pub name: &'static str,
    /// Section of the documentation.
    pub group: Group,
    /// Accepted values.
    pub kind: Kind,
    /// Whether the setting is required.
    pub need: Need,
    /// Meaning, in one sentence.
    pub meaning: &'static str,
}

/// Section of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The Duo account.
    Duo,
    /// The destination of rows.
    AzureMonitor,
    /// Identities for tokens.
    Identity,
    /// Storage of checkpoints, ledgers and dead letters.
    State,
    /// Collection of the logs.
    Collection,
}

/// Accepted values of a setting.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text, with the documented default.
    Text(&'static str),
    /// Text in a format: default, validation, and the error with `{}` for the text.
    Form(&'static str, fn(&str) -> bool, &'static str),
    /// Text that is never shown.
    Secret,
    /// A whole number: minimum, maximum, default.
    Number(i64, i64, i64),
    /// One of several words; the first is the default.
    Choice(&'static [&'static str]),
}

/// Whether a setting is required, with the hint if it is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Not required.
    Optional,
    /// Required unless alternative settings are set.
    Required(&'static str),
    /// Required if related settings are set.
    Alternative(&'static str),
}

/// Defines a constant per setting, and `CATALOG`.
macro_rules! settings {
    ($($group:ident { $($row:ident = $name:literal, $kind:expr, $need:expr, $meaning:expr;)* })*) => {
        $($(pub(super) const $row: &Setting = &Setting {
            name: $name, group: Group::$group, kind: $kind, need: $need, meaning: $meaning,
        };)*)*

        /// All settings, in the order of the documentation.
        pub const CATALOG: &[&Setting] = &[$($($row),*),*];
    };
}

settings! {
    Duo {
        INTEGRATION_KEY = "CISCO_DUO_INTEGRATION_KEY", Text(""), Required("copy the integration key of the Admin API application in the Duo Admin Panel"),
            "Integration key of the Duo Admin API application";
        SECRET_KEY = "CISCO_DUO_SECRET_KEY", Secret, Required("copy the secret key of the Admin API application in the Duo Admin Panel"),
            "Secret key of the Duo Admin API application";
        API_HOSTNAME = "CISCO_DUO_API_HOSTNAME", Text(""), Required("copy the API hostname of the Admin API application"),
            "API hostname: `api-XXXXXXXX.duosecurity.com` or `.duofederal.com`";
        LOG_TYPES = "CISCO_DUO_LOG_TYPES", Text("all six"), Optional,
            "Comma-separated: `authentication`, `administrator`, `telephony`, `offline_enrollment`, `trust_monitor`, `activity`";
        SIGNATURE = "CISCO_DUO_SIGNATURE", Choice(&["v5", "v2"]), Optional,
            "How requests are signed: HMAC-SHA512 (`v5`) or HMAC-SHA1 (`v2`)";
    }
    AzureMonitor {
        WORKSPACE_ID = "WORKSPACE_ID",
            Form("", is_uuid, "is not of the form 00000000-0000-0000-0000-000000000000; copy the ID, not the name, of the workspace"),
            Required("copy the workspace ID of the Log Analytics workspace, or set LOGS_INGESTION_ENDPOINT instead"),
            "Data Collector API: ID of the Log Analytics workspace; not needed with `LOGS_INGESTION_ENDPOINT`";
        SHARED_KEY = "SHARED_KEY", Secret, Required("copy the primary key of the Log Analytics workspace"),
            "Data Collector API: primary or secondary key of the workspace; not needed with `LOGS_INGESTION_ENDPOINT`";
        LOG_ANALYTICS_URI = "logAnalyticsUri", Text("from WORKSPACE_ID"), Optional,
            "Data Collector API endpoint of another cloud, such as `https://WORKSPACE_ID.ods.opinsights.azure.us`";
        ENDPOINT = "LOGS_INGESTION_ENDPOINT", Text(""), Alternative("copy the logs ingestion endpoint of the data collection rule (JSON view: endpoints.logsIngestion)"),
            "Selects the [Logs Ingestion API](rows.md#two-ingestion-apis-one-table): logs ingestion endpoint of the data collection rule (`endpoints.logsIngestion` in its JSON view)";
        RULE_ID = "LOGS_INGESTION_RULE_ID",
            Form("", is_rule_id, "is not of the form dcr- and 32 hexadecimal digits; copy the immutable ID, not the name, of the rule"),
            Alternative("copy the immutable ID of the data collection rule (JSON view: immutableId)"),
            "Immutable ID of the data collection rule, `dcr-` and 32 digits; required with `LOGS_INGESTION_ENDPOINT`";
        STREAM = "LOGS_INGESTION_STREAM",
            Form("Custom-CiscoDuo", is_stream_name, "\"{}\" is not of the form Custom-NAME, as in streamDeclarations of the rule"), Optional,
            "Stream of the data collection rule";
        GZIP = "LOGS_INGESTION_GZIP", Choice(&["on", "off"]), Optional,
            "Whether requests to the Logs Ingestion API are compressed";
        TIME_GENERATED = "CISCO_DUO_TIME_GENERATED", Choice(&["ingestion", "event"]), Optional,
            "`TimeGenerated` of live rows: the time at which the row is sent (`ingestion`) or of the event (`event`); late and backfilled rows always have the former";
        HEALTH = "CISCO_DUO_HEALTH", Choice(&["on", "off"]), Optional,
            "Whether rows about the connector itself are sent to `CiscoDuoHealth_CL`";
    }
    Identity {
        CLIENT_ID = "AZURE_CLIENT_ID", Text(""), Optional,
            "Client ID of the user-assigned identity or application";
        TENANT_ID = "AZURE_TENANT_ID", Text(""), Optional,
            "Tenant ID of the application; only outside Azure";
        CLIENT_SECRET = "AZURE_CLIENT_SECRET", Secret, Optional,
            "Secret of the application; only outside Azure";
        TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE", Text(""), Optional,
            "Token file of a workload identity; only outside Azure";
        AUTHORITY_HOST = "AZURE_AUTHORITY_HOST", Text("from CISCO_DUO_CLOUD"), Optional,
            "Authority that issues tokens to an identity outside Azure";
        CLOUD = "CISCO_DUO_CLOUD", Choice(&["public", "usgov", "china"]), Optional,
            "Azure cloud: audience of the Logs Ingestion API tokens and, outside Azure, default of `AZURE_AUTHORITY_HOST`";
    }
    State {
        STORAGE = "AzureWebJobsStorage", Secret, Required("give a connection string, or AzureWebJobsStorage__blobServiceUri for an identity, or CISCO_DUO_STATE_DIR for a local folder"),
            "Connection string of the storage account for state (account key, SAS or `UseDevelopmentStorage=true`)";
        SERVICE_URI = "AzureWebJobsStorage__blobServiceUri", Text(""), Optional,
            "Instead of a connection string: blob endpoint, used with an identity";
        ACCOUNT_NAME = "AzureWebJobsStorage__accountName", Text(""), Optional,
            "Instead of a connection string: account name in the public cloud, used with an identity";
        STORAGE_CREDENTIAL = "AzureWebJobsStorage__credential", Text(""), Optional,
            "`managedidentity` selects a user-assigned identity for storage";
        STORAGE_CLIENT_ID = "AzureWebJobsStorage__clientId", Text(""), Optional,
            "Client ID of the user-assigned identity for storage";
        CONTAINER = "CISCO_DUO_CONTAINER", Form("cisco-duo", is_container_name, INVALID_CONTAINER_NAME), Optional,
            "Blob container for state; created if it does not exist";
        DEAD_LETTER_CONTAINER = "CISCO_DUO_DEAD_LETTER_CONTAINER",
            Form("cisco-duo-dead-letter", is_container_name, INVALID_CONTAINER_NAME), Optional,
            "Blob container for [dead letters](dead-letters.md); created if it does not exist";
        STATE_DIR = "CISCO_DUO_STATE_DIR", Text(""), Optional,
            "Local folder for state instead of Blob Storage (one machine only)";
    }
    Collection {
        LOOKBACK = "CISCO_DUO_LOOKBACK_HOURS", Number(1, DUO_KEEPS.num_hours(), 24), Optional,
            "How far back the first run starts, in hours";
        START_TIME = "CISCO_DUO_START_TIME", Text(""), Optional,
            "Start time of the first run, instead of `CISCO_DUO_LOOKBACK_HOURS`: a time (RFC 3339, or Unix seconds or milliseconds), or one per log (`activity=TIME,telephony=TIME`). A log that has a checkpoint ignores it";
        WINDOW = "MAX_SYNC_WINDOW_PER_RUN_MINUTES", Number(1, 30 * 24 * 60, 7 * 24 * 60), Optional,
            "Longest window of event time, in minutes; windows start at 60 minutes and double while the log is behind";
        WINDOW_DELAY = "CISCO_DUO_WINDOW_DELAY_SECONDS", Number(120, 24 * 60 * 60, 180), Optional,
            "Age at which events are read, in seconds: Duo completes its logs with a delay of two minutes";
        REQUESTS_PER_MINUTE = "CISCO_DUO_REQUESTS_PER_MINUTE", Number(0, 600, 10), Optional,
            "Maximum requests to Duo per minute per log, with a burst of 10; all logs together may use three times this rate and burst; 0 for no limit";
        THROTTLE_BACKOFF = "CISCO_DUO_THROTTLE_BACKOFF_SECONDS", Number(1, 600, 60), Optional,
            "First backoff after a 429 of Duo without `Retry-After`, in seconds";
        RUN_TIME_LIMIT = "CISCO_DUO_RUN_TIME_LIMIT_SECONDS", Number(1, 3600, 50), Optional,
            "Time after which a run starts no new request, in seconds";
        FUNCTION_TIMEOUT = "AzureFunctionsJobHost__functionTimeout", Text("from host.json"), Optional,
            "Time limit of the Functions host; a run ends a minute before it";
    }
}

const INVALID_CONTAINER_NAME: &str =
    "\"{}\" is not a container name: 3 to 63 lower-case letters, digits and single hyphens";

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let is_digit = |byte: u8| byte == b'-' || byte.is_ascii_hexdigit();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(is_digit)
}

fn is_rule_id(text: &str) -> bool {
    let digits = text.strip_prefix("dcr-").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_stream_name(text: &str) -> bool {
    let name = text.strip_prefix("Custom-").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed)
}

fn is_container_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let has_bad_hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
    (3..=63).contains(&text.len()) && text.bytes().all(allowed) && !has_bad_hyphens
}
