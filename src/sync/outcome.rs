//! Outcome, statistics and warnings of a run.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::checkpoint::{BackOffCause, Checkpoint};
use super::hours::HourState;
use crate::model::{FetchError, Hour, Millis, RecordKey, SendError};
use crate::storage::StorageError;

#[derive(Debug)]
pub struct RunResult {
    pub outcome: RunOutcome,
    /// The last error, if the outcome has one.
    pub error: Option<RunError>,
    /// The stored checkpoint; after an idle run, with its unsaved progress. `None` if no
    /// checkpoint could be read.
    pub checkpoint: Option<Checkpoint>,
    pub stats: RunStats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything that Duo returns was delivered.
    CaughtUp,
    /// More events are left; the run time limit was reached.
    OutOfTime,
    /// More events are left; the rate limit was reached.
    RateLimited,
    /// The run ended early because a shutdown was requested.
    ShutdownRequested,
    /// The log makes no request until the given time.
    BackingOff {
        until: Millis,
        cause: BackOffCause,
    },
    /// Duo refuses the log; `report` is true once a day.
    Unavailable {
        report: bool,
    },
    LeaseHeld,
    /// An operator must act.
    Failed(Failure),
}

/// Why a log cannot continue without an operator. [`RunResult::error`] has the last error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("Duo refused the request")]
    Duo,
    #[error("the log is collected, but Duo refuses the requests that reconcile closed hours")]
    Reconciliation,
    #[error("Azure Monitor refused the request")]
    AzureMonitor,
    /// The records may be valid: Azure Monitor accepted no other record, or refused too many.
    #[error("records were refused when sent alone")]
    RecordsRefused,
    #[error("the state could not be read or written")]
    Storage,
    #[error("the start time is in the future")]
    Future,
    #[error(
        "within the last 15 minutes, rows of this log were sent to another workspace, endpoint or API; nothing is sent to this one before {free_at}"
    )]
    OtherDestination { free_at: Millis },
    #[error("{0}, twice; the checkpoint is kept")]
    Window(WindowError),
}

/// Why a window was restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("Duo returned a cursor that it had returned before")]
    CursorRepeated,
    #[error("Duo refused its own cursor")]
    CursorRefused,
    #[error("Duo returned fewer records than it counted")]
    CountShort,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The records are neither delivered nor dead-lettered.
    #[error("records were refused when sent alone: event_uid {} ({last})", uids(refused))]
    RecordsRefused { refused: Vec<RecordKey>, last: SendError },
}

fn uids(keys: &[RecordKey]) -> String {
    let uids: Vec<String> = keys.iter().map(|key| hex::encode(key.uid)).collect();
    uids.join(", ")
}

/// A condition that is reported and does not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error(
        "gap: events from {from} to {to} are older than Duo's retention and were not collected"
    )]
    Gap { from: Millis, to: Millis },
    #[error(
        "possible gap: the second {second} holds {rows} records or more, and Duo's endpoint has no way to read the rest of it"
    )]
    PageLimitExceeded { second: Millis, rows: usize },
    #[error(
        "completeness is unknown from {from} to {to}: Duo counts {counted} records and returns {returned}, also when they \
         are read again; collection continues"
    )]
    CountDisagrees { from: Millis, to: Millis, counted: u64, returned: u64 },
    #[error(
        "completeness is unknown in the hour {hour}: Duo returned a full page without a cursor, and all its records \
         share one millisecond, so other records of that millisecond cannot be read; collection continues"
    )]
    CursorMissing { hour: Hour },
    #[error(
        "the checkpoint was deleted; collection continues after the last settled hour in the ledger, at {from}"
    )]
    CheckpointRestored { from: Millis },
    #[error(
        "gap: the checkpoint was deleted, and CISCO_DUO_START_TIME is later than the last hour in the ledger: events from \
         {from} to {to} are not read"
    )]
    StartAfterLedger { from: Millis, to: Millis },
    #[error("{0}; the window is read again")]
    WindowRestarted(WindowError),
    #[error(
        "the rows of this log went to another workspace before; from now on they go to this one"
    )]
    DestinationChanged,
    #[error("the local clock is {} s ahead of Duo's; windows are closed by Duo's clock", .0.num_seconds())]
    ClockAhead(TimeDelta),
    #[error("a process ended in the middle of this log; its lease was taken over")]
    LeaseTakenOver,
}

/// Counts of one or more runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunCounts {
    /// Rows that Azure Monitor accepted.
    pub events: u64,
    /// Accepted rows of late events.
    pub late: u64,
    /// Dead-lettered records: delivered with a truncated value, or refused even alone.
    pub dead_letters: u64,
    /// Records that were not sent because they were delivered before.
    pub deduplicated: u64,
    /// Pages that Duo returned.
    pub pages: u64,
    /// Requests to Duo.
    pub requests: u64,
    /// Responses with HTTP 429.
    pub throttled: u64,
    /// Retries after a transient error.
    pub retries: u64,
}

impl AddAssign for RunCounts {
    fn add_assign(&mut self, other: Self) {
        // Stored counts can be damaged.
        let add = |sum: &mut u64, more| *sum = sum.saturating_add(more);
        add(&mut self.events, other.events);
        add(&mut self.late, other.late);
        add(&mut self.dead_letters, other.dead_letters);
        add(&mut self.deduplicated, other.deduplicated);
        add(&mut self.pages, other.pages);
        add(&mut self.requests, other.requests);
        add(&mut self.throttled, other.throttled);
        add(&mut self.retries, other.retries);
    }
}

/// Statistics of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// The counts; `dead_letters` is set at the end of the run.
    pub counts: RunCounts,
    pub dead_letters: DeadLetterStats,
    /// Number of ledger entries that the run appended, per hour.
    pub entries: BTreeMap<Hour, u64>,
    pub reconciled: Vec<(Hour, HourState)>,
    pub warnings: Vec<Warning>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterStats {
    /// Records delivered with a truncated value.
    pub truncated: u64,
    /// Records that Azure Monitor refused even alone.
    pub refused: u64,
    /// Keys of the first ten.
    pub named: Vec<RecordKey>,
}

const MAX_NAMED: usize = 10;

impl DeadLetterStats {
    pub const fn count(&self) -> u64 {
        self.truncated + self.refused
    }

    pub(super) fn name(&mut self, key: RecordKey) {
        if self.named.len() < MAX_NAMED && !self.named.contains(&key) {
            self.named.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DeadLetterStats;
    use crate::model::RecordKey;

    #[test]
    fn dead_letters_are_counted_and_the_first_ten_named_once() {
        let mut stats = DeadLetterStats { truncated: 2, refused: 3, named: Vec::new() };
        assert_eq!(stats.count(), 5);
        let key = |number| RecordKey { uid: [number; 20], content: [number; 4] };
        for number in (0..12).chain(0..12) {
            stats.name(key(number));
        }
        let first: Vec<_> = (0..10).map(key).collect();
        assert_eq!(stats.named, first);
    }
}
