//! Pauses between runs.

use chrono::TimeDelta;

use super::checkpoint::BackOffCause;
use super::outcome::{Failure, RunError, RunOutcome};
use super::ports::Ports;
use super::state::Run;
use super::stop::Stop;
use crate::storage::StorageError;

/// Longest pause after a `Retry-After`; a longer one is reduced to it.
const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);
/// Consecutive pauses, as multiples of `throttle_backoff`; the last one repeats.
const LADDER: [i32; 3] = [1, 2, 5];

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

    /// The stop after a failed ledger write. The log backs off, because the next run sends the
    /// batch again.
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
        // A tick is due a minute after the start of the run, so the pause counts from there.
        let elapsed = self.now() - (self.deadline - self.config.limits.run_time_limit);
        (pause - jitter - elapsed).max(pause / 2)
    }
}
