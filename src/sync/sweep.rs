//! When closed hours are looked at again, and how far that has come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::window::Window;
use crate::model::{HOUR, Hour, MINUTE, Millis};

/// Checks that each hour gets.
pub(super) const CHECKS: usize = 4;
/// How long after its end an hour is checked. Duo's incident reports name delays of 1 to 15 hours; the last check finds
/// what came within two days.
const AGES: [i64; CHECKS] = [15 * MINUTE, 2 * HOUR, 24 * HOUR, 48 * HOUR];
/// How far back a log without counts is read again, and how often.
const REREAD_SPAN: i64 = AGES[CHECKS - 1];
const REREAD_EVERY: i64 = HOUR;
/// Most hours whose ids are forgotten at once.
const MOST_FORGOTTEN: i64 = 100;
/// Longest span that is ever read again, which a log without counts reaches after standing still for that long.
const LONGEST_READING: i64 = 200 * 366 * 24 * HOUR;
/// Most gaps that are remembered until their hours are settled; beyond it the two oldest become one.
const MOST_GAPS: usize = 64;

/// How far the checks of closed hours have come; part of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweeps {
    /// For each check the first hour that did not get it. A later check is never ahead of an earlier one.
    pub next: [Hour; CHECKS],
    /// The reading that a run ended in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// When a log without counts was last begun to be read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reread_at: Option<Millis>,
    /// The first hour whose ids were not forgotten yet; missing where none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Hour>,
    /// Calls for the live log since the last one for a check.
    #[serde(default)]
    pub live_calls: u32,
    /// Spans that were never collected, until their hours are settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Span>,
    /// The first hour whose result says that a reading could not be brought to its end, in a log without counts: the
    /// next one tells of it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproved: Option<Hour>,
    /// Up to where a backfill is read an hour at a time, to find the hour that a day could not be read for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrow_until: Option<Millis>,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A span of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First moment.
    pub from: Millis,
    /// First moment after it.
    pub to: Millis,
}

/// What is due to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whole hours, clipped to what was collected.
    pub span: Span,
    /// The check that its hours get, and with it all earlier ones.
    pub check: usize,
}

/// A span that is being read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What is read.
    #[serde(flatten)]
    pub span: Span,
    /// The check that it is.
    pub check: usize,
    /// When it was begun.
    pub began_at: Millis,
    /// How many records Duo counts in it, where it gave an exact number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// Events found that were not delivered before, by hour.
    #[serde(default)]
    pub late: BTreeMap<Hour, u64>,
    /// The place reached in it.
    pub window: Window,
}

impl Reading {
    /// Whether it is one that a run can go on with.
    pub(super) fn is_sound(&self) -> bool {
        let length = self.span.to - self.span.from;
        self.check < CHECKS && (1..=LONGEST_READING).contains(&length) && self.window.is_sound()
    }
}

impl Span {
    /// The part that lies inside another span.
    pub fn within(self, other: Self) -> Option<Self> {
        let part = Self {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        };
        (part.from < part.to).then_some(part)
    }

    /// A whole hour.
    pub const fn of(hour: Hour) -> Self {
        Self {
            from: hour.start(),
            to: hour.end(),
        }
    }

    /// The hours that it touches.
    pub fn hours(self) -> impl Iterator<Item = Hour> {
        let (first, end) = (Hour::of(self.from), self.to);
        (0..)
            .map(move |number| first.after(number))
            .take_while(move |hour| hour.start() < end)
    }
}

impl Sweeps {
    /// Nothing was checked of a log that is collected from here on.
    pub fn begin(collected_from: Millis) -> Self {
        Self {
            next: [Hour::of(collected_from); CHECKS],
            reading: None,
            reread_at: None,
            forgotten: Some(forgettable_before(Hour::of(collected_from))),
            live_calls: 0,
            gaps: Vec::new(),
            unproved: None,
            narrow_until: None,
            unknown: Map::new(),
        }
    }

    /// The hour whose check is due, the oldest first; checks that are overdue together are one. `collected` runs from
    /// where collection began to the first moment that is not closed yet.
    pub fn due_hour(&self, collected: Span, now: Millis) -> Option<Due> {
        (0..CHECKS).rev().find_map(|check| {
            let hour = self.next[check];
            let is_due = hour.end() <= collected.to && due_check(hour, now) >= Some(check);
            let span = Span::of(hour).within(collected);
            // An hour that was never collected is passed over as it stands.
            let span = span.unwrap_or_else(|| Span::of(hour));
            is_due.then_some(Due { span, check })
        })
    }

    /// What is due of a log without counts: once an hour everything that was not read again at the age of 48 hours.
    pub fn due_span(&self, collected: Span, now: Millis) -> Option<Due> {
        if self
            .reread_at
            .is_some_and(|at| (0..REREAD_EVERY).contains(&(now - at)))
        {
            return None;
        }
        let last = Span {
            from: self.next[CHECKS - 1].start(),
            to: collected.to,
        };
        let span = last.within(collected)?;
        Some(Due { span, check: 0 })
    }

    /// What is next to be read of a backfill: up to a day, and an hour at a time before `narrow_until`.
    pub fn due_backfill(&self, backfill: Span) -> Option<Due> {
        let from = self.next[0].start().max(backfill.from);
        let is_narrow = self.narrow_until.is_some_and(|until| from < until);
        let span = Span {
            from,
            to: from + if is_narrow { HOUR } else { 24 * HOUR },
        };
        let span = span.within(backfill)?;
        Some(Due { span, check: 0 })
    }

    /// Notes that hours got a check.
    pub fn done(&mut self, hours: Span, check: usize) {
        self.done_before(Hour::of(hours.to - 1).after(1), check);
    }

    fn done_before(&mut self, end: Hour, check: usize) {
        for next in &mut self.next[..=check] {
            *next = (*next).max(end);
        }
    }

    /// Whether a reading of a log without counts, up to `to` and from `began_at` on, is the last look at an hour.
    pub fn settles(&self, hour: Hour, to: Millis, began_at: Millis) -> bool {
        (self.next[CHECKS - 1]..settled_before(to, began_at)).contains(&hour)
    }

    /// After a log without counts was read again, from `began_at` on: hours that ended before `to` got the first check,
    /// and those that were old enough the last.
    pub fn reread_done(&mut self, to: Millis, began_at: Millis) {
        self.done_before(settled_before(to, began_at), CHECKS - 1);
        self.done_before(Hour::of(to), 0);
    }

    /// The first hour of a log without counts of which there is still something to tell.
    pub fn untold(&self) -> Hour {
        self.unproved
            .map_or(self.next[0], |unproved| unproved.min(self.next[0]))
    }

    /// Takes the hours whose ids are not needed any more: nothing reads them again.
    pub fn forget_settled(&mut self) -> Vec<Hour> {
        let end = forgettable_before(self.next[CHECKS - 1]);
        let first = self.forgotten.unwrap_or(end);
        let hours: Vec<Hour> = (0..MOST_FORGOTTEN)
            .map(|number| first.after(number))
            .take_while(|hour| *hour < end)
            .collect();
        self.forgotten = Some(hours.last().map_or(first.max(end), |hour| hour.after(1)));
        hours
    }

    /// Remembers a span that was never collected; whether it is a new one.
    pub fn remember_gap(&mut self, gap: Span) -> bool {
        if gap.from >= gap.to
            || self
                .gaps
                .iter()
                .any(|known| gap.within(*known) == Some(gap))
        {
            return false;
        }
        self.gaps.push(gap);
        self.gaps.sort_by_key(|gap| gap.from);
        if self.gaps.len() > MOST_GAPS {
            let first = self.gaps.remove(0);
            let second = &mut self.gaps[0];
            second.from = first.from;
            second.to = second.to.max(first.to);
        }
        true
    }

    /// The part of an hour that was never collected, from its first to its last such moment.
    pub fn gap_in(&self, hour: Hour) -> Option<Span> {
        let parts = self
            .gaps
            .iter()
            .filter_map(|gap| gap.within(Span::of(hour)));
        parts.reduce(|one, other| Span {
            from: one.from.min(other.from),
            to: one.to.max(other.to),
        })
    }

    /// Forgets the gaps of hours that got their last check.
    pub fn forget_gaps(&mut self) {
        let settled = self.next[CHECKS - 1].start();
        self.gaps.retain(|gap| gap.to > settled);
    }
}

/// Hours before this one need not be read again after a reading up to `to` that began at `began_at`.
fn settled_before(to: Millis, began_at: Millis) -> Hour {
    Hour::of((began_at - REREAD_SPAN).min(to))
}

/// The last check that an hour is old enough for.
pub(super) fn due_check(hour: Hour, now: Millis) -> Option<usize> {
    AGES.iter().rposition(|age| hour.end() + *age <= now)
}

/// A record near the border of an hour may be found in the hour beside it: ids stay for two more.
fn forgettable_before(settled: Hour) -> Hour {
    settled.after(-2)
}

#[cfg(test)]
mod tests;
