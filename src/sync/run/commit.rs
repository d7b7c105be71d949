//! Moving the place: after a page was delivered, and only then.

use super::fetch::LONGEST_RATE_WAIT;
use super::{After, Job, LogRun};
use crate::model::Millis;
use crate::sync::bucket::ACCOUNT_SHARE;
use crate::sync::checkpoint::Checkpoint;
use crate::sync::ending::{Ending, Failure, Notice, WindowFault};
use crate::sync::event::Action;
use crate::sync::sweep::Span;
use crate::sync::window::Window;

/// Times in a row that a window stays short of Duo's count, also when read anew, before the log goes on without what Duo never showed.
const MOST_SHORT_READINGS: u32 = 10;

impl LogRun {
    /// Every call of the page was accepted and recorded: decides where the log stands now.
    pub(super) fn page_delivered(&mut self, now: Millis, interrupted: bool) -> Action {
        if let Some(stop) = self.keep_place_of_refused() {
            return stop;
        }
        if self.limits.cursor_paging {
            self.cursor_page_delivered(now, interrupted)
        } else {
            self.v1_page_delivered(now, interrupted)
        }
    }

    fn cursor_page_delivered(&mut self, now: Millis, interrupted: bool) -> Action {
        let page = self.page.take().expect("a page was delivered");
        let mut draft = self.stored().clone();
        let open = self.open_window();
        let rows = page.seen.records.len();
        open.window
            .count_page(rows as u64, page.seen.total, page.sorted.newest);
        match page.seen.cursor {
            Some(next) if rows > 0 => {
                let used = open.window.cursor.replace(next.clone());
                open.cursors.extend(used);
                if !open.cursors.insert(next) {
                    return self.restart_window(WindowFault::CursorRepeated, now, interrupted);
                }
                self.keep_place(&mut draft);
                self.commit(draft, None, now, interrupted)
            }
            _ if open.window.is_short() => {
                self.restart_window(WindowFault::CountShort, now, interrupted)
            }
            _ if self.job == Job::Live => self.close_window(now, interrupted),
            _ => self.end_reading(None),
        }
    }

    /// The window was read to its end.
    fn close_window(&mut self, now: Millis, interrupted: bool) -> Action {
        let mut draft = self.stored().clone();
        let window = self.live.take().expect("planned before").window;
        remember_gap(&mut draft, window.mintime);
        // Where Duo's clock is far behind ours, nothing closes: the window lies in what Duo hides.
        draft.mintime = draft.mintime.max(window.next_mintime());
        draft.window = None;
        self.live_is_done = self.following(draft.mintime, None, now).is_none();
        self.commit(draft, None, now, interrupted)
    }

    /// A window came short of Duo's count, and again when it was read anew: the log stops with its place kept. What
    /// Duo counts but never shows cannot be waited for for ever, though: in the end it is reported, and the log goes
    /// on.
    pub(super) fn short_again(&mut self, now: Millis, interrupted: bool) -> Action {
        let window = &mut self.open_window().window;
        window.short_readings = window.short_readings.saturating_add(1);
        if window.short_readings >= MOST_SHORT_READINGS {
            let notice = count_disagrees(window);
            self.tally.notices.push(notice);
            // Its hours tell whether it stays so: their checks count anew.
            return self.close_window(now, interrupted);
        }
        window.restart(true);
        window.recounted = false;
        let mut draft = self.stored().clone();
        self.keep_place(&mut draft);
        draft.claim = None;
        let failure = Failure::Window(WindowFault::CountShort);
        self.save(draft, After::Stop(Ending::Failed(failure)))
    }

    /// Stores the new place. The claim is given back with it when the run ends here, and renewed when not.
    pub(super) fn commit(
        &mut self,
        mut draft: Checkpoint,
        ending: Option<Ending>,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        let is_done = self.live_is_done && !self.has_checks(&draft, now);
        let ending = ending.or(is_done.then_some(Ending::CaughtUp));
        if !std::mem::replace(&mut self.counted, true) {
            draft.runs = draft.runs.saturating_add(1);
        }
        draft.parked = None;
        self.sign_destination(&mut draft, now);
        let ending = ending.or_else(|| {
            if interrupted {
                Some(Ending::Interrupted)
            } else if now >= self.deadline {
                Some(Ending::OutOfTime)
            } else {
                self.is_out_of_calls(&draft, now)
                    .then_some(Ending::OutOfCalls)
            }
        });
        if let Some(ending) = ending.map(|ending| self.in_view_of_the_rest(ending)) {
            draft.claim = None;
            return self.save(draft, After::Stop(ending));
        }
        if self.holds_claim() {
            self.claim(&mut draft, now);
        }
        self.save(draft, After::Page)
    }

    /// Whether the next call would have to wait for longer than a run does.
    fn is_out_of_calls(&self, draft: &Checkpoint, now: Millis) -> bool {
        let rate = self.limits.calls_per_minute;
        let mut rates = draft.rate;
        [
            rates.log.take(rate, 1, now),
            rates.account.take(rate, ACCOUNT_SHARE, now),
        ]
        .into_iter()
        .any(|taken| taken.is_err_and(|wait| wait > LONGEST_RATE_WAIT))
    }
}

/// Where a window begins behind the place, Duo did not keep what lies between.
pub(super) fn remember_gap(draft: &mut Checkpoint, began: Millis) {
    let gap = Span {
        from: draft.mintime,
        to: began,
    };
    if let Some(sweeps) = &mut draft.sweeps {
        sweeps.remember_gap(gap);
    }
}

pub(super) fn count_disagrees(window: &Window) -> Notice {
    Notice::CountDisagrees {
        from: window.from,
        to: window.maxtime,
        counted: window.expected.unwrap_or_default(),
        shown: window.rows_read,
    }
}
