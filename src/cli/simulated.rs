//! Settings for the simulated services.

use simulator::{LogsIngestionConfig, Simulator, StreamDeclaration, Target};

use crate::model::IngestionApi::{self, DataCollector, LogsIngestion};
use crate::schema::{TABLE, declared, streams};

pub(super) const fn selected(logs_ingestion: bool) -> IngestionApi {
    if logs_ingestion { LogsIngestion } else { DataCollector }
}

pub(super) const fn target(api: IngestionApi) -> Target {
    match api {
        DataCollector => Target::LogAnalytics,
        LogsIngestion => Target::LogsIngestion,
    }
}

/// Settings that select the simulated Duo and an API of the simulated Azure Monitor.
pub(super) fn settings(api: IngestionApi, simulator: &Simulator) -> Vec<(&'static str, String)> {
    let config = simulator.config();
    let mut settings = vec![
        ("CISCO_DUO_INTEGRATION_KEY", config.integration_key.clone()),
        ("CISCO_DUO_SECRET_KEY", config.secret_key.clone()),
        ("CISCO_DUO_API_HOSTNAME", simulator.duo_url()),
    ];
    settings.extend(match api {
        DataCollector => vec![
            ("WORKSPACE_ID", config.workspace_id.clone()),
            ("SHARED_KEY", config.shared_key.clone()),
            ("logAnalyticsUri", simulator.log_analytics_url()),
        ],
        LogsIngestion => vec![
            ("LOGS_INGESTION_ENDPOINT", simulator.logs_ingestion_url()),
            ("LOGS_INGESTION_RULE_ID", config.logs_ingestion.rule_id.clone()),
            // Set by App Service for apps with an identity.
            ("IDENTITY_ENDPOINT", simulator.identity_url()),
            ("IDENTITY_HEADER", config.identity.header.clone()),
        ],
    });
    settings
}

/// Requests that an API received, and events that it accepted.
pub(super) fn requests_and_rows(api: IngestionApi, simulator: &Simulator) -> (u64, u64) {
    let counts = simulator.counts();
    let (requests, rows) = match api {
        DataCollector => (counts.log_analytics.requests, counts.log_analytics.rows),
        LogsIngestion => (counts.logs_ingestion.requests, counts.logs_ingestion.rows),
    };
    (requests, rows.get(TABLE).copied().unwrap_or(0))
}

pub(super) fn rule() -> LogsIngestionConfig {
    let streams = streams().map(|(stream, table, columns)| {
        let columns = serde_json::json!({"columns": declared(&columns)});
        StreamDeclaration::from_json(stream, table, &columns).expect("the schema is valid in Azure")
    });
    LogsIngestionConfig { streams: streams.into(), ..LogsIngestionConfig::default() }
}
