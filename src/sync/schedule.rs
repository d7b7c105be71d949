//! When closed hours are reconciled, and how far that has come.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::window::Window;
use crate::model::{DAY, HOUR, Hour, Millis, Span};

pub(super) const STAGES: usize = 6;
pub(super) const FULL_STAGE: usize = 4;
/// All stages fall due at a quarter past the hour.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
/// How long after its end an hour is reconciled. Duo's incident reports name delays of 1 to 15 hours; the last stage finds
/// what came within two days.
const AGES: [TimeDelta; STAGES] = [age(0), age(2), age(6), age(12), age(24), age(48)];
/// How far back a log without counts is read again, and how often.
const REREAD_SPAN: TimeDelta = AGES[STAGES - 1];
const REREAD_EVERY: TimeDelta = HOUR;
const LONGEST_FULL_READING: i64 = 24;
/// Most hours whose ledger entries are removed at once.
const MAX_REMOVED: i64 = 100;
/// Longest span that is read again at once: each of its hours takes a request to storage.
const LONGEST_READING: TimeDelta = TimeDelta::days(31);
/// Most gaps that are remembered until their hours are final; beyond it the two oldest become one.
const MAX_GAPS: usize = 64;

const fn age(hours: i64) -> TimeDelta {
    TimeDelta::minutes(hours * 60 + QUARTER.num_minutes())
}

/// How far reconciliation has come; part of the checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationState {
    /// For each stage the first hour that has not passed it. A later stage is never ahead of an earlier one.
    pub next: [Hour; STAGES],
    /// The reading that a run ended in.
    pub reading: Option<Reading>,
    /// When a log without counts was last begun to be read again.
    pub reread_at: Option<Millis>,
    /// The first hour whose ledger entries are still stored; missing where none were removed.
    pub entries_from: Option<Hour>,
    /// Live requests since the last reconciliation request.
    #[serde(default)]
    pub live_requests: u32,
    /// Spans that were never collected, until their hours are final.
    #[serde(default)]
    pub gaps: Vec<Span>,
    /// The first hour whose result says that a reading could not be brought to its end, in a log without counts: the
    /// next reading gives it another result.
    pub unverified: Option<Hour>,
    /// Up to where hours are read one at a time, to find the hour that made a reading of several end short.
    pub narrow_until: Option<Millis>,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whole hours, clipped to what was collected.
    pub span: Span,
    /// The stage that its hours pass, and with it all earlier ones.
    pub stage: usize,
}

/// A span that is being read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    #[serde(flatten)]
    pub span: Span,
    pub stage: usize,
    /// When it was begun, by Duo's clock.
    pub began_at: Millis,
    /// How many records Duo counts in it, where it gave an exact number.
    pub duo_count: Option<u64>,
    /// Whether Duo's count is requested first.
    #[serde(skip)]
    pub(super) is_counted_first: bool,
    /// Events found that were not delivered before, by hour.
    #[serde(default)]
    pub late: BTreeMap<Hour, u64>,
    pub window: Window,
}

impl Reading {
    pub(super) fn new(due: Due, began_at: Millis) -> Self {
        Self {
            span: due.span,
            stage: due.stage,
            began_at,
            duo_count: None,
            is_counted_first: false,
            late: BTreeMap::new(),
            window: Window::new(due.span.from, due.span.to.previous()),
        }
    }

    /// It began no later than this by Duo's clock, whatever the local one says.
    pub(super) fn note_time(&mut self, server_time: Option<Millis>) {
        self.began_at = server_time.map_or(self.began_at, |time| time.min(self.began_at));
    }

    pub(super) fn is_sound(&self) -> bool {
        let length = self.span.to - self.span.from;
        self.stage < STAGES
            && length > TimeDelta::zero()
            && length <= LONGEST_READING
            && self.window.is_sound()
    }
}

impl ReconciliationState {
    /// Nothing was reconciled of a log that is collected from here on.
    pub fn begin(collected_from: Millis) -> Self {
        Self {
            next: [Hour::of(collected_from); STAGES],
            entries_from: Some(removable_before(Hour::of(collected_from))),
            ..Self::default()
        }
    }

    /// The hour whose stage is due, the oldest first; stages that are overdue together are one. Adjoining hours that are due
    /// for their full reading are read together. `collected` runs from where collection began to the first moment that is
    /// not closed yet.
    pub fn due_hour(&self, collected: Span, now: Millis) -> Option<Due> {
        let is_due =
            |hour: Hour, stage| hour.end() <= collected.to && due_stage(hour, now) >= Some(stage);
        let (stage, hour) = (0..STAGES)
            .rev()
            .map(|stage| (stage, self.next[stage]))
            .find(|(stage, hour)| is_due(*hour, *stage))?;
        let mut last = hour;
        if stage >= FULL_STAGE && self.needs_full_reading(hour) {
            let is_narrow = self.narrow_until.is_some_and(|until| hour.start() < until);
            let most = if is_narrow { 1 } else { LONGEST_FULL_READING };
            let hours = (1..most).map(|number| hour.after(number));
            last = hours.take_while(|hour| is_due(*hour, FULL_STAGE)).last().unwrap_or(hour);
        }
        let span = Span { from: hour.start(), to: last.end() };
        // An hour that was never collected is passed over as it stands.
        let span = span.within(collected).unwrap_or_else(|| Span::of(hour));
        Some(Due { span, stage: if last > hour { FULL_STAGE } else { stage } })
    }

    pub fn needs_full_reading(&self, hour: Hour) -> bool {
        self.next[FULL_STAGE] <= hour
    }

    /// What is due of a log without counts: once an hour everything that was not read again after its last stage, up to the
    /// longest reading.
    pub fn due_span(&self, collected: Span, now: Millis) -> Option<Due> {
        if self.reread_at.is_some_and(|at| (TimeDelta::zero()..REREAD_EVERY).contains(&(now - at)))
        {
            return None;
        }
        let from = self.next[STAGES - 1].start().max(collected.from);
        let span = Span { from, to: from + LONGEST_READING }.within(collected)?;
        Some(Due { span, stage: 0 })
    }

    /// What is next to be read of a backfill: up to a day, and an hour at a time before `narrow_until`.
    pub fn due_backfill(&self, backfill: Span) -> Option<Due> {
        let from = self.next[0].start().max(backfill.from);
        let is_narrow = self.narrow_until.is_some_and(|until| from < until);
        let span = Span { from, to: from + if is_narrow { HOUR } else { DAY } };
        let span = span.within(backfill)?;
        Some(Due { span, stage: 0 })
    }

    pub fn done(&mut self, hours: Span, stage: usize) {
        self.done_before(Hour::of(hours.to.previous()).after(1), stage);
    }

    fn done_before(&mut self, end: Hour, stage: usize) {
        for next in &mut self.next[..=stage] {
            *next = (*next).max(end);
        }
    }

    /// Whether a reading of a log without counts, up to `to` and from `began_at` on, is the last stage of an hour.
    pub fn finalizes(&self, hour: Hour, to: Millis, began_at: Millis) -> bool {
        (self.next[STAGES - 1]..final_before(to, began_at)).contains(&hour)
    }

    /// After a log without counts was read again, from `began_at` on: hours that ended before `to` have passed the first
    /// stage, and those that were old enough the last. Returns whether there are such.
    pub fn reread_done(&mut self, to: Millis, began_at: Millis) -> bool {
        let before = self.next[STAGES - 1];
        self.done_before(final_before(to, began_at), STAGES - 1);
        self.done_before(Hour::of(to), 0);
        self.next[STAGES - 1] > before
    }

    /// The first hour of a log without counts that has no final result yet.
    pub fn results_from(&self) -> Hour {
        self.unverified.map_or(self.next[0], |unverified| unverified.min(self.next[0]))
    }

    /// Takes the hours whose ledger entries are not needed any more: no reading covers them again.
    pub fn take_removable(&mut self) -> Vec<Hour> {
        let end = removable_before(self.next[STAGES - 1]);
        let first = self.entries_from.unwrap_or(end);
        let hours: Vec<Hour> = (0..MAX_REMOVED)
            .map(|number| first.after(number))
            .take_while(|hour| *hour < end)
            .collect();
        self.entries_from = Some(hours.last().map_or(first.max(end), |hour| hour.after(1)));
        hours
    }

    /// Remembers a span that was never collected. Returns whether it is a new one.
    pub fn remember_gap(&mut self, gap: Span) -> bool {
        if gap.from >= gap.to || self.gaps.iter().any(|known| gap.within(*known) == Some(gap)) {
            return false;
        }
        self.gaps.push(gap);
        self.gaps.sort_by_key(|gap| gap.from);
        if self.gaps.len() > MAX_GAPS {
            let first = self.gaps.remove(0);
            let second = &mut self.gaps[0];
            second.from = first.from;
            second.to = second.to.max(first.to);
        }
        true
    }

    /// The part of an hour that was never collected, from its first to its last such moment.
    pub fn gap_in(&self, hour: Hour) -> Option<Span> {
        let parts = self.gaps.iter().filter_map(|gap| gap.within(Span::of(hour)));
        parts.reduce(|one, other| Span { from: one.from.min(other.from), to: one.to.max(other.to) })
    }

    pub fn forget_gaps(&mut self) {
        let end = self.next[STAGES - 1].start();
        self.gaps.retain(|gap| gap.to > end);
    }
}

/// Hours before this one are final after a reading up to `to` that began at `began_at`.
fn final_before(to: Millis, began_at: Millis) -> Hour {
    Hour::of((began_at - REREAD_SPAN).min(to))
}

/// The last stage that an hour is old enough for.
pub(super) fn due_stage(hour: Hour, now: Millis) -> Option<usize> {
    AGES.iter().rposition(|age| hour.end() + *age <= now)
}

/// A record near the border of an hour may be found in the hour beside it: entries stay for two more.
fn removable_before(end: Hour) -> Hour {
    end.after(-2)
}

#[cfg(test)]
mod tests;
