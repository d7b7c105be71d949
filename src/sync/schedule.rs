//! The reconciliation schedule of closed hours and its progress.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::window::Window;
use crate::model::{DAY, HOUR, Hour, Millis, Span};

pub(super) const STAGES: usize = 6;
pub(super) const FULL_STAGE: usize = 4;
/// All stages are due at a quarter past the hour.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
/// Ages, after its end, at which an hour is reconciled. Duo's incident reports name delays of 1 to
/// 15 hours; the last stage finds events delayed by up to two days.
const AGES: [TimeDelta; STAGES] = [age(0), age(2), age(6), age(12), age(24), age(48)];
/// Span and interval of the reconciliation of a log without counts.
const REREAD_SPAN: TimeDelta = AGES[STAGES - 1];
const REREAD_EVERY: TimeDelta = HOUR;
const LONGEST_FULL_READING: i64 = 24;
/// Maximum hours whose ledger entries are removed at once.
const MAX_REMOVED: i64 = 100;
/// Longest span of one reading: each of its hours takes a storage request.
const LONGEST_READING: TimeDelta = TimeDelta::days(31);
/// Maximum stored gaps; beyond it the two oldest are merged.
const MAX_GAPS: usize = 64;

const fn age(hours: i64) -> TimeDelta {
    TimeDelta::minutes(hours * 60 + QUARTER.num_minutes())
}

/// Progress of reconciliation; part of the checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationState {
    /// For each stage, the first hour not past it. A later stage is never ahead of an earlier one.
    pub next: [Hour; STAGES],
    /// The reading that the last run did not finish.
    pub reading: Option<Reading>,
    /// Start of the last reconciliation of a log without counts.
    pub reread_at: Option<Millis>,
    /// Start of the last reading that also followed the events of a log for changes.
    pub followed_at: Option<Millis>,
    /// The first hour whose ledger entries are still stored; `None` if none were removed.
    pub entries_from: Option<Hour>,
    /// Live requests since the last reconciliation request.
    #[serde(default)]
    pub live_requests: u32,
    /// Spans that were never collected; kept until their hours are final.
    #[serde(default)]
    pub gaps: Vec<Span>,
    /// In a log without counts, the first hour of an incomplete reading, which gets a new result.
    pub unverified: Option<Hour>,
    /// Hours before this are read one at a time, after a short reading of several hours.
    pub narrow_until: Option<Millis>,
    /// Fields of a later release, kept unchanged.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whole hours, clipped to the collected span.
    pub span: Span,
    /// The stage that the hours pass, together with all earlier ones.
    pub stage: usize,
}

/// A span that is being reconciled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    #[serde(flatten)]
    pub span: Span,
    pub stage: usize,
    /// Start by Duo's clock.
    pub began_at: Millis,
    /// Duo's record count of the span, if Duo returned an exact one.
    pub duo_count: Option<u64>,
    /// Whether to request Duo's count before reading.
    #[serde(skip)]
    pub(super) is_counted_first: bool,
    /// New events found, by hour.
    #[serde(default)]
    pub late: BTreeMap<Hour, u64>,
    pub window: Window,
    /// Whether it is a live window: its hours pass the stages that they are old enough for.
    #[serde(skip)]
    pub(super) is_live: bool,
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
            is_live: false,
        }
    }

    /// The reading that a live window is, if all its hours were due for their full reading when it
    /// began, and every earlier hour has passed that stage. `collected_from` is the start of
    /// collection, which may lie within an hour.
    pub(super) fn of_live(
        window: &Window,
        state: &ReconciliationState,
        collected_from: Millis,
    ) -> Option<Self> {
        let began_at = window.readable_through?;
        let (first, last) = (Hour::of(window.mintime), Hour::of(window.maxtime));
        let span = Span { from: window.mintime, to: last.end() };
        let is_read_whole = window.from == window.mintime
            && window.maxtime.next() == span.to
            && (span.from == first.start() || span.from == collected_from)
            && window.incomplete.is_empty()
            && window.expected.is_some();
        let is_due = due_stage(last, began_at) >= Some(FULL_STAGE);
        if !is_read_whole || !is_due || state.next != [first; STAGES] || state.reading.is_some() {
            return None;
        }
        let reading = Self::new(Due { span, stage: FULL_STAGE }, began_at);
        let duo_count = window.expected;
        Some(Self { duo_count, window: window.clone(), is_live: true, ..reading })
            .filter(Self::is_sound)
    }

    /// Corrects the start of the reading by Duo's clock; the earlier time counts.
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
    /// The state of a log whose collection starts at `collected_from`.
    pub fn begin(collected_from: Millis) -> Self {
        Self { next: [Hour::of(collected_from); STAGES], ..Self::default() }
    }

    /// The oldest hour with the highest due stage; several due stages are passed together.
    /// Adjoining hours due for their full reading are read together. `collected` runs from the
    /// start of collection to the first millisecond that is not closed.
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
        // An hour that was never collected passes the stage whole.
        let span = span.within(collected).unwrap_or_else(|| Span::of(hour));
        Some(Due { span, stage: if last > hour { FULL_STAGE } else { stage } })
    }

    pub fn needs_full_reading(&self, hour: Hour) -> bool {
        self.next[FULL_STAGE] <= hour
    }

    /// The due span of a log without counts: once an hour, all hours that are not final; once a day,
    /// also those whose events are followed.
    pub fn due_span(&self, collected: Span, now: Millis, followed_for: TimeDelta) -> Option<Due> {
        if self.reread_at.is_some_and(|at| (TimeDelta::zero()..REREAD_EVERY).contains(&(now - at)))
        {
            return None;
        }
        let is_followed =
            self.followed_at.is_none_or(|at| !(TimeDelta::zero()..DAY).contains(&(now - at)));
        let followed_from =
            if is_followed { Hour::of(now - followed_for).after(1).start() } else { now };
        let from = self.next[STAGES - 1].start().min(followed_from).max(collected.from);
        let span = Span { from, to: from + LONGEST_READING }.within(collected)?;
        Some(Due { span, stage: 0 })
    }

    /// The next span of a backfill: up to a day, or one hour before `narrow_until`.
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

    /// Records a reading whose hours pass the stages that they were old enough for at `began_at`.
    pub fn done_by_age(&mut self, hours: Span, began_at: Millis) {
        let end = Hour::of(hours.to.previous()).after(1);
        for (next, age) in self.next.iter_mut().zip(AGES) {
            *next = (*next).max(Hour::of(began_at - age).min(end));
        }
    }

    fn done_before(&mut self, end: Hour, stage: usize) {
        for next in &mut self.next[..=stage] {
            *next = (*next).max(end);
        }
    }

    /// Whether a reading up to `to` from `began_at` on is the last stage of an hour without counts.
    pub fn finalizes(&self, hour: Hour, to: Millis, began_at: Millis) -> bool {
        (self.next[STAGES - 1]..final_before(to, began_at)).contains(&hour)
    }

    /// Records a reading of a log without counts up to `to`, started at `began_at`: its hours pass
    /// the first stage, old ones also the last. Returns whether any passed the last.
    pub fn reread_done(&mut self, to: Millis, began_at: Millis) -> bool {
        let before = self.next[STAGES - 1];
        self.done_before(final_before(to, began_at), STAGES - 1);
        self.done_before(Hour::of(to), 0);
        self.next[STAGES - 1] > before
    }

    /// The first hour of a log without counts that needs a new result.
    pub fn results_from(&self) -> Hour {
        self.unverified.map_or(self.next[0], |unverified| unverified.min(self.next[0]))
    }

    /// Takes the hours whose ledger entries can be removed because no reading covers them again.
    pub fn take_removable(&mut self, followed_for: TimeDelta) -> Vec<Hour> {
        // A day longer than the events are followed; without that, from the last stage on.
        let kept_for = (followed_for - TimeDelta::days(1)).num_hours().max(0);
        let end = removable_before(self.next[STAGES - 1]).after(-kept_for);
        let first = self.entries_from.unwrap_or(end);
        let hours: Vec<Hour> = (0..MAX_REMOVED)
            .map(|number| first.after(number))
            .take_while(|hour| *hour < end)
            .collect();
        self.entries_from = Some(hours.last().map_or(first.max(end), |hour| hour.after(1)));
        hours
    }

    /// Records a span that was never collected. Returns whether it is new.
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

    /// The uncollected part of an hour, from its first to its last such millisecond.
    pub fn gap_in(&self, hour: Hour) -> Option<Span> {
        let parts = self.gaps.iter().filter_map(|gap| gap.within(Span::of(hour)));
        parts.reduce(|one, other| Span { from: one.from.min(other.from), to: one.to.max(other.to) })
    }

    pub fn forget_gaps(&mut self) {
        let end = self.next[STAGES - 1].start();
        self.gaps.retain(|gap| gap.to > end);
    }
}

/// The first hour that is not final after a reading up to `to` that began at `began_at`.
fn final_before(to: Millis, began_at: Millis) -> Hour {
    Hour::of((began_at - REREAD_SPAN).min(to))
}

/// End of the last hour that is due for its full reading.
pub(super) fn full_reading_due_until(now: Millis) -> Millis {
    Hour::of(now - AGES[FULL_STAGE]).start()
}

/// The last stage that an hour is old enough for.
pub(super) fn due_stage(hour: Hour, now: Millis) -> Option<usize> {
    AGES.iter().rposition(|age| hour.end() + *age <= now)
}

/// Two hours earlier: a record near an hour boundary may be returned for the adjacent hour.
fn removable_before(end: Hour) -> Hour {
    end.after(-2)
}

#[cfg(test)]
mod tests;
