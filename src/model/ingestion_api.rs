use serde::{Deserialize, Serialize};

/// An API of Azure Monitor that takes rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestionApi {
    /// The HTTP Data Collector API: workspace ID and shared key; the service makes the columns.
    /// <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api>
    DataCollector,
    /// The Logs Ingestion API: an identity and a data collection rule; the connector names the columns.
    /// <https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>
    LogsIngestion,
}

impl IngestionApi {
    /// Largest body that is sent, in bytes of JSON. The Data Collector takes 30 MB; smaller calls repeat less. The limit of
    /// the other is 1 MB "both compressed and uncompressed".
    pub const fn largest_call(self) -> usize {
        match self {
            Self::DataCollector => 5_000_000,
            Self::LogsIngestion => 1_000_000,
        }
    }

    /// Largest row that the service can take, in bytes of JSON.
    pub const fn largest_row(self) -> usize {
        // With the brackets of the array.
        match self {
            Self::DataCollector => 30_000_000 - 2,
            Self::LogsIngestion => self.largest_call() - 2,
        }
    }

    /// Largest value of a column, in bytes. The services keep 32 KB and 64 KB and cut what is longer without a word; they
    /// do not say whether a KB has 1000 or 1024 bytes, so what is safe is taken.
    pub const fn largest_value(self) -> usize {
        match self {
            Self::DataCollector => 32_000,
            Self::LogsIngestion => 64_000,
        }
    }
}
