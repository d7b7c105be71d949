//! What a run begins with: may it work on this log, and on which window?

use super::LogRun;
use crate::model::{HOUR, MINUTE, Millis};
use crate::plan::ending::{Ending, Failure, Notice};
use crate::plan::event::Action;
use crate::plan::window::{Reread, Window};

/// Duo keeps 180 days; a request at exactly that border is refused by the time it arrives.
pub(super) const RETENTION: i64 = 179 * 24 * HOUR;
/// A claim that ends later than this was written by a clock that is wrong; it is not waited for.
const LONGEST_CLAIM: i64 = 10 * MINUTE;
/// How long another destination must have been silent before this one takes over.
const HANDOVER: i64 = 15 * MINUTE;
/// Pause between two questions for a log that Duo refuses.
const ASK_AGAIN: i64 = HOUR;
/// Longest pause that any rule sets, with room for jitter; a longer one was written by a wrong clock.
const LONGEST_PARK: i64 = 75 * MINUTE;

impl LogRun {
    /// Decides from the stored checkpoint whether and what to ask.
    pub(super) fn begin(&mut self, claim_is_dead: bool, now: Millis, interrupted: bool) -> Action {
        let checkpoint = self.stored().clone();
        if let Some(last) = &checkpoint.destination
            && last.fingerprint != self.limits.destination
        {
            let silent_for = now - last.used_at;
            if silent_for < HANDOVER {
                return Action::Stop(Ending::Failed(Failure::OtherDestination));
            }
            self.tally.notices.push(Notice::DestinationChanged);
        }
        if let Some(claim) = &checkpoint.claim
            && claim.owner != self.limits.owner
        {
            if claim_is_dead {
                self.tally.notices.push(Notice::ClaimTakenOver);
            } else if claim.until > now && claim.until - now <= LONGEST_CLAIM {
                return Action::Stop(Ending::HeldElsewhere);
            }
        }
        if let Some(parked) = checkpoint.parked {
            let left = parked.not_before - now;
            if left > 0 && left <= LONGEST_PARK {
                let ending = Ending::Parked {
                    until: parked.not_before,
                    cause: parked.cause,
                };
                return Action::Stop(ending);
            }
        }
        if let Some(unavailable) = checkpoint.unavailable
            && (0..ASK_AGAIN).contains(&(now - unavailable.asked_at))
        {
            return Action::Stop(Ending::Unavailable { report: false });
        }
        self.clamp_to_retention(now);
        self.ask(now, interrupted)
    }

    /// Moves a place that Duo no longer keeps to the edge of what it keeps, and tells of the gap.
    fn clamp_to_retention(&mut self, now: Millis) {
        let oldest = now - RETENTION;
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        if checkpoint.mintime < oldest {
            self.tally.notices.push(Notice::Gap {
                from: checkpoint.mintime,
                to: oldest,
            });
            checkpoint.mintime = oldest;
            checkpoint.window = None;
        }
        if checkpoint
            .window
            .as_ref()
            .is_some_and(|window| window.from < oldest)
        {
            checkpoint.window = None;
        }
        checkpoint.collected_from = checkpoint.collected_from.max(oldest);
    }

    /// The window to read: the one in hand, the one a run ended in, or the next one.
    pub(super) fn plan(&mut self, now: Millis) -> bool {
        if self.window.is_some() {
            return true;
        }
        let checkpoint = self.stored().clone();
        let first = !std::mem::replace(&mut self.planned, true);
        self.cursors.clear();
        self.restarted = false;
        self.stays = 0;
        if first && checkpoint.window.is_some() {
            self.window = checkpoint.window;
            return true;
        }
        let reread = first.then_some(Reread {
            runs: checkpoint.runs,
            not_before: checkpoint.collected_from,
        });
        self.window = self.following(checkpoint.mintime, reread, now);
        self.window.is_some()
    }

    /// The window after `mintime`; `reread` is given for the first one of a run.
    pub(super) fn following(
        &self,
        mintime: Millis,
        reread: Option<Reread>,
        now: Millis,
    ) -> Option<Window> {
        let horizon = now - self.clock_ahead - self.limits.settle;
        // What became readable while this run was at work is left to the next one, or each run would go on
        // with ever shorter windows.
        if reread.is_none() && horizon - mintime < MINUTE {
            return None;
        }
        // A v1 endpoint has no upper bound: a shorter window would only fetch the same records again.
        let span = if self.limits.cursor_paging {
            self.limits.window
        } else {
            i64::MAX
        };
        Window::next(mintime, horizon, span, reread)
    }
}
