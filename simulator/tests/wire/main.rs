//! The simulators over real connections.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod caller;
mod data_collector;
mod declaration;
mod duo;
mod flat;
mod flat_verification;
mod identity;
mod logs_ingestion;
mod tables;
mod tenant;
mod verification;
