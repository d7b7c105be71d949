//! Stores the results of a reconciliation and its progress.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::hours::{DayResults, HourResult, HourState, RESULT_DAYS};
use super::outcome::{Warning, WindowError};
use super::ports::Ports;
use super::schedule::{Reading, STAGES, due_stage};
use super::state::{Reconciliation, Run};
use super::stop::Stop;
use crate::model::{HOUR, Hour, Millis, Span};

/// An hour first reconciled later than this after its end is verified late.
const LATE: TimeDelta = TimeDelta::hours(24);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// Duo's count agrees with the ledger.
    Count,
    /// The hours were read completely.
    Reading,
    /// The reading could not be completed.
    BrokenReading(WindowError),
    /// No request was made: the hours are older than Duo's retention.
    Nothing,
}

/// Stores results and progress, and removes ledger entries that no reading needs any more.
pub(super) async fn conclude<P: Ports>(
    run: &mut Run<'_, P>,
    reading: &Reading,
    basis: Basis,
) -> Result<(), Stop> {
    // A local clock that is ahead must not make an hour final before its time.
    let now = run.now() - run.clock_ahead;
    let hours = hours_with_results(run, reading);
    let delivered = run.ledger.delivered(&hours).await.map_err(Stop::storage)?;
    if must_be_narrowed(run, reading, basis, delivered.iter().sum()) {
        let state = &mut run.checkpoint.reconciliation;
        state.reading = None;
        state.narrow_until = Some(reading.span.to);
        return run.commit().await;
    }
    let results: Vec<(Hour, HourResult)> = hours
        .iter()
        .zip(delivered)
        .map(|(hour, delivered)| (*hour, result(run, reading, basis, *hour, delivered, now)))
        .collect();
    let Some(removable) = note_progress(run, reading, basis, hours.first().copied(), now) else {
        run.reconciliation = Reconciliation::NotDueYet;
        return Ok(());
    };
    store(run, &results, &removable).await?;
    for (hour, HourResult { state, duo_count, delivered, .. }) in &results {
        run.stats.reconciled.push((*hour, *state));
        let short = duo_count.filter(|count| delivered < count && *state == HourState::Unknown);
        if let Some(counted) = short.filter(|_| basis == Basis::Reading) {
            let (from, to) = (hour.start(), hour.end().previous());
            run.stats.warnings.push(Warning::CountDisagrees {
                from,
                to,
                counted,
                returned: *delivered,
            });
        }
    }
    run.commit().await
}

/// Stores results, then removes entries; after a crash in between the next run removes them.
async fn store<P: Ports>(
    run: &mut Run<'_, P>,
    results: &[(Hour, HourResult)],
    removable: &[Hour],
) -> Result<(), Stop> {
    let mut by_day: BTreeMap<Hour, Vec<&(Hour, HourResult)>> = BTreeMap::new();
    for result in results {
        by_day.entry(result.0.day()).or_default().push(result);
    }
    let state = run.ports.state();
    for (day, results) in by_day {
        let add = |known: &mut DayResults| {
            for (hour, result) in &results {
                known.add(*hour, result.clone());
            }
        };
        state.update_results(day, add).await.map_err(Stop::storage)?;
    }
    for hour in removable {
        run.ledger.remove(*hour).await.map_err(Stop::storage)?;
        if *hour == hour.day() {
            let expired = hour.after(-24 * RESULT_DAYS);
            state.remove_results(expired).await.map_err(Stop::storage)?;
        }
    }
    Ok(())
}

/// The hours to store results for. A log without counts is read 48 hours at once: most of its hours
/// already have a result, and get another one at their last stage.
fn hours_with_results<P: Ports>(run: &Run<'_, P>, reading: &Reading) -> Vec<Hour> {
    let backfill = run.config.backfill;
    if run.config.spec.paging.has_counts() || backfill.is_some() {
        return reading.span.hours().collect();
    }
    let state = &run.checkpoint.reconciliation;
    let began_at = reading.began_at;
    let is_whole = |hour: &Hour| hour.end() <= reading.span.to;
    let needs_result = |hour: &Hour| {
        *hour >= state.results_from()
            || reading.late.contains_key(hour)
            || state.gap_in(*hour).is_some()
            || state.finalizes(*hour, reading.span.to, began_at)
    };
    reading.span.hours().filter(is_whole).filter(needs_result).collect()
}

/// Whether a short reading of several hours must be repeated one hour at a time.
fn must_be_narrowed<P: Ports>(
    run: &Run<'_, P>,
    reading: &Reading,
    basis: Basis,
    delivered: u64,
) -> bool {
    let reads_several = run.config.backfill.is_some() || run.config.spec.paging.has_counts();
    let is_short = match basis {
        Basis::BrokenReading(_) => true,
        Basis::Reading => reading.duo_count.is_some_and(|count| delivered < count),
        Basis::Count | Basis::Nothing => false,
    };
    reads_several && is_short && reading.span.to - reading.span.from > HOUR
}

/// Records the progress of reconciliation. Returns the hours whose ledger entries can be removed
/// according to the stored checkpoint: hours that this reading makes final could be read again if
/// the checkpoint is not stored. `None` if nothing is due by Duo's clock.
fn note_progress<P: Ports>(
    run: &mut Run<'_, P>,
    reading: &Reading,
    basis: Basis,
    first: Option<Hour>,
    now: Millis,
) -> Option<Vec<Hour>> {
    let state = &mut run.checkpoint.reconciliation;
    let has_counts = run.config.spec.paging.has_counts();
    let due = due_stage(Hour::of(reading.span.to.previous()), now);
    if run.config.backfill.is_none() && has_counts && due.is_none() {
        return None;
    }
    state.reading = None;
    let removable = state.take_removable(run.config.spec.followed_for);
    if run.config.backfill.is_some() {
        state.done(reading.span, 0);
    } else if reading.is_live {
        state.done_by_age(reading.span, reading.began_at);
    } else if has_counts {
        state.done(reading.span, due.map_or(0, |due| due.min(reading.stage)));
    } else {
        let is_broken = matches!(basis, Basis::BrokenReading(_));
        let incomplete = reading.window.incomplete.first().copied();
        state.unverified = first.filter(|_| is_broken).or(incomplete);
        let began_at = reading.began_at.min(now);
        if reading.span.from < state.next[STAGES - 1].start() {
            state.followed_at = Some(began_at);
        }
        let has_advanced = state.reread_done(reading.span.to, began_at);
        // After hours beyond Duo's retention, the next ones follow at once.
        if basis != Basis::Nothing || !has_advanced {
            state.reread_at = Some(run.ports.now());
        }
    }
    state.forget_gaps();
    Some(removable)
}

fn result<P: Ports>(
    run: &Run<'_, P>,
    reading: &Reading,
    basis: Basis,
    hour: Hour,
    delivered: u64,
    now: Millis,
) -> HourResult {
    let state = &run.checkpoint.reconciliation;
    let is_one_hour = reading.span.within(Span::of(hour)) == Some(reading.span);
    let duo_count = reading.duo_count.filter(|_| is_one_hour);
    let is_short = duo_count.is_some_and(|count| delivered < count);
    let is_first = state.next[0] <= hour;
    let gap = state.gap_in(hour);
    let state = match basis {
        _ if gap.is_some() => HourState::Gap,
        Basis::Nothing | Basis::BrokenReading(_) => HourState::Unknown,
        Basis::Reading if reading.window.incomplete.contains(&hour) => HourState::Unknown,
        Basis::Count => HourState::CountMatched,
        Basis::Reading if is_short => HourState::Unknown,
        Basis::Reading if is_first && now - hour.end() > LATE => HourState::VerifiedLate,
        Basis::Reading => HourState::Verified,
    };
    HourResult {
        state,
        span: reading.span.within(Span::of(hour)).unwrap_or(Span::of(hour)),
        duo_count,
        delivered,
        late: reading.late.get(&hour).copied().unwrap_or(0),
        gap,
        read_at: (basis == Basis::Reading).then_some(reading.began_at),
        reconciled_at: run.now(),
        stages: stage_of(run, reading, hour, now) + 1,
        is_backfill: run.config.backfill.is_some(),
        unknown: serde_json::Map::new(),
    }
}

/// The stage that a reconciliation is for an hour; in a reading of several hours, by their age.
fn stage_of<P: Ports>(run: &Run<'_, P>, reading: &Reading, hour: Hour, now: Millis) -> usize {
    let began_at = reading.began_at.min(now);
    if run.config.spec.paging.has_counts() && run.config.backfill.is_none() && !reading.is_live {
        return reading.stage.min(due_stage(hour, now).unwrap_or(0));
    }
    due_stage(hour, began_at).map_or(reading.stage, |stage| stage.max(reading.stage))
}
