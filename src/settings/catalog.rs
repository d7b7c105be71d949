//! The settings table: what the documentation, the example file and the template must name.

/// One setting as documented.
#[derive(Clone, Copy, Debug)]
pub struct SettingInfo {
    /// Name of the environment variable or application setting.
    pub name: &'static str,
    /// Default as shown in the documentation; empty where there is none.
    pub default: &'static str,
    /// Whether the connector cannot run without it.
    pub required: bool,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> SettingInfo {
    SettingInfo {
        name,
        default,
        required: false,
        meaning,
    }
}

const fn required(name: &'static str, meaning: &'static str) -> SettingInfo {
    SettingInfo {
        name,
        default: "",
        required: true,
        meaning,
    }
}

/// Every setting, in the order of the documentation.
pub const CATALOG: &[SettingInfo] = &[
    required(
        "CISCO_DUO_INTEGRATION_KEY",
        "Integration key of the Duo Admin API application",
    ),
    required(
        "CISCO_DUO_SECRET_KEY",
        "Secret key of the Duo Admin API application",
    ),
    required(
        "CISCO_DUO_API_HOSTNAME",
        "API hostname: `api-XXXXXXXX.duosecurity.com` or `.duofederal.com`",
    ),
    setting(
        "CISCO_DUO_LOG_TYPES",
        "all six",
        "Comma-separated: `authentication`, `administrator`, `telephony`, `offline_enrollment`, `trust_monitor`, `activity`",
    ),
    required(
        "WORKSPACE_ID",
        "ID of the Log Analytics workspace; not needed with `LOGS_INGESTION_ENDPOINT`",
    ),
    required(
        "SHARED_KEY",
        "Primary or secondary key of the workspace; not needed with `LOGS_INGESTION_ENDPOINT`",
    ),
    setting(
        "logAnalyticsUri",
        "from WORKSPACE_ID",
        "Endpoint of a dedicated cloud, e.g. `https://WORKSPACE_ID.ods.opinsights.azure.us`",
    ),
    setting(
        "LOGS_INGESTION_ENDPOINT",
        "",
        "Rows go through the [Logs Ingestion API](#two-roads-to-one-table): logs ingestion endpoint of the data collection rule (`endpoints.logsIngestion` in its JSON view)",
    ),
    setting(
        "LOGS_INGESTION_RULE_ID",
        "",
        "Immutable ID of that rule: `dcr-` and 32 digits",
    ),
    setting(
        "LOGS_INGESTION_STREAM",
        "Custom-CiscoDuo",
        "Stream of that rule",
    ),
    setting(
        "LOGS_INGESTION_GZIP",
        "on",
        "`off` sends calls of the Logs Ingestion API uncompressed",
    ),
    required(
        "AzureWebJobsStorage",
        "Connection string of the storage account for state (account key, SAS or `UseDevelopmentStorage=true`)",
    ),
    setting(
        "AzureWebJobsStorage__blobServiceUri",
        "",
        "Instead of a connection string: blob endpoint, used with an identity",
    ),
    setting(
        "AzureWebJobsStorage__accountName",
        "",
        "Instead of a connection string: account name in the public cloud, used with an identity",
    ),
    setting(
        "AzureWebJobsStorage__credential",
        "",
        "`managedidentity` where a user-assigned identity is meant",
    ),
    setting(
        "AzureWebJobsStorage__clientId",
        "",
        "Client ID of the user-assigned identity for storage",
    ),
    setting(
        "AZURE_CLIENT_ID",
        "",
        "Client ID of the user-assigned identity or application",
    ),
    setting(
        "AZURE_TENANT_ID",
        "",
        "Tenant of the application, outside Azure",
    ),
    setting(
        "AZURE_CLIENT_SECRET",
        "",
        "Secret of the application, outside Azure",
    ),
    setting(
        "AZURE_FEDERATED_TOKEN_FILE",
        "",
        "Token file of a workload identity, outside Azure",
    ),
    setting(
        "AZURE_AUTHORITY_HOST",
        "",
        "Who gives tokens to an identity outside Azure, where it is not the authority of the cloud",
    ),
    setting(
        "CISCO_DUO_CLOUD",
        "public",
        "`public`, `usgov` or `china`: which authority gives tokens to an identity outside Azure, and for whom tokens of the Logs Ingestion API are",
    ),
    setting(
        "CISCO_DUO_CONTAINER",
        "cisco-duo",
        "Blob container for state; made when missing",
    ),
    setting(
        "CISCO_DUO_DEAD_LETTER_CONTAINER",
        "cisco-duo-dead-letter",
        "Blob container for [originals that did not become whole rows](#dead-letters); made when missing",
    ),
    setting(
        "CISCO_DUO_STATE_DIR",
        "",
        "Local folder for state instead of Blob Storage (one machine only)",
    ),
    setting(
        "MAX_SYNC_WINDOW_PER_RUN_MINUTES",
        "60",
        "Longest span of event time asked for at once, in minutes",
    ),
    setting(
        "CISCO_DUO_LOOKBACK_HOURS",
        "24",
        "How far back the first run begins, in hours; at most 4296 (179 days)",
    ),
    setting(
        "CISCO_DUO_START",
        "",
        "Where the first run begins: a time (RFC 3339, or Unix seconds or milliseconds), or `type=time,…`",
    ),
    setting(
        "CISCO_DUO_SETTLE_SECONDS",
        "180",
        "How far behind now a window ends, in seconds; at least 120",
    ),
    setting(
        "CISCO_DUO_CALLS_PER_MINUTE",
        "10",
        "Calls to Duo a minute for each log, and three times that for all of them, after a burst of as many; 0 for no limit",
    ),
    setting(
        "CISCO_DUO_PARK_SECONDS",
        "60",
        "First pause after Duo answered 429 without `Retry-After`, in seconds",
    ),
    setting(
        "CISCO_DUO_RUN_SECONDS",
        "50",
        "Longest time a run begins new work, in seconds",
    ),
    setting(
        "CISCO_DUO_TIME_GENERATED",
        "ingestion",
        "`event` makes `TimeGenerated` the event's time, for rows sent in their turn",
    ),
    setting(
        "CISCO_DUO_HEALTH",
        "on",
        "`off` sends no rows about the connector itself to `CiscoDuoHealth_CL`",
    ),
    setting(
        "CISCO_DUO_SIGNATURE",
        "v5",
        "`v5` (HMAC-SHA512) or `v2` (HMAC-SHA1)",
    ),
    setting(
        "AzureFunctionsJobHost__functionTimeout",
        "from host.json",
        "The host's time limit; a run ends a minute before it",
    ),
];
