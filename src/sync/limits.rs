use chrono::TimeDelta;

use crate::model::{LogSpec, LogType, Millis, Span};
use crate::settings::Pace;

/// How far back Duo keeps logs. A request at exactly 180 days is refused by the time it arrives.
pub(super) const RETENTION: TimeDelta = TimeDelta::days(179);

/// The settings and facts that a run of a log is decided by.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The log.
    pub log_type: LogType,
    /// What Duo does differently for it.
    pub spec: LogSpec,
    /// How requests are paced.
    pub pace: Pace,
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
