//! Reconciliation of closed hours: by Duo's count, and once or on a difference by reading all.

use super::deliver::{PageToDeliver, deliver};
use super::fetch::{NoPage, fetch};
use super::outcome::{Failure, RunOutcome, WindowError};
use super::paging::AfterPage;
use super::ports::Ports;
use super::results::{Basis, conclude};
use super::schedule::{FULL_STAGE, Reading, STAGES};
use super::state::{Reconciliation, Run};
use super::stop::Stop;
use crate::model::{FetchError, Hour, IngestKind, Millis, PageRequest, PageResponse, Span};

fn next_reading<P: Ports>(run: &Run<'_, P>, now: Millis) -> Option<Reading> {
    let state = &run.checkpoint.reconciliation;
    if let Some(stored) = &state.reading {
        return Some(stored.clone());
    }
    let due = run.next_due(now)?;
    let hour = Hour::of(due.span.from);
    // For a part of an hour the ledger has no count: a backfill may have delivered the rest.
    let is_whole_hour = due.span == Span::of(hour);
    let is_read_in_full = due.stage >= FULL_STAGE && state.needs_full_reading(hour);
    let has_counts = run.config.spec.paging.has_counts() && run.config.backfill.is_none();
    let mut reading = Reading::new(due, now);
    reading.is_counted_first = has_counts && is_whole_hour && !is_read_in_full;
    Some(reading)
}

/// Progress of a backfill; `None` for other runs.
pub(super) fn reached<P: Ports>(run: &Run<'_, P>) -> Option<Millis> {
    run.config.backfill?;
    Some(match &run.reading {
        Some(Reading { span, window, .. }) => {
            window.last_time.unwrap_or(window.from).clamp(span.from, span.to)
        }
        None => run.checkpoint.reconciliation.next[0].start(),
    })
}

pub(super) async fn step<P: Ports>(run: &mut Run<'_, P>, now: Millis) -> Result<(), Stop> {
    let Some(mut reading) = run.reading.take().or_else(|| next_reading(run, now)) else {
        return Ok(());
    };
    if reading.span.from < run.oldest {
        // This takes time without a request: the live log has its turn before the next step.
        run.checkpoint.reconciliation.live_requests = 0;
        if run.stats.counts.pages == 0 && run.config.backfill.is_none() {
            // The local clock may be wrong: only a response shows which hours Duo keeps.
            if run.live.is_done {
                run.reconciliation = Reconciliation::NotDueYet;
            }
            return Ok(());
        }
        // Hours beyond Duo's retention are not requested; later hours of the span follow.
        let kept_from = Hour::of(run.oldest).after(1).start();
        reading.span.to = reading.span.to.min(kept_from);
        return conclude(run, &reading, Basis::Nothing).await;
    }
    let is_counted = reading.is_counted_first;
    run.reading = Some(reading);
    if is_counted { count(run).await } else { read_page(run).await }
}

async fn count<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let request = PageRequest { limit: Some(1), ..reading(run).window.request(true) };
    let total = match fetch(run, request).await {
        Ok(page) => {
            reading(run).note_time(page.server_time);
            page.total
        }
        Err(NoPage::Refused(error) | NoPage::CursorRefused(error)) => return refuse(run, error),
        Err(NoPage::Stop(stop)) => return Err(stop),
    };
    let open = reading(run);
    open.duo_count = total;
    open.is_counted_first = false;
    let (hour, is_last) = (Hour::of(open.span.from), open.stage == STAGES - 1);
    let delivered = run.ledger.delivered(&[hour]).await.map_err(Stop::storage)?;
    // At the last stage, several contents of one event may hide a late event from the count.
    let is_ambiguous = is_last && run.ledger.has_several_contents(hour);
    // Without an exact count, or where it differs, the hour is read.
    if is_ambiguous || total.is_none_or(|total| [total] != delivered[..]) {
        return Ok(());
    }
    let counted = run.reading.take().expect("a count belongs to an open reading");
    conclude(run, &counted, Basis::Count).await
}

async fn read_page<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    let request = reading(run).window.request(true);
    let page = match fetch(run, request).await {
        Ok(page) => page,
        Err(NoPage::CursorRefused(_)) => return restart(run, WindowError::CursorRefused).await,
        Err(NoPage::Refused(error)) => return refuse(run, error),
        Err(NoPage::Stop(stop)) => return Err(stop),
    };
    run.stats.counts.pages += 1;
    let paging = run.config.spec.paging;
    let may_update = reading(run).window.is_whole(&page, paging);
    let PageResponse { records, cursor, total, server_time, limit } = page;
    let shown_through = run.shown_through(server_time);
    reading(run).note_time(server_time);
    let take_through = reading(run).window.take_through(paging, shown_through);
    let kind = run.config.backfill.map(|_| IngestKind::Backfill);
    let page = PageToDeliver { records, take_through, kind, may_update };
    let delivered = deliver(run, page).await?;
    for hour in delivered.hours {
        *reading(run).late.entry(hour).or_default() += 1;
    }
    if run.refused.are_waiting() {
        run.hold_position();
        return Err(Stop::at(RunOutcome::Failed(Failure::RecordsRefused)));
    }
    let facts = &delivered.facts;
    if !paging.has_cursor() {
        let (is_over, truncated) = reading(run).window.advance_second(facts, take_through);
        run.remember_truncated(truncated);
        return if is_over { end(run, Basis::Reading).await } else { run.commit().await };
    }
    match reading(run).window.advance(facts, cursor, total, paging, limit) {
        AfterPage::NextPage => run.commit().await,
        AfterPage::Complete => end(run, Basis::Reading).await,
        AfterPage::Broken(error) => restart(run, error).await,
    }
}

fn reading<'r, P: Ports>(run: &'r mut Run<'_, P>) -> &'r mut Reading {
    run.reading.as_mut().expect("a page belongs to an open reading")
}

async fn restart<P: Ports>(run: &mut Run<'_, P>, error: WindowError) -> Result<(), Stop> {
    let paging = run.config.spec.paging;
    match reading(run).window.restart(error, paging) {
        Some(warning) => {
            run.stats.warnings.push(warning);
            Ok(())
        }
        None => end(run, Basis::BrokenReading(error)).await,
    }
}

async fn end<P: Ports>(run: &mut Run<'_, P>, basis: Basis) -> Result<(), Stop> {
    let Some(mut reading) = run.reading.take() else {
        return Ok(());
    };
    let window = &reading.window;
    // After a restart inside the span, Duo's count covers only the rest.
    if window.from == window.mintime {
        reading.duo_count = window.expected.or(reading.duo_count);
    }
    if basis == Basis::BrokenReading(WindowError::CountShort) {
        run.stats.warnings.push(reading.window.count_disagrees());
    }
    run.warn_of_missing_cursors(&reading.window);
    conclude(run, &reading, basis).await
}

/// Handles a refused request. A backfill fails; any other run continues without reconciliation and
/// reports it at its end, so that live collection is unaffected.
fn refuse<P: Ports>(run: &mut Run<'_, P>, error: FetchError) -> Result<(), Stop> {
    if run.config.backfill.is_some() {
        return Err(Stop::failed(Failure::Duo, error));
    }
    run.reading = None;
    run.reconciliation = Reconciliation::Refused(error);
    Ok(())
}
