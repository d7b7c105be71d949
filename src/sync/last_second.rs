//! Paging of the v1 endpoints, which have no cursor, no upper bound and whole seconds only.
//!
//! The last second seen is read again until it brings nothing new. This holds for any page size,
//! except for a second with more records than a page.

use super::dedup::PageFacts;
use crate::model::{Millis, SECOND};

/// A page of at least this many records may have been truncated ("about 1000").
pub(super) const FULL_PAGE: usize = 900;
/// Consecutive pages with new records of the same second before the second counts as read.
const MAX_STAYS: u32 = 3;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LastSecond {
    stays: u32,
    /// A last page of one second only: the next page shows whether it was truncated.
    full: Option<FullSecond>,
}

/// A page whose records all share one second.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FullSecond {
    second: Millis,
    rows: usize,
    /// Newest time that Duo returned records for when the page was read.
    shown_through: Millis,
}

impl FullSecond {
    /// Whether the next page has records that this page would have had if it was not truncated.
    fn was_truncated(&self, facts: &PageFacts) -> bool {
        let mut times = facts.times.iter().flatten();
        times.any(|time| *time >= self.second + SECOND && *time <= self.shown_through)
    }
}

struct Step {
    second: i64,
    /// Whether no readable record is left.
    is_end: bool,
    /// A second with possibly more records than Duo returns, and the number returned.
    truncated: Option<(Millis, usize)>,
}

impl LastSecond {
    /// Records a page that was read from `from` on. Returns where to continue, whether nothing is
    /// left to read, and the seconds with possibly more records than Duo returns.
    pub(super) fn advance(
        &mut self,
        from: Millis,
        facts: &PageFacts,
        take_through: Millis,
    ) -> (Millis, bool, Vec<(Millis, usize)>) {
        // Only this page shows that the page before was truncated inside its second.
        let before = self.full.take().filter(|full| full.was_truncated(facts));
        let step = self.step(from.seconds(), facts, take_through);
        let before = before.map(|full| (full.second, full.rows));
        let truncated = before.into_iter().chain(step.truncated).collect();
        (from.max(Millis::from_seconds(step.second)), step.is_end, truncated)
    }

    fn step(&mut self, here: i64, facts: &PageFacts, take_through: Millis) -> Step {
        let rows = facts.rows();
        let last = facts.newest.map_or(here, Millis::seconds);
        let go_on = |second| Step { second, is_end: false, truncated: None };
        // Everything up to `take_through` was read. But a full page of later records proves nothing
        // about older ones, because the order is undocumented.
        let end = |at_least: i64| Step {
            second: if rows >= FULL_PAGE { here } else { take_through.seconds().max(at_least) },
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
        // A record without a time does not show how far the page reaches.
        let shows_second = facts.newest.is_some_and(|time| time.seconds() == here);
        if shows_second && facts.times.iter().flatten().all(|time| time.seconds() <= here) {
            self.full = Some(FullSecond { second, rows, shown_through: take_through });
            return go_on(here + 1);
        }
        end(here + 1)
    }
}
