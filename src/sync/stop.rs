//! What ends a run early: an outcome, the error behind it, and what its last write of the checkpoint says.

use chrono::TimeDelta;

use super::checkpoint::BackOffCause;
use super::outcome::{Failure, RunError, RunOutcome};
use crate::model::Millis;
use crate::storage::StorageError;

/// Longest pause that a `Retry-After` is followed for.
pub(super) const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);
const CREDENTIALS_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// Multiples of the first pause when requests keep failing.
pub(super) const LADDER: [i32; 3] = [1, 2, 5];

#[derive(Debug)]
pub(super) struct Stop {
    pub(super) outcome: RunOutcome,
    pub(super) error: Option<Box<RunError>>,
    pub(super) last_write: LastWrite,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LastWrite {
    /// How far the run came, without its lease.
    Progress,
    /// The same, and no request before the given time.
    BackOff { retry_at: Millis, cause: BackOffCause },
    /// The same, and that Duo refuses the log.
    Unavailable,
    /// There is none: storage failed, or another instance wrote.
    None,
}

impl Stop {
    pub(super) const fn at(outcome: RunOutcome) -> Self {
        Self { outcome, error: None, last_write: LastWrite::Progress }
    }

    pub(super) fn failed(failure: Failure, error: impl Into<RunError>) -> Self {
        let error = Some(Box::new(error.into()));
        Self { outcome: RunOutcome::Failed(failure), error, last_write: LastWrite::Progress }
    }

    /// Storage failed: nothing more is written.
    pub(super) fn storage(error: StorageError) -> Self {
        Self { last_write: LastWrite::None, ..Self::failed(Failure::Storage, error) }
    }

    /// Another instance wrote the checkpoint since this run read it.
    pub(super) fn lease_lost() -> Self {
        Self { last_write: LastWrite::None, ..Self::at(RunOutcome::LeaseHeld) }
    }

    pub(super) fn back_off(
        retry_at: Millis,
        cause: BackOffCause,
        error: impl Into<RunError>,
    ) -> Self {
        Self {
            outcome: RunOutcome::BackingOff { until: retry_at, cause },
            error: Some(Box::new(error.into())),
            last_write: LastWrite::BackOff { retry_at, cause },
        }
    }

    /// Duo refused the credentials twice: no request for five minutes.
    pub(super) fn credentials(now: Millis, error: impl Into<RunError>) -> Self {
        let retry_at = now + CREDENTIALS_PAUSE;
        let last_write = LastWrite::BackOff { retry_at, cause: BackOffCause::DuoCredentials };
        Self { last_write, ..Self::failed(Failure::Duo, error) }
    }
}

/// Longest pause that any rule sets, with room for jitter; a longer one was written by a wrong clock.
pub(super) const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(75);
