//! How a run ended, what it did, and what is worth reporting of it.

use std::ops::AddAssign;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::checkpoint::{BackOffCause, Checkpoint};
use super::hours::HourState;
use crate::model::{FetchError, Hour, Millis, RecordKey, SendError};
use crate::storage::StorageError;

/// What one run of one log left behind.
#[derive(Debug)]
pub struct RunResult {
    /// How it ended.
    pub outcome: RunOutcome,
    /// The error that led there, where there was one.
    pub error: Option<RunError>,
    /// The checkpoint as stored last; none where it could not be read.
    pub checkpoint: Option<Checkpoint>,
    /// What the run did.
    pub stats: RunStats,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything that Duo returns was delivered.
    CaughtUp,
    /// There is more; the run time limit was reached.
    OutOfTime,
    /// There is more; the rate limit was reached.
    RateLimited,
    /// There may be more; the process was asked to shut down.
    ShutdownRequested,
    /// The log makes no request until the given time.
    BackingOff {
        /// End of the pause.
        until: Millis,
        /// Why.
        cause: BackOffCause,
    },
    /// Duo refuses a log that never answered, or ended it.
    Unavailable {
        /// Whether to report it now (once a day).
        report: bool,
    },
    /// Another instance holds the lease.
    LeaseHeld,
    /// An operator must act.
    Failed(Failure),
}

/// Why a log cannot continue by itself. [`RunResult::error`] has the last error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Duo refused a request.
    Duo,
    /// Duo refused a reconciliation request; the live log was read.
    Reconciliation,
    /// Azure Monitor refused a batch.
    AzureMonitor,
    /// Azure Monitor refused single records, and the batch may not be at fault: it accepted no other record in this run,
    /// or refused too many.
    RecordsRefused,
    /// The state could not be read or written.
    Storage,
    /// The checkpoint, or the start that the settings name, lies in the future.
    Future,
    /// The rows of this state went to another destination until a moment ago.
    OtherDestination {
        /// When this destination takes over, unless the other one is used again before.
        free_at: Millis,
    },
    /// A window could not be read to its end, twice.
    Window(WindowError),
}

/// Why a window had to be started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowError {
    /// Duo returned a cursor that it had returned before.
    CursorRepeated,
    /// Duo refused its own cursor.
    CursorRefused,
    /// Fewer records came than Duo counted.
    CountShort,
}

/// The error that ended a run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    /// Duo gave no page.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Azure Monitor did not accept a batch.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The state could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Azure Monitor refused single records.
    #[error("records were refused one by one: event_uid {} ({last})", uids(refused))]
    RecordsRefused {
        /// The records that are neither delivered nor dead-lettered.
        refused: Vec<RecordKey>,
        /// The last refusal.
        last: SendError,
    },
}

fn uids(keys: &[RecordKey]) -> String {
    let uids: Vec<String> = keys.iter().map(|key| hex::encode(key.uid)).collect();
    uids.join(", ")
}

/// Something to report that does not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A time span that Duo no longer keeps was never collected.
    Gap {
        /// First moment of the gap.
        from: Millis,
        /// First moment after it.
        to: Millis,
    },
    /// So many records share a second that Duo may hide more of them.
    PageLimitExceeded {
        /// The second.
        second: Millis,
        /// Records seen in it.
        rows: usize,
    },
    /// Duo counts more records in a time span than it returns, also when it is read again.
    CountDisagrees {
        /// First moment of the span.
        from: Millis,
        /// Last moment of the span.
        to: Millis,
        /// Records that Duo counts.
        counted: u64,
        /// Records that Duo returned.
        returned: u64,
    },
    /// A window was started again.
    WindowRestarted(WindowError),
    /// The rows of this state went to another destination before.
    DestinationChanged,
    /// The local clock is ahead of Duo's by this much.
    ClockAhead(TimeDelta),
    /// The lease of a process that ended was taken over.
    LeaseTakenOver,
}

/// What runs did, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunCounts {
    /// Rows that Azure Monitor accepted.
    pub events: u64,
    /// Rows among them that were seen only after their window had been closed.
    pub late: u64,
    /// Records whose originals were dead-lettered: delivered with a value truncated, or refused even alone.
    pub dead_letters: u64,
    /// Records that had been delivered before and were not sent again.
    pub duplicates_dropped: u64,
    /// Pages that Duo returned.
    pub pages: u64,
    /// Requests to Duo.
    pub requests: u64,
    /// Responses with HTTP 429.
    pub throttled: u64,
    /// Requests repeated after a transient error.
    pub retries: u64,
}

impl AddAssign for RunCounts {
    fn add_assign(&mut self, other: Self) {
        // Stored counts can be damaged.
        let add = |sum: &mut u64, more| *sum = sum.saturating_add(more);
        add(&mut self.events, other.events);
        add(&mut self.late, other.late);
        add(&mut self.dead_letters, other.dead_letters);
        add(&mut self.duplicates_dropped, other.duplicates_dropped);
        add(&mut self.pages, other.pages);
        add(&mut self.requests, other.requests);
        add(&mut self.throttled, other.throttled);
        add(&mut self.retries, other.retries);
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// All of it that is counted; the dead letters at the end of the run.
    pub counts: RunCounts,
    /// Records whose originals were dead-lettered.
    pub dead_letters: DeadLetterStats,
    /// Closed hours that were reconciled, and their states.
    pub reconciled: Vec<(Hour, HourState)>,
    /// Things to report.
    pub warnings: Vec<Warning>,
}

/// Records whose originals a run dead-lettered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterStats {
    /// Those whose rows go out with a value truncated.
    pub truncated: u64,
    /// Those that the service refused one by one.
    pub refused: u64,
    /// The first ten of them, to be named.
    pub named: Vec<RecordKey>,
}

/// Dead letters that are named in the report of a run.
const MAX_NAMED: usize = 10;

impl DeadLetterStats {
    /// All of them.
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
