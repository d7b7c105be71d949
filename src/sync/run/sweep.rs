//! Looking at closed hours again: Duo's count first, a full reading where it does not agree or there is none.

use std::collections::BTreeMap;

use super::commit::count_disagrees;
use super::conclude::FoundBy;
use super::{Job, LogRun, OpenWindow};
use crate::model::{Hour, Millis};
use crate::sync::checkpoint::Checkpoint;
use crate::sync::ending::WindowFault;
use crate::sync::event::{Action, Shipment};
use crate::sync::sweep::{Due, Reading, Span, Sweeps};
use crate::sync::window::Window;

/// Calls for the live log after which one for a due check is made, while the log is behind.
const LIVE_CALLS: u32 = 4;

/// A reading in hand.
pub(super) struct OpenReading {
    pub(super) span: Span,
    pub(super) check: usize,
    pub(super) began_at: Millis,
    pub(super) counted: Option<u64>,
    /// Whether Duo is still to be asked for its count first.
    is_to_be_counted: bool,
    /// Events found that were not delivered before, by hour.
    pub(super) late: BTreeMap<Hour, u64>,
    pub(super) open: OpenWindow,
}

impl OpenReading {
    pub(super) fn new(
        due: Due,
        counted: Option<u64>,
        is_to_be_counted: bool,
        began_at: Millis,
    ) -> Self {
        let window = Window::new(due.span.from, due.span.to - 1);
        Self {
            span: due.span,
            check: due.check,
            began_at,
            counted,
            is_to_be_counted,
            late: BTreeMap::new(),
            open: OpenWindow::new(window),
        }
    }

    /// The form in which it is stored.
    pub(super) fn stored(&self) -> Reading {
        Reading {
            span: self.span,
            check: self.check,
            began_at: self.began_at,
            counted: self.counted,
            late: self.late.clone(),
            window: self.open.window.clone(),
        }
    }
}

impl LogRun {
    /// Decides what the next call is for; `false` when nothing is left to ask. While the log is behind, one call in five
    /// goes to checks.
    pub(super) fn choose(&mut self, now: Millis) -> bool {
        let live = self.plan(now);
        let checks = self.has_checks(self.stored(), now);
        let turns = self
            .stored()
            .sweeps
            .as_ref()
            .map_or(0, |sweeps| sweeps.live_calls);
        if !checks || (live && turns < LIVE_CALLS) {
            self.job = Job::Live;
            return live;
        }
        if self.reading.is_none() {
            self.reading = self.next_reading(now);
        }
        let counts = self.reading.as_ref();
        let counts = counts.is_some_and(|reading| reading.is_to_be_counted);
        self.job = if counts { Job::Count } else { Job::Read };
        true
    }

    /// Up to where a backfill was read.
    pub fn reached(&self) -> Option<Millis> {
        if let Some(reading) = &self.reading {
            let window = &reading.open.window;
            return Some(
                window
                    .last_time
                    .unwrap_or(window.from)
                    .clamp(reading.span.from, reading.span.to),
            );
        }
        let sweeps = self.checkpoint.as_ref()?.sweeps.as_ref()?;
        Some(sweeps.next[0].start())
    }

    /// Whether Duo counts the records of a question for this log.
    pub(super) fn counts(&self) -> bool {
        self.limits.cursor_paging && self.limits.sorted
    }

    /// Whether closed hours are due to be looked at.
    pub(super) fn has_checks(&self, checkpoint: &Checkpoint, now: Millis) -> bool {
        self.limits.sweeps
            && !self.checks_are_early
            && !self.check_is_refused
            // What a check would prove, the kept place would have to be read for again.
            && !self.refused.keeps_place()
            && checkpoint.answered
            && (self.reading.is_some() || self.due(checkpoint, now).is_some())
    }

    fn due(&self, checkpoint: &Checkpoint, now: Millis) -> Option<Due> {
        let begin = Sweeps::begin(checkpoint.collected_from);
        let sweeps = checkpoint.sweeps.as_ref().unwrap_or(&begin);
        if let Some(reading) = &sweeps.reading {
            return Some(Due {
                span: reading.span,
                check: reading.check,
            });
        }
        if let Some(backfill) = self.limits.backfill {
            return sweeps.due_backfill(backfill);
        }
        let collected = Span {
            from: checkpoint.collected_from,
            to: checkpoint.mintime,
        };
        if self.counts() {
            sweeps.due_hour(collected, now - self.clock_ahead)
        } else {
            sweeps.due_span(collected, now)
        }
    }

    fn next_reading(&self, now: Millis) -> Option<OpenReading> {
        let due = self.due(self.stored(), now)?;
        // The ids of an hour say nothing of how many of them lie in a part of it: a backfill may have read the rest.
        let is_whole = due.span == Span::of(Hour::of(due.span.from));
        let is_to_be_counted = self.counts() && is_whole && self.limits.backfill.is_none();
        let mut reading = OpenReading::new(due, None, is_to_be_counted, now);
        let sweeps = self.stored().sweeps.as_ref();
        if let Some(stored) = sweeps.and_then(|sweeps| sweeps.reading.as_ref()) {
            // It is stored only when it is being read.
            reading.is_to_be_counted = false;
            reading.began_at = stored.began_at;
            reading.counted = stored.counted;
            reading.late.clone_from(&stored.late);
            reading.open.window = stored.window.clone();
        }
        Some(reading)
    }

    /// Duo refuses what a check asks: the run goes on without checks and tells of it in the end, so that the live log is
    /// read as far as ever.
    pub(super) fn check_refused(&mut self, now: Millis, interrupted: bool) -> Action {
        self.check_is_refused = true;
        self.reading = None;
        self.attempts = 0;
        self.signed_again = false;
        self.ask(now, interrupted)
    }

    /// Counts whose turn it is; see [`LogRun::choose`].
    pub(super) fn count_turn(&mut self) {
        let is_live = self.job == Job::Live;
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        let sweeps = checkpoint.sweeps_mut();
        sweeps.live_calls = if is_live {
            sweeps.live_calls.saturating_add(1)
        } else {
            0
        };
    }

    /// Hours that Duo does not keep any more are not asked for; those behind them are, in their turn.
    pub(super) fn conclude_unasked(&mut self) -> Option<Action> {
        let mut reading = self
            .reading
            .take_if(|reading| self.job != Job::Live && reading.span.from < self.oldest)?;
        let kept_from = Hour::of(self.oldest).after(1).start();
        reading.span.to = reading.span.to.min(kept_from);
        Some(self.tally_of(reading.found(FoundBy::Nothing)))
    }

    /// Takes Duo's count of an hour.
    pub(super) fn counted(&mut self, total: Option<u64>, now: Millis, interrupted: bool) -> Action {
        let reading = self.reading.as_mut().expect("it was counted");
        reading.counted = total;
        reading.is_to_be_counted = false;
        if total.is_some() {
            let reading = self.reading.take().expect("it was counted");
            return self.tally_of(reading.found(FoundBy::Count));
        }
        // No exact number: only a reading tells.
        self.ask(now, interrupted)
    }

    /// A reading came to its end, or cannot.
    pub(super) fn end_reading(&mut self, fault: Option<WindowFault>) -> Action {
        let reading = self.reading.take().expect("it was read");
        if fault == Some(WindowFault::CountShort) {
            let notice = count_disagrees(&reading.open.window);
            self.tally.notices.push(notice);
        }
        let by = fault.map_or(FoundBy::Reading, FoundBy::BrokenReading);
        self.tally_of(reading.found(by))
    }

    /// Notes which events a reading found that were not delivered before.
    pub(super) fn count_late(&mut self, shipment: &Shipment) {
        if self.job == Job::Live {
            return;
        }
        let (Some(reading), Some(page)) = (&mut self.reading, &self.page) else {
            return;
        };
        for &index in &shipment.records {
            let hour = Hour::of_record(page.seen.records[index].time);
            let late = reading.late.entry(hour).or_default();
            *late = late.saturating_add(1);
        }
    }
}
