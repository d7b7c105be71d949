//! What a run begins with: may it work on this log, and on which window?

use super::{After, LogRun, OpenWindow};
use crate::model::{HOUR, MINUTE, Millis};
use crate::sync::checkpoint::Checkpoint;
use crate::sync::ending::{Ending, Failure, Notice};
use crate::sync::event::Action;
use crate::sync::window::{Reread, Window};

/// Duo keeps 180 days; a request at exactly that border is refused by the time it arrives.
const RETENTION: i64 = 179 * 24 * HOUR;
/// A claim that ends later than this was written by a clock that is wrong; it is not waited for.
const LONGEST_CLAIM: i64 = 10 * MINUTE;
/// How long another destination must have been silent before this one takes over.
const HANDOVER: i64 = 15 * MINUTE;
/// Pause between two questions for a log that Duo refuses.
const ASK_AGAIN: i64 = HOUR;
/// Longest pause that any rule sets, with room for jitter; a longer one was written by a wrong clock.
const LONGEST_PARK: i64 = 75 * MINUTE;

impl LogRun {
    /// Stores the first checkpoint. Before the first question, also for a log that Duo will refuse: a later success
    /// starts here.
    pub(super) fn begin_anew(&mut self, now: Millis) -> Action {
        if let Some(span) = self.limits.backfill {
            return self.save(Checkpoint::of_backfill(span, now), After::First);
        }
        let wanted = self.limits.first_mintime;
        if wanted > now + HOUR {
            return Action::Stop(Ending::Failed(Failure::Future));
        }
        let oldest = now - RETENTION;
        // An hour of slack: a start is rounded down, and some time passed since it was worked out.
        if wanted + HOUR < oldest {
            self.tally.notices.push(Notice::Gap {
                from: wanted,
                to: oldest,
            });
        }
        self.save(Checkpoint::first(wanted.max(oldest), now), After::First)
    }

    /// Decides from the stored checkpoint whether and what to ask.
    pub(super) fn begin(&mut self, claim_is_dead: bool, now: Millis, interrupted: bool) -> Action {
        let checkpoint = self.stored().clone();
        if let Some(last) = &checkpoint.destination
            && last.fingerprint != self.limits.destination
        {
            let silent_for = now - last.used_at;
            // A time far ahead was written by a clock that is wrong.
            if (-LONGEST_CLAIM..HANDOVER).contains(&silent_for) {
                let free_at = last.used_at + HANDOVER;
                return Action::Stop(Ending::Failed(Failure::OtherDestination { free_at }));
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
        if checkpoint.mintime > now + HOUR {
            return Action::Stop(Ending::Failed(Failure::Future));
        }
        self.tell_of_gap(now);
        self.ask(now, interrupted)
    }

    /// The oldest moment that Duo still keeps. A place before it is told of and passed over when a window is planned,
    /// never written by itself: a clock that is wrong for a while must not move a place for good.
    fn tell_of_gap(&mut self, now: Millis) {
        self.oldest = now - RETENTION;
        let place = self.stored().mintime;
        if place < self.oldest {
            self.tally.notices.push(Notice::Gap {
                from: place,
                to: self.oldest,
            });
        }
    }

    /// Finds the live window to read: the one in hand, the one a run ended in, or the next one.
    pub(super) fn plan(&mut self, now: Millis) -> bool {
        if self.live.is_some() {
            return true;
        }
        self.live_is_done |= self.limits.backfill.is_some();
        if self.live_is_done {
            return false;
        }
        let checkpoint = self.stored();
        let stored = checkpoint
            .window
            .clone()
            .filter(|window| !self.planned && window.from >= self.oldest);
        let reread = (!self.planned).then_some(Reread {
            runs: checkpoint.runs,
            not_before: checkpoint.collected_from.max(self.oldest),
        });
        let mintime = checkpoint.mintime.max(self.oldest);
        let window = stored.or_else(|| self.following(mintime, reread, now));
        self.planned = true;
        self.live_is_done = window.is_none();
        self.live = window.map(OpenWindow::new);
        self.live.is_some()
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
        // A v1 endpoint has no upper bound: a shorter window would only fetch the same records again. And while refused
        // records keep the place, the next event, however far it is, must be within the calls of a run.
        let span = if self.limits.cursor_paging && !self.refused.keeps_place() {
            self.limits.window
        } else {
            i64::MAX
        };
        Window::next(mintime, horizon, span, reread)
    }
}
