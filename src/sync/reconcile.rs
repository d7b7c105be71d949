//! Comparing closed hours with Duo again: Duo's count first, a full reading where it differs, where there is none, and once
//! for every hour.

use std::collections::BTreeMap;

use super::dedup::Deduplicator;
use super::deliver::deliver;
use super::fetch::{NoPage, fetch};
use super::last_second::remember_truncated;
use super::outcome::{Failure, RunError, RunOutcome, WindowError};
use super::paging::{AfterPage, OpenWindow};
use super::ports::Ports;
use super::refused::hold_position;
use super::results::{Basis, conclude};
use super::run::Run;
use super::schedule::{Due, FULL_STAGE, Reading};
use super::stop::Stop;
use super::window::Window;
use crate::model::{FetchError, Hour, IngestKind, Millis, PageRequest, PageResponse, Span};

/// Whether closed hours are reconciled in this run.
pub(super) enum Reconciliation {
    /// Whatever is due.
    Open,
    /// Nothing is due by Duo's clock, though by the local one.
    NotDueYet,
    /// Duo refused such a request; the run goes on without.
    Refused(FetchError),
}

impl Reconciliation {
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    pub(super) fn error(&self) -> Option<RunError> {
        match self {
            Self::Refused(error) => Some(error.clone().into()),
            Self::Open | Self::NotDueYet => None,
        }
    }
}

/// A reading of closed hours at hand.
pub(super) struct OpenReading {
    pub(super) span: Span,
    pub(super) stage: usize,
    pub(super) began_at: Millis,
    pub(super) duo_count: Option<u64>,
    /// Whether `began_at` is by Duo's clock.
    is_dated: bool,
    /// Whether Duo's count is requested first.
    is_counted_first: bool,
    /// Events found that were not delivered before, by hour.
    pub(super) late: BTreeMap<Hour, u64>,
    pub(super) open: OpenWindow,
}

impl OpenReading {
    fn new(due: Due, began_at: Millis) -> Self {
        let window = Window::new(due.span.from, due.span.to.previous());
        Self {
            span: due.span,
            stage: due.stage,
            began_at,
            duo_count: None,
            is_dated: false,
            is_counted_first: false,
            late: BTreeMap::new(),
            open: OpenWindow::new(window),
        }
    }

    /// The form in which it is stored.
    pub(super) fn stored(&self) -> Reading {
        Reading {
            span: self.span,
            stage: self.stage,
            began_at: self.began_at,
            duo_count: self.duo_count,
            late: self.late.clone(),
            window: self.open.window.clone(),
        }
    }

    fn from_stored(stored: &Reading) -> Self {
        Self {
            span: stored.span,
            stage: stored.stage,
            began_at: stored.began_at,
            duo_count: stored.duo_count,
            is_dated: true,
            is_counted_first: false,
            late: stored.late.clone(),
            open: OpenWindow::new(stored.window.clone()),
        }
    }

    /// It began no later than this by Duo's clock, whatever the local one says.
    fn note_time(&mut self, server_time: Option<Millis>) {
        if !self.is_dated {
            self.is_dated = true;
            self.began_at = server_time.map_or(self.began_at, |time| time.min(self.began_at));
        }
    }
}

/// Whether closed hours are due.
pub(super) fn is_due<P: Ports>(run: &Run<'_, P>, now: Millis) -> bool {
    matches!(run.reconciliation, Reconciliation::Open)
        // What would be verified now has to be read again from the held checkpoint.
        && !run.refused.are_waiting()
        && run.checkpoint.answered
        && (run.reading.is_some() || next_due(run, now).is_some())
}

fn next_due<P: Ports>(run: &Run<'_, P>, now: Millis) -> Option<Due> {
    let state = &run.checkpoint.reconciliation;
    if let Some(Reading { span, stage, .. }) = state.reading {
        return Some(Due { span, stage });
    }
    if let Some(backfill) = run.limits.backfill {
        return state.due_backfill(backfill);
    }
    let collected = Span {
        from: run.checkpoint.collected_from,
        to: run.checkpoint.mintime,
    };
    if run.limits.page_order.has_counts() {
        state.due_hour(collected, now - run.clock_ahead)
    } else {
        state.due_span(collected, now)
    }
}

fn next_reading<P: Ports>(run: &Run<'_, P>, now: Millis) -> Option<OpenReading> {
    let state = &run.checkpoint.reconciliation;
    if let Some(stored) = &state.reading {
        return Some(OpenReading::from_stored(stored));
    }
    let due = next_due(run, now)?;
    let hour = Hour::of(due.span.from);
    // The ledger entries of an hour say nothing of how many of them lie in a part of it: a backfill may have read the rest.
    let is_whole_hour = due.span == Span::of(hour);
    let is_read_in_full = due.stage >= FULL_STAGE && state.needs_full_reading(hour);
    let has_counts = run.limits.page_order.has_counts() && run.limits.backfill.is_none();
    let mut reading = OpenReading::new(due, now);
    reading.is_counted_first = has_counts && is_whole_hour && !is_read_in_full;
    Some(reading)
}

/// Up to where a backfill was read; `None` for other runs.
pub(super) fn reached<P: Ports>(run: &Run<'_, P>) -> Option<Millis> {
    run.limits.backfill?;
    Some(match &run.reading {
        Some(OpenReading { span, open, .. }) => open
            .window
            .last_time
            .unwrap_or(open.window.from)
            .clamp(span.from, span.to),
        None => run.checkpoint.reconciliation.next[0].start(),
    })
}

/// Makes the next request of a reconciliation.
pub(super) async fn step<P: Ports>(run: &mut Run<'_, P>, now: Millis) -> Result<(), Stop> {
    let reading = match run.reading.take() {
        Some(reading) => Some(reading),
        None => next_reading(run, now),
    };
    let Some(mut reading) = reading else {
        return Ok(());
    };
    if reading.span.from < run.oldest {
        // Hours that Duo does not keep any more are not requested; those behind them are, in their turn.
        let kept_from = Hour::of(run.oldest).after(1).start();
        reading.span.to = reading.span.to.min(kept_from);
        return conclude(run, &reading, Basis::Nothing).await;
    }
    let is_counted = reading.is_counted_first;
    run.reading = Some(reading);
    if is_counted {
        count(run).await
    } else {
        read_page(run).await
    }
}

/// Compares Duo's count of an hour with the ledger.
async fn count<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let request = PageRequest {
        limit: Some(1),
        ..reading(run).open.request(true)
    };
    let total = match fetch(run, request).await {
        Ok(page) => {
            reading(run).note_time(page.server_time);
            page.total
        }
        Err(NoPage::Refused(error) | NoPage::CursorRefused(error)) => return refuse(run, error),
        Err(NoPage::Stop(stop)) => return Err(stop),
    };
    let at_hand = reading(run);
    at_hand.duo_count = total;
    at_hand.is_counted_first = false;
    let hour = Hour::of(at_hand.span.from);
    let delivered = run.ledger.delivered(&[hour]).await.map_err(Stop::storage)?;
    // Without an exact count, or where it differs, the hour is read.
    if total.is_none_or(|total| [total] != delivered[..]) {
        return Ok(());
    }
    match run.reading.take() {
        Some(reading) => conclude(run, &reading, Basis::Count).await,
        None => Ok(()),
    }
}

/// Reads and delivers the next page of the hours.
async fn read_page<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let request = reading(run).open.request(true);
    let PageResponse {
        records,
        cursor,
        total,
        server_time,
    } = match fetch(run, request).await {
        Ok(page) => page,
        Err(NoPage::CursorRefused(_)) => return restart(run, WindowError::CursorRefused).await,
        Err(NoPage::Refused(error)) => return refuse(run, error),
        Err(NoPage::Stop(stop)) => return Err(stop),
    };
    run.stats.pages += 1;
    let now = run.now();
    let order = run.limits.page_order;
    let shown_through = server_time.map_or(now, |time| time.min(now)) - run.limits.window_delay;
    reading(run).note_time(server_time);
    let take_through = reading(run).open.take_through(order, shown_through);
    let deduplicator = Deduplicator {
        closed_before: run.checkpoint.mintime,
        take_through,
        kind: run.limits.backfill.map(|_| IngestKind::Backfill),
        now,
        max_batch_bytes: run.limits.max_batch_bytes,
    };
    let delivered = deliver(run, records, deduplicator).await?;
    for hour in delivered.hours {
        *reading(run).late.entry(hour).or_default() += 1;
    }
    if run.refused.are_waiting() {
        hold_position(run);
        return Err(Stop::at(RunOutcome::Failed(Failure::RecordsRefused)));
    }
    let facts = &delivered.facts;
    if !order.has_cursor() {
        let (is_over, truncated) = reading(run).open.advance_second(facts, take_through);
        remember_truncated(run, truncated);
        return if is_over {
            end(run, Basis::Reading).await
        } else {
            run.commit().await
        };
    }
    match reading(run).open.advance(facts, cursor, total) {
        AfterPage::NextPage => run.commit().await,
        AfterPage::Complete => end(run, Basis::Reading).await,
        AfterPage::Broken(error) => restart(run, error).await,
    }
}

fn reading<'r, P: Ports>(run: &'r mut Run<'_, P>) -> &'r mut OpenReading {
    run.reading
        .as_mut()
        .expect("a page is read of hours at hand only")
}

async fn restart<P: Ports>(run: &mut Run<'_, P>, error: WindowError) -> Result<(), Stop> {
    let order = run.limits.page_order;
    match reading(run).open.restart(error, order) {
        Some(warning) => {
            run.stats.warnings.push(warning);
            Ok(())
        }
        None => end(run, Basis::BrokenReading(error)).await,
    }
}

/// A reading came to its end, or cannot.
async fn end<P: Ports>(run: &mut Run<'_, P>, basis: Basis) -> Result<(), Stop> {
    let Some(mut reading) = run.reading.take() else {
        return Ok(());
    };
    let window = &reading.open.window;
    // After a restart in the middle of the span Duo's count is that of the rest.
    if window.from == window.mintime {
        reading.duo_count = window.expected.or(reading.duo_count);
    }
    if basis == Basis::BrokenReading(WindowError::CountShort) {
        run.stats.warnings.push(reading.open.count_disagrees());
    }
    conclude(run, &reading, basis).await
}

/// Duo refuses a request. A backfill is nothing else; otherwise the run goes on without reconciliation and reports it at its
/// end, so that the live log is read as far as ever.
fn refuse<P: Ports>(run: &mut Run<'_, P>, error: FetchError) -> Result<(), Stop> {
    if run.limits.backfill.is_some() {
        return Err(Stop::failed(Failure::Duo, error));
    }
    run.reading = None;
    run.reconciliation = Reconciliation::Refused(error);
    Ok(())
}
