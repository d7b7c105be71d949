//! The end of a run: its outcome, the error, and the last write of the checkpoint.

use chrono::TimeDelta;

use super::checkpoint::BackOffCause;
use super::outcome::{Failure, RunError, RunOutcome};
use super::ports::Ports;
use super::state::Run;
use crate::model::Millis;
use crate::storage::StorageError;

/// Longest `Retry-After` that is respected.
const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);
const CREDENTIALS_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// Consecutive pauses as multiples of the first one.
const LADDER: [i32; 3] = [1, 2, 5];

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

impl<P: Ports> Run<'_, P> {
    /// Backs off for `retry_after`, or for the next longer pause.
    pub(super) fn back_off(
        &self,
        retry_after: Option<TimeDelta>,
        cause: BackOffCause,
        error: impl Into<RunError>,
    ) -> Stop {
        let pause = match retry_after {
            Some(pause) => pause.clamp(TimeDelta::zero(), LONGEST_RETRY_AFTER),
            None => self.next_pause(),
        };
        Stop::back_off(self.now() + pause, cause, error)
    }

    /// The stop after a failed ledger write backs off, because the batch will be sent again.
    pub(super) fn ledger_failed(&self, error: StorageError) -> Stop {
        Stop {
            outcome: RunOutcome::Failed(Failure::Storage),
            ..self.back_off(None, BackOffCause::StorageUnreachable, error)
        }
    }

    /// The next pause without `Retry-After`, longer each time.
    fn next_pause(&self) -> TimeDelta {
        let count = self.checkpoint.back_off.map_or(0, |before| before.count);
        let step = usize::try_from(count).unwrap_or(usize::MAX).min(LADDER.len() - 1);
        let pause = self.config.limits.throttle_backoff * LADDER[step];
        // Up to a fifth shorter, so that logs throttled together do not resume together, and at
        // least two seconds, so that the timer's tick at the end of the pause is not missed.
        let longest = pause.num_milliseconds() / 5;
        let jitter = TimeDelta::milliseconds(self.ports.random(longest.min(2_000)..=longest));
        // Ticks follow the start of the run, which may have lasted for a while.
        let elapsed = self.now() - (self.deadline - self.config.limits.run_time_limit);
        (pause - jitter - elapsed).max(pause / 2)
    }
}
