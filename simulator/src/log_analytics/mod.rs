//! Azure Monitor's two ways in: the HTTP Data Collector API and the Logs Ingestion API.

pub(crate) mod data_collector;
pub(crate) mod logs_ingestion;
pub(crate) mod tables;
