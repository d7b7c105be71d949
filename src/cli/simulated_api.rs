//! The ingestion APIs of the simulated Azure Monitor.

use simulator::{LogsIngestionConfig, Simulator, StreamDeclaration, Target};

use crate::schema::{TABLE, declared, streams};

/// The ingestion API that rows are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SimulatedApi {
    /// The HTTP Data Collector API.
    DataCollector,
    /// The Logs Ingestion API.
    LogsIngestion,
}

impl SimulatedApi {
    /// The API that `--logs-ingestion` selects.
    pub(super) const fn of(logs_ingestion: bool) -> Self {
        if logs_ingestion {
            Self::LogsIngestion
        } else {
            Self::DataCollector
        }
    }

    /// The target of its faults.
    pub(super) const fn target(self) -> Target {
        match self {
            Self::DataCollector => Target::LogAnalytics,
            Self::LogsIngestion => Target::LogsIngestion,
        }
    }

    /// Settings that select it.
    pub(super) fn settings(self, simulator: &Simulator) -> Vec<(&'static str, String)> {
        let config = simulator.config();
        match self {
            Self::DataCollector => vec![
                ("WORKSPACE_ID", config.workspace_id.clone()),
                ("SHARED_KEY", config.shared_key.clone()),
                ("logAnalyticsUri", simulator.log_analytics_url()),
            ],
            Self::LogsIngestion => vec![
                ("LOGS_INGESTION_ENDPOINT", simulator.logs_ingestion_url()),
                (
                    "LOGS_INGESTION_RULE_ID",
                    config.logs_ingestion.rule_id.clone(),
                ),
                // What App Service sets where the app has an identity.
                ("IDENTITY_ENDPOINT", simulator.identity_url()),
                ("IDENTITY_HEADER", config.identity.header.clone()),
            ],
        }
    }

    /// Requests that it received, and events that it accepted.
    pub(super) fn requests_and_rows(self, simulator: &Simulator) -> (u64, u64) {
        let calls = simulator.calls();
        let (requests, rows) = match self {
            Self::DataCollector => (calls.log_analytics.requests, calls.log_analytics.rows),
            Self::LogsIngestion => (calls.logs_ingestion.requests, calls.logs_ingestion.rows),
        };
        (requests, rows.get(TABLE).copied().unwrap_or(0))
    }
}

/// A data collection rule with the connector's streams.
pub(super) fn rule() -> LogsIngestionConfig {
    let streams = streams().map(|(stream, table, columns)| {
        let columns = serde_json::json!({"columns": declared(&columns)});
        StreamDeclaration::from_json(stream, table, &columns)
            .expect("the schema table keeps to what Azure allows")
    });
    LogsIngestionConfig {
        streams: streams.into(),
        ..LogsIngestionConfig::default()
    }
}
