//! Ending a run: giving the claim back, or with a pause that outlives it.

use super::{After, LogRun};
use crate::model::{MINUTE, Millis};
use crate::sync::checkpoint::Parked;
use crate::sync::ending::{Ending, Failure, ParkCause};
use crate::sync::event::Action;

/// Longest pause that Duo's `Retry-After` is followed for.
const LONGEST_RETRY_AFTER: i64 = 15 * MINUTE;
/// Multiples of the first pause when Duo keeps refusing.
const LADDER: [i64; 3] = [1, 2, 5];

impl LogRun {
    /// Ends the run, giving the claim back first if it is held.
    pub(super) fn finish(&mut self, ending: Ending) -> Action {
        let ending = self.in_view_of_the_rest(ending);
        if !self.holds_claim() {
            return Action::Stop(ending);
        }
        let mut draft = self.stored().clone();
        draft.claim = None;
        self.save(draft, After::Stop(ending))
    }

    /// Checks that are left to the next run do not keep the log from having caught up; records that nobody knows what to
    /// do with do, and a refused check is told of.
    pub(super) fn in_view_of_the_rest(&self, ending: Ending) -> Ending {
        match ending {
            Ending::CaughtUp | Ending::OutOfTime | Ending::OutOfCalls
                if self.refused.keeps_place() =>
            {
                Ending::Failed(Failure::RecordsRefused)
            }
            Ending::CaughtUp | Ending::OutOfTime | Ending::OutOfCalls if self.check_is_refused => {
                Ending::Failed(Failure::Check)
            }
            Ending::OutOfTime | Ending::OutOfCalls
                if self.live_is_done && self.limits.backfill.is_none() =>
            {
                Ending::CaughtUp
            }
            ending => ending,
        }
    }

    /// Ends the run with a pause that outlives it.
    pub(super) fn park(&mut self, until: Millis, cause: ParkCause, ending: Ending) -> Action {
        let mut draft = self.stored().clone();
        let strikes = draft
            .parked
            .map_or(0, |parked| parked.strikes)
            .saturating_add(1);
        draft.parked = Some(Parked {
            not_before: until,
            strikes,
            cause,
        });
        draft.claim = None;
        self.save(draft, After::Stop(ending))
    }

    /// Parks for as long as the service asks, or else a step longer each time.
    pub(super) fn park_a_while(
        &mut self,
        retry_after: Option<i64>,
        cause: ParkCause,
        now: Millis,
    ) -> Action {
        let pause = match retry_after {
            Some(asked) => asked.clamp(0, LONGEST_RETRY_AFTER),
            None => self.pause_step(),
        };
        let until = now + pause;
        self.park(until, cause, Ending::Parked { until, cause })
    }

    /// The next pause where nobody says how long: a step longer each time.
    pub(super) fn pause_step(&mut self) -> i64 {
        let strikes = self.stored().parked.map_or(0, |parked| parked.strikes);
        let step = usize::try_from(strikes)
            .unwrap_or(usize::MAX)
            .min(LADDER.len() - 1);
        let pause = self.limits.park * LADDER[step];
        // Up to a fifth longer, so that logs refused together do not come back together.
        pause + self.chance.i64(0..=pause / 5)
    }
}
