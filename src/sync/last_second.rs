//! Pages of the v1 endpoints, which have no cursor, no upper bound and whole seconds only.
//!
//! The rule: the last second seen is read again until it brings nothing new. It holds whatever number of records Duo puts on
//! a page, but for a second that is larger than a page.

use super::dedup::PageFacts;
use crate::model::{Millis, SECOND};

/// A page of at least this many records may have been truncated ("about 1000").
const FULL_PAGE: usize = 900;
/// Pages in a row that bring something new in the same second before it counts as read.
const MAX_STAYS: u32 = 3;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LastSecond {
    stays: u32,
    /// Whether Duo has more of the second of the page before shows on the next page.
    full: Option<FullSecond>,
}

/// A page whose records all share one second.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FullSecond {
    second: Millis,
    rows: usize,
    /// Up to where Duo showed the log when the page was read.
    shown_through: Millis,
}

impl FullSecond {
    /// Whether a page shows what the page before would have shown, had it not been truncated.
    fn hid_what_shows(&self, facts: &PageFacts) -> bool {
        let mut times = facts.times.iter().flatten();
        times.any(|time| *time >= self.second + SECOND && *time <= self.shown_through)
    }
}

struct Step {
    second: i64,
    /// Whether the end of what can be read is reached.
    is_end: bool,
    /// A second of which Duo may hide a part, and the records seen of it.
    truncated: Option<(Millis, usize)>,
}

impl LastSecond {
    /// Notes a page that was read from `from` on. Returns where to read on, whether nothing is left to read, and the seconds of
    /// which Duo may hide a part.
    pub(super) fn advance(
        &mut self,
        from: Millis,
        facts: &PageFacts,
        take_through: Millis,
    ) -> (Millis, bool, Vec<(Millis, usize)>) {
        // Known only now: the page before was truncated inside its second.
        let before = self.full.take().filter(|full| full.hid_what_shows(facts));
        let step = self.step(from.seconds(), facts, take_through);
        let before = before.map(|full| (full.second, full.rows));
        let truncated = before.into_iter().chain(step.truncated).collect();
        (from.max(Millis::from_seconds(step.second)), step.is_end, truncated)
    }

    fn step(&mut self, here: i64, facts: &PageFacts, take_through: Millis) -> Step {
        let rows = facts.rows();
        let last = facts.newest.map_or(here, Millis::seconds);
        let go_on = |second| Step { second, is_end: false, truncated: None };
        // Everything up to where records are taken was read; but a full page of records that are left to a later run says
        // nothing about older ones, for order is not promised.
        let end = |behind: i64| Step {
            second: if rows >= FULL_PAGE { here } else { take_through.seconds().max(behind) },
            is_end: true,
            truncated: None,
        };
        if facts.taken() == 0 {
            return end(here);
        }
        if last > here {
            self.stays = 0;
            return go_on(last);
        }
        if facts.fresh > 0 && self.stays < MAX_STAYS {
            self.stays += 1;
            return go_on(here);
        }
        self.stays = 0;
        let second = Millis::from_seconds(here);
        if facts.taken() >= FULL_PAGE {
            return Step { truncated: Some((second, rows)), ..go_on(here + 1) };
        }
        // A record without a time says nothing of how far the page goes.
        let shows_second = facts.newest.is_some_and(|time| time.seconds() == here);
        if shows_second && facts.times.iter().flatten().all(|time| time.seconds() <= here) {
            self.full = Some(FullSecond { second, rows, shown_through: take_through });
            return go_on(here + 1);
        }
        end(here + 1)
    }
}
