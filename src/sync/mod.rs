//! The core: one run of one log, as straight-line code over [`Ports`].
//!
//! [`run_log`] is a run. `deliver` has the order that is the promise: a batch is sent, its ids go to the delivery ledger, and
//! only after the last batch of a page does the checkpoint advance. Live collection, reconciliation and backfill share it.
//!
//! Nothing here touches a clock, a socket, a file or a global: the tests run this same code on simulated ports.

mod admission;
mod checkpoint;
mod dedup;
mod deliver;
mod fetch;
mod hours;
mod last_second;
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
mod window;

pub use checkpoint::{BackOff, BackOffCause, Checkpoint, Destination};
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

/// The settings and facts that a run of a log is decided by.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The log.
    pub log_type: LogType,
    /// What is special about the log.
    pub spec: LogSpec,
    /// How fast it is collected.
    pub limits: Limits,
    /// Largest request body to Azure Monitor, in bytes.
    pub max_batch_bytes: usize,
    /// Where the first run of this log begins.
    pub first_mintime: Millis,
    /// The span of whole hours that is read again, once, instead of the live log.
    pub backfill: Option<Span>,
    /// Identity of this process.
    pub owner: String,
    /// Fingerprint of the destination of the rows.
    pub destination: String,
}
