//! The settings and facts that a run is decided by.

use chrono::TimeDelta;

use crate::model::{LogType, Millis, Span};

/// How far back Duo keeps logs. A request at exactly 180 days is refused by the time it arrives.
pub(super) const RETENTION: TimeDelta = TimeDelta::days(179);

/// The settings and facts that a run of a log is decided by.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The log.
    pub log_type: LogType,
    /// How its pages follow one another.
    pub page_order: PageOrder,
    /// Whether 403, 404 and 410 always mean "retired or not licensed".
    pub may_be_retired: bool,
    /// How far behind now a window ends.
    pub window_delay: TimeDelta,
    /// Longest window.
    pub longest_window: TimeDelta,
    /// Requests per minute for one log; 0 for no limit.
    pub requests_per_minute: u32,
    /// First pause after a 429 without `Retry-After`.
    pub throttle_backoff: TimeDelta,
    /// No request begins later than this after the start of the run.
    pub run_time_limit: TimeDelta,
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

/// How the pages of a log follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOrder {
    /// By a cursor, oldest first, with a count of the records.
    Sorted,
    /// By a cursor, in no promised order and without a count.
    Unsorted,
    /// Without a cursor: the last second is read again (the v1 logs).
    LastSecond,
}

impl PageOrder {
    /// Whether pages follow a cursor.
    pub const fn has_cursor(self) -> bool {
        !matches!(self, Self::LastSecond)
    }

    /// Whether Duo counts the records of a request.
    pub const fn has_counts(self) -> bool {
        matches!(self, Self::Sorted)
    }
}
