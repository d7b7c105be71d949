//! The end of a run: its outcome, the error, and the last write of the checkpoint.

use chrono::TimeDelta;

use super::checkpoint::BackOffCause;
use super::outcome::{Failure, RunError, RunOutcome};
use crate::model::Millis;
use crate::storage::StorageError;

const CREDENTIALS_PAUSE: TimeDelta = TimeDelta::minutes(5);

#[derive(Debug)]
pub(super) struct Stop {
    pub(super) outcome: RunOutcome,
    pub(super) error: Option<Box<RunError>>,
    pub(super) last_write: LastWrite,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LastWrite {
    /// Saves the progress and releases the lease.
    Progress,
    /// As `Progress`, and sets a back-off.
    BackOff { retry_at: Millis, cause: BackOffCause },
    /// As `Progress`, and marks the log as unavailable.
    Unavailable,
    /// Writes nothing: storage failed, or another instance wrote the checkpoint.
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

    /// Storage failed; the run writes nothing more.
    pub(super) fn storage(error: StorageError) -> Self {
        Self { last_write: LastWrite::None, ..Self::failed(Failure::Storage, error) }
    }

    /// Another instance wrote the checkpoint during this run.
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

    /// Duo refused the credentials twice; backs off for five minutes.
    pub(super) fn credentials(now: Millis, error: impl Into<RunError>) -> Self {
        let retry_at = now + CREDENTIALS_PAUSE;
        let last_write = LastWrite::BackOff { retry_at, cause: BackOffCause::DuoCredentials };
        Self { last_write, ..Self::failed(Failure::Duo, error) }
    }
}

/// Longest possible pause including jitter; a longer one was written by a wrong clock.
pub(super) const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(75);
