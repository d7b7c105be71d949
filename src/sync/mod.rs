//! The core: one run of one log, as straight-line code over [`Ports`].
//!
//! [`run_log`] is a run. `deliver` keeps the order that guarantees delivery: a batch is sent, its
//! ids are appended to the delivery ledger, and the checkpoint advances only after the last batch
//! of a page. Live collection, reconciliation and backfill share it.
//!
//! No code here uses a clock, a socket, a file or a global; tests run it on simulated ports.

mod admission;
mod back_off;
mod checkpoint;
mod dedup;
mod deliver;
mod fetch;
mod hours;
mod last_second;
mod lease;
mod live;
mod outcome;
mod paging;
mod ports;
mod reconcile;
mod refused;
mod results;
mod run;
mod schedule;
mod state;
mod stop;
#[cfg(test)]
mod tests;
mod token_bucket;
mod update;
mod window;

pub use checkpoint::{BackOff, BackOffCause, Checkpoint, Destination, Halvings};
pub(crate) use dedup::kind_when_resent;
pub use hours::{DayResults, HourResult, HourState};
pub use outcome::RunCounts;
pub(crate) use outcome::{
    DeadLetterStats, Failure, RunError, RunOutcome, RunResult, RunStats, Warning,
};
pub use ports::Ports;
pub use run::run_log;
pub(crate) use token_bucket::ACCOUNT_SHARE;
pub use token_bucket::TokenBucket;

use crate::model::{LogSpec, LogType, Millis, Span};
use crate::settings::Limits;

/// The settings of a run of one log.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The log.
    pub log_type: LogType,
    /// Properties of the log's endpoint.
    pub spec: LogSpec,
    /// Rate and time limits.
    pub limits: Limits,
    /// Maximum request body to Azure Monitor, in bytes.
    pub max_batch_bytes: usize,
    /// Start of collection if the log has neither checkpoint nor ledger, and whether
    /// `CISCO_DUO_START_TIME` sets it.
    pub start: (Millis, bool),
    /// The whole hours to read again, once, instead of the live log.
    pub backfill: Option<Span>,
    /// Identity of this process.
    pub owner: String,
    /// Fingerprint of the destination of the rows.
    pub destination: String,
}
