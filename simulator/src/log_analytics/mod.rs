//! The ingestion APIs of Azure Monitor: the HTTP Data Collector API and the Logs Ingestion API.

pub(crate) mod data_collector;
pub(crate) mod logs_ingestion;
pub(crate) mod tables;

/// The API through which rows come into a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IngestionApi {
    /// The HTTP Data Collector API.
    DataCollector,
    /// The Logs Ingestion API.
    LogsIngestion,
}
