//! How a run ended, what it did, and what is worth telling of it.

use serde::{Deserialize, Serialize};

use super::event::RowId;
use crate::model::Millis;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything that Duo shows was delivered.
    CaughtUp,
    /// More is there; the run's time was over.
    OutOfTime,
    /// More is there; the rate limit was reached.
    OutOfCalls,
    /// More may be there; the process was asked to end.
    Interrupted,
    /// The log waits until the given time.
    Parked {
        /// End of the pause.
        until: Millis,
        /// Why.
        cause: ParkCause,
    },
    /// Duo refuses a log that never answered.
    Unavailable {
        /// Whether to report it now (once a day).
        report: bool,
    },
    /// Another instance is at work on this log.
    HeldElsewhere,
    /// Somebody must act.
    Failed(Failure),
}

/// Why a log waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkCause {
    /// Duo asked for fewer calls.
    DuoThrottled,
    /// Duo could not be reached.
    DuoUnreachable,
    /// Duo refused the credentials.
    DuoCredentials,
    /// Azure Monitor asked for less.
    AzureThrottled,
    /// Azure Monitor could not be reached.
    AzureUnreachable,
    /// The ledger could not be written.
    StateUnreachable,
    /// A cause that a later release knows.
    #[serde(other)]
    Unknown,
}

/// Why a log cannot go on without somebody's help. The shell has the text of the last error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Duo refused something.
    Duo,
    /// Duo refused what was asked about closed hours; the live log was read.
    Check,
    /// Azure Monitor refused something.
    AzureMonitor,
    /// Azure Monitor refused records even alone, and the fault may not be theirs: it accepted no other record in this
    /// run, or refused too many.
    RecordsRefused,
    /// The state could not be read or written.
    State,
    /// The checkpoint, or the start that the settings name, lies in the future.
    Future,
    /// The rows of this state went somewhere else until a moment ago.
    OtherDestination {
        /// When this destination takes over, unless the other one is used again before.
        free_at: Millis,
    },
    /// A window could not be read to its end, twice.
    Window(WindowFault),
}

/// Why a window had to be started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowFault {
    /// Duo answered with a cursor it had given before.
    CursorRepeated,
    /// Duo refused its own cursor.
    CursorRefused,
    /// Fewer records came than Duo counted.
    CountShort,
}

/// Something worth telling that does not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A time span that Duo no longer keeps was never collected.
    Gap {
        /// First moment of the gap.
        from: Millis,
        /// First moment after it.
        to: Millis,
    },
    /// So many records share a second that Duo may hide more of them.
    CrowdedSecond {
        /// The second.
        second: Millis,
        /// Records seen in it.
        rows: usize,
    },
    /// Duo goes on counting records in a time span that it never shows.
    CountDisagrees {
        /// First moment of the span.
        from: Millis,
        /// Last moment of the span.
        to: Millis,
        /// Records that Duo counts.
        counted: u64,
        /// Records that Duo shows.
        shown: u64,
    },
    /// A window was started again.
    WindowRestarted(WindowFault),
    /// The rows of this state went somewhere else before.
    DestinationChanged,
    /// The local clock is ahead of Duo's by this many milliseconds.
    ClockAhead(i64),
    /// The claim of a process that ended was taken over.
    ClaimTakenOver,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls to Duo.
    pub requests: u64,
    /// Pages read.
    pub pages: u64,
    /// Calls that Azure Monitor accepted.
    pub calls: u64,
    /// Rows that Azure Monitor accepted.
    pub events: u64,
    /// Rows among them that were seen only after their window had been closed.
    pub late: u64,
    /// Records that had been delivered before and were not sent again.
    pub duplicates_dropped: u64,
    /// Checks of closed hours.
    pub checks: u64,
    /// Answers that asked for fewer calls.
    pub throttled: u64,
    /// Calls made again after a passing fault.
    pub retries: u64,
    /// Records whose originals were set aside.
    pub dead_letters: DeadLetterTally,
    /// Things worth telling.
    pub notices: Vec<Notice>,
}

/// Records whose originals a run set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterTally {
    /// Those whose rows go out with a value cut.
    pub cut: u64,
    /// Those that the service refused even alone.
    pub refused: u64,
    /// The first of them, to be named.
    pub named: Vec<RowId>,
}

/// Dead letters that are named in the report of a run.
const MOST_NAMED: usize = 10;

impl DeadLetterTally {
    /// All of them.
    pub const fn count(&self) -> u64 {
        self.cut + self.refused
    }

    pub(super) fn name(&mut self, id: RowId) {
        if self.named.len() < MOST_NAMED && !self.named.contains(&id) {
            self.named.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DeadLetterTally;

    #[test]
    fn dead_letters_are_counted_and_the_first_ten_named_once() {
        let mut tally = DeadLetterTally {
            cut: 2,
            refused: 3,
            named: Vec::new(),
        };
        assert_eq!(tally.count(), 5);
        for number in (0..12).chain(0..12) {
            tally.name([number; 20]);
        }
        let first: Vec<_> = (0..10).map(|number| [number; 20]).collect();
        assert_eq!(tally.named, first);
    }
}
