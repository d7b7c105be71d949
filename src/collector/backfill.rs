//! Backfill: whole hours of a log are read again, beside the live log and without moving its checkpoint.
//!
//! It uses the live log's ledger, so that nothing is sent again of which the ids are still stored, and a checkpoint of its
//! own, so that it resumes where it was interrupted. It makes half as many requests as the live log may make beside it, and
//! pauses while the live log backs off from throttling.

mod plan;
mod run;

use chrono::TimeDelta;

use crate::model::{Hour, LogType, Millis, Span};
use crate::storage::StorageError;
use crate::sync::RunCounts;

/// Duo keeps 180 days; a request at exactly that border is refused by the time it arrives.
const RETENTION: TimeDelta = TimeDelta::days(179);
const CONCURRENCY: usize = 8;

/// Whole hours of one log to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backfill {
    pub log_type: LogType,
    pub span: Span,
}

impl Backfill {
    /// Names its checkpoint. The same hours have the same name, so that the same command resumes them.
    pub(super) fn id(&self) -> String {
        let (from, to) = (Hour::of(self.span.from), Hour::of(self.span.to));
        format!("{from}--{to}")
    }

    /// The backfill of a name; `None` where it is no name of a backfill.
    fn of_id(log_type: LogType, id: &str) -> Option<Self> {
        let (from, to) = id.split_once("--")?;
        let (from, to) = (Hour::parse(from)?.start(), Hour::parse(to)?.start());
        let span = Span { from, to };
        (from < to).then_some(Self { log_type, span })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackfillPlan {
    pub backfill: Backfill,
    /// Rows that were delivered and whose ids are gone: they would be delivered again.
    pub may_repeat: u64,
    /// Collected hours of which that number is unknown.
    pub unknown_hours: u64,
    /// The first hour whose ids the live log kept when this was planned.
    ids_from: Option<Hour>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BackfillFault {
    #[error("Duo keeps 180 days; the earliest hour that can be asked for is {earliest}")]
    TooOld { earliest: Hour },
    #[error(
        "there is nothing to read before {place}, where the live log stands: it reads what follows by itself"
    )]
    NotYet { place: Millis },
    #[error("Duo does not give this log to this application")]
    NotGiven,
    /// Another backfill of some of these hours was begun: each would remove the ids that the other needs.
    #[error("a backfill of this log from {} to {} was begun and is not done", Hour::of(.0.from), Hour::of(.0.to))]
    Overlaps(Span),
    #[error(
        "{0} rows of the hours that are left were delivered before, and the ledger does not keep their ids any more"
    )]
    WouldRepeat(u64),
    /// The rows of this state go to another destination: rows delivered here would be missing there.
    #[error("the rows of this state go to another workspace or endpoint")]
    OtherDestination,
    #[error(transparent)]
    State(#[from] StorageError),
}

impl BackfillFault {
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::TooOld { .. } | Self::NotYet { .. } | Self::NotGiven => None,
            Self::Overlaps(_) => Some(
                "go on with that one first, by its own --from and --to; if nobody needs it, remove its text below backfill/ in \
                 the storage",
            ),
            Self::WouldRepeat(_) => {
                Some("the same command with --resend goes on and delivers them again")
            }
            Self::OtherDestination => Some(
                "use the settings of the function app: WORKSPACE_ID, or LOGS_INGESTION_ENDPOINT with LOGS_INGESTION_RULE_ID and \
                 LOGS_INGESTION_STREAM",
            ),
            Self::State(fault) => fault.hint.as_deref(),
        }
    }
}

/// Requests per minute of a backfill: half of those that the live log may make beside it.
pub(super) const fn share_of(calls_per_minute: u32) -> u32 {
    calls_per_minute.div_ceil(2)
}

/// Receives up to where a run has read the span, and what it did so far.
pub(crate) type Watcher = dyn Fn(Option<Millis>, &RunCounts) + Send + Sync;

#[cfg(test)]
mod tests {
    use super::{Backfill, share_of};
    use crate::model::{LogType, Millis, Span};

    #[test]
    fn half_of_the_calls_are_left_to_the_live_log() {
        // No limit stays none.
        assert_eq!([0, 1, 5, 10, 600].map(share_of), [0, 1, 3, 5, 300]);
    }

    #[test]
    fn the_same_hours_have_the_same_name() {
        let backfill = Backfill {
            log_type: LogType::Activity,
            span: Span { from: Millis(1_795_348_800_000), to: Millis(1_795_359_600_000) },
        };
        assert_eq!(backfill.id(), "2026-11-22T12--2026-11-22T15");
        assert_eq!(Backfill::of_id(LogType::Activity, &backfill.id()), Some(backfill));
        for odd in ["", "--", "2026-11-22T12", "2026-11-22T15--2026-11-22T12"] {
            assert_eq!(Backfill::of_id(LogType::Activity, odd), None, "{odd}");
        }
    }
}
