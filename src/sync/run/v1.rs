//! Pages of the older endpoints, which have no cursor, no upper bound and whole seconds only.

use super::commit::remember_gap;
use super::phase::OpenPage;
use super::{Job, LogRun, OpenWindow};
use crate::model::{Millis, SECOND};
use crate::sync::checkpoint::Checkpoint;
use crate::sync::ending::Notice;
use crate::sync::event::Action;
use crate::sync::sweep::Span;

/// A page of at least this many records may have been cut off ("about 1000").
const FULL_PAGE: usize = 900;
/// Pages in a row that bring something new in the same second before it counts as read.
const MOST_STAYS: u32 = 3;

/// A page whose records all share one second: whether Duo has more of that second is told by the next page.
pub(super) struct LastSecond {
    /// Its first moment.
    second: Millis,
    /// Records on the page.
    rows: usize,
    /// Up to where the log was shown when the page was read.
    shown_through: Millis,
}

/// Where a page leads.
struct Step {
    /// The second to ask for next.
    second: i64,
    /// Whether the end of what can be read is reached.
    is_end: bool,
    /// A second of which Duo may hide a part.
    crowded: Option<(Millis, usize)>,
}

impl LogRun {
    /// The rule for these logs: the last second seen is read again until it brings nothing new. This holds whatever
    /// number of records Duo puts on a page, but for a second that is larger than a page.
    pub(super) fn v1_page_delivered(&mut self, now: Millis, interrupted: bool) -> Action {
        let page = self.page.take().expect("a page was delivered");
        let mut draft = self.stored().clone();
        let is_live = self.job == Job::Live;
        let open = self.open_window();
        // Known only now: the page before was cut off inside its second.
        let cut_off = open.last_second.take();
        let cut_off = cut_off.filter(|last| last.hid_what_shows(&page));
        let step = open.step(&page);
        let window = &mut open.window;
        window.from = window.from.max(Millis::from_seconds(step.second));
        let (began, reached) = (window.mintime, window.from);
        let is_over = step.is_end || window.from > window.maxtime;
        let cut_off = cut_off.map(|last| (last.second, last.rows));
        for (second, rows) in cut_off.into_iter().chain(step.crowded) {
            // Told of once, however often it is read again.
            if remember_crowded(&mut draft, second) {
                let notice = Notice::CrowdedSecond { second, rows };
                self.tally.notices.push(notice);
            }
        }
        if is_live {
            remember_gap(&mut draft, began);
            draft.mintime = draft.mintime.max(reached);
            self.live_is_done = is_over;
            if is_over {
                self.live = None;
            }
        } else {
            if let Some(checkpoint) = &mut self.checkpoint {
                // The gaps found; the place is kept with the end of the reading.
                checkpoint.sweeps.clone_from(&draft.sweeps);
            }
            if is_over {
                return self.end_reading(None);
            }
        }
        self.keep_place(&mut draft);
        self.commit(draft, None, now, interrupted)
    }
}

impl LastSecond {
    /// Whether a page shows what the page before would have shown, had it not been cut off.
    fn hid_what_shows(&self, page: &OpenPage) -> bool {
        let mut times = page.seen.records.iter().filter_map(|record| record.time);
        times.any(|time| time >= self.second + SECOND && time <= self.shown_through)
    }
}

impl OpenWindow {
    /// Decides where to read on after a page.
    fn step(&mut self, page: &OpenPage) -> Step {
        let place = self.window.from.seconds();
        let rows = page.seen.records.len();
        let shown_through = page.take_through.seconds();
        let last = page.sorted.newest.map_or(place, Millis::seconds);
        let go_on = |second| Step {
            second,
            is_end: false,
            crowded: None,
        };
        // Everything up to where records are taken was read; but a full page of records that must wait says nothing about
        // older ones, for order is not promised.
        let end = |behind: i64| Step {
            second: if rows >= FULL_PAGE {
                place
            } else {
                shown_through.max(behind)
            },
            is_end: true,
            crowded: None,
        };
        if page.sorted.taken == 0 {
            return end(place);
        }
        if last > place {
            self.stays = 0;
            return go_on(last);
        }
        if page.sorted.fresh > 0 && self.stays < MOST_STAYS {
            self.stays += 1;
            return go_on(place);
        }
        self.stays = 0;
        let second = Millis::from_seconds(place);
        if page.sorted.taken >= FULL_PAGE {
            return Step {
                crowded: Some((second, rows)),
                ..go_on(place + 1)
            };
        }
        let mut times = page.seen.records.iter().filter_map(|record| record.time);
        // A record without a time says nothing of how far the page goes.
        let shows_second = page
            .sorted
            .newest
            .is_some_and(|time| time.seconds() == place);
        if shows_second && times.all(|time| time.seconds() <= place) {
            self.last_second = Some(LastSecond {
                second,
                rows,
                shown_through: page.take_through,
            });
            return go_on(place + 1);
        }
        end(place + 1)
    }
}

/// A second that may hold more than Duo shows is a gap of its hour; whether it was not known as one.
fn remember_crowded(draft: &mut Checkpoint, second: Millis) -> bool {
    let gap = Span {
        from: second,
        to: second + SECOND,
    };
    let sweeps = draft.sweeps.as_mut();
    sweeps.is_none_or(|sweeps| sweeps.remember_gap(gap))
}
