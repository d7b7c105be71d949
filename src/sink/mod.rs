//! Azure Monitor: a call returns only when it was accepted.

mod data_collector;
mod error;

pub use data_collector::{DataCollector, MAX_CALL_BYTES, MAX_FIELD_BYTES};
pub use error::SinkError;
