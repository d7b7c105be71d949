use serde::{Deserialize, Serialize};

/// An ingestion API of Azure Monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestionApi {
    /// The HTTP Data Collector API: workspace ID and shared key; Azure Monitor creates the columns.
    DataCollector,
    /// The Logs Ingestion API: an identity and a data collection rule, which declares the columns.
    LogsIngestion,
}

impl IngestionApi {
    /// Maximum request body, in bytes of JSON. The Data Collector API accepts 30 MB, but smaller
    /// batches duplicate less. The Logs Ingestion API: 1 MB "both compressed and uncompressed".
    pub const fn largest_body(self) -> usize {
        match self {
            Self::DataCollector => 5_000_000,
            Self::LogsIngestion => 1_000_000,
        }
    }

    /// Maximum row that the API accepts, in bytes of JSON.
    pub const fn largest_row(self) -> usize {
        // Less the brackets of the array.
        match self {
            Self::DataCollector => 30_000_000 - 2,
            Self::LogsIngestion => self.largest_body() - 2,
        }
    }

    /// Maximum value of a column, in bytes. The APIs silently truncate values to 32 KB and 64 KB;
    /// whether a KB has 1000 or 1024 bytes is undocumented, so the smaller one is used.
    pub const fn largest_value(self) -> usize {
        match self {
            Self::DataCollector => 32_000,
            Self::LogsIngestion => 64_000,
        }
    }
}
