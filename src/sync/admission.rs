//! Decides whether a run may start.

use chrono::TimeDelta;

use super::LogConfig;
use super::checkpoint::Checkpoint;
use super::hours::DayResults;
use super::outcome::{Failure, RunOutcome, RunResult, RunStats, Warning};
use super::ports::Ports;
use super::state::Run;
use super::stop::{LONGEST_PAUSE, Stop};
use crate::model::{HOUR, Hour, Millis, RETENTION, Span};
use crate::storage::{Document as _, LogState, StorageError, Version, WriteError};

/// A lease that expires later than this was written by a wrong clock and is ignored.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(10);
/// How long another destination must be unused before this one takes over.
const HANDOVER: TimeDelta = TimeDelta::minutes(15);
/// Interval between requests for a log that is unavailable.
const REQUEST_AGAIN: TimeDelta = HOUR;
/// A first run starts this much after the start of Duo's retention, so that the events are not too
/// old before they are read.
const START_MARGIN: TimeDelta = TimeDelta::minutes(10);

/// Reads or creates the checkpoint and decides from it whether the run may start.
pub(super) async fn admit<'a, P: Ports>(
    ports: &'a P,
    config: &'a LogConfig,
) -> Result<Run<'a, P>, RunResult> {
    let mut stats = RunStats::default();
    let stored = match read_or_create(ports, config, &mut stats).await {
        Ok(stored) => stored,
        Err(Stop { outcome, error, .. }) => {
            let error = error.map(|error| *error);
            return Err(RunResult { outcome, error, checkpoint: None, stats });
        }
    };
    if let Some(outcome) = refusal(ports, config, &stored.0, &mut stats) {
        return Err(RunResult { outcome, error: None, checkpoint: Some(stored.0), stats });
    }
    let mut run = Run::new(ports, config, stored, stats);
    run.oldest = run.now() - RETENTION;
    run.leave_window();
    let mintime = run.checkpoint.mintime;
    // The planner skips the gap; `mintime` stays, as the clock may be wrong temporarily.
    if mintime < run.oldest {
        run.stats.warnings.push(Warning::Gap { from: mintime, to: run.oldest });
    }
    Ok(run)
}

/// Loads the checkpoint, or stores the first one. That happens before the first request to Duo,
/// even for a log that Duo will refuse, so that a later success starts from it.
async fn read_or_create<P: Ports>(
    ports: &P,
    config: &LogConfig,
    stats: &mut RunStats,
) -> Result<(Checkpoint, Version), Stop> {
    // If another instance stored the first checkpoint in the meantime, its checkpoint is used.
    for _ in 0..2 {
        if let Some(stored) = ports.state().load().await.map_err(Stop::storage)? {
            return Ok(stored);
        }
        let first = match config.backfill {
            Some(span) => Checkpoint::of_backfill(span, ports.now()),
            None => first_checkpoint(ports, config, stats).await?,
        };
        match ports.state().save(first.to_json(), None).await {
            Ok(version) => return Ok((first, version)),
            Err(WriteError::Conflict) => stats.warnings.clear(),
            Err(WriteError::Failed(error)) => return Err(Stop::storage(error)),
        }
    }
    Err(Stop::storage(StorageError {
        action: "create",
        name: ports.state().checkpoint_name(),
        reason: "it exists but could not be read".to_owned(),
        hint: None,
    }))
}

/// The first checkpoint of a log: where the ledger ends, if the checkpoint was deleted, otherwise
/// the start in the settings. A later start in the settings leaves a gap, which is reported.
async fn first_checkpoint<P: Ports>(
    ports: &P,
    config: &LogConfig,
    stats: &mut RunStats,
) -> Result<Checkpoint, Stop> {
    let now = ports.now();
    let collected_to = collected_to(ports.state(), now).await.map_err(Stop::storage)?;
    let (set, is_explicit) = config.start;
    if set > now + HOUR {
        return Err(Stop::at(RunOutcome::Failed(Failure::Future)));
    }
    let is_skipped = |collected_to: &Millis| is_explicit && set > *collected_to;
    if let Some(from) = collected_to.filter(is_skipped) {
        stats.warnings.push(Warning::StartAfterLedger { from, to: set });
        let mut checkpoint = Checkpoint::restored(from, now);
        checkpoint.mintime = set;
        checkpoint.reconciliation.remember_gap(Span { from, to: set });
        return Ok(checkpoint);
    }
    if let Some(from) = collected_to {
        stats.warnings.push(Warning::CheckpointRestored { from });
        // `admit` reports what Duo no longer has.
        return Ok(Checkpoint::restored(from, now));
    }
    let oldest = now - RETENTION + START_MARGIN;
    // One hour of tolerance: the start is rounded down and was computed a moment ago.
    if set + HOUR < oldest {
        stats.warnings.push(Warning::Gap { from: set, to: oldest });
    }
    Ok(Checkpoint::first(set.max(oldest), now))
}

/// Where collection stood according to the ledger: the end of the last hour that live collection
/// made final. Later hours still have their entries, so they can be read again. Without a final
/// hour, the start of the earliest hour in the ledger.
async fn collected_to(state: &LogState, now: Millis) -> Result<Option<Millis>, StorageError> {
    let mut days = state.days_with_results().await?;
    days.retain(|day| day.start() <= now);
    let mut earliest = None;
    for day in days.into_iter().rev() {
        let results: DayResults = state.results(day).await?;
        let hours: Vec<_> = results.by_hour(day).filter(|(_, hour)| !hour.is_backfill).collect();
        let last_final =
            hours.iter().rfind(|(hour, result)| result.is_final() && hour.end() <= now);
        if let Some((hour, _)) = last_final {
            return Ok(Some(hour.end()));
        }
        earliest = hours.first().map(|(_, result)| result.span.from).or(earliest);
    }
    if earliest.is_some() {
        return Ok(earliest);
    }
    let hours = state.hours_with_entries().await?;
    Ok(hours.into_iter().filter(|hour| *hour != Hour::UNDATED).min().map(Hour::start))
}

fn refusal<P: Ports>(
    ports: &P,
    config: &LogConfig,
    checkpoint: &Checkpoint,
    stats: &mut RunStats,
) -> Option<RunOutcome> {
    let now = ports.now();
    if let Some(last) = &checkpoint.destination
        && last.fingerprint != config.destination
    {
        // A time far in the future was written by a wrong clock.
        if (-LONGEST_LEASE..HANDOVER).contains(&(now - last.used_at)) {
            let free_at = last.used_at + HANDOVER;
            return Some(RunOutcome::Failed(Failure::OtherDestination { free_at }));
        }
        stats.warnings.push(Warning::DestinationChanged);
    }
    if let Some(lease) = &checkpoint.lease
        && lease.owner != config.owner
    {
        if ports.is_gone(&lease.owner) {
            stats.warnings.push(Warning::LeaseTakenOver);
        } else if lease.expires_at > now && lease.expires_at - now <= LONGEST_LEASE {
            return Some(RunOutcome::LeaseHeld);
        }
    }
    if let Some(back_off) = checkpoint.back_off {
        let left = back_off.retry_at - now;
        if left > TimeDelta::zero() && left <= LONGEST_PAUSE {
            return Some(RunOutcome::BackingOff {
                until: back_off.retry_at,
                cause: back_off.cause,
            });
        }
    }
    if let Some(unavailable) = checkpoint.unavailable
        && (TimeDelta::zero()..REQUEST_AGAIN).contains(&(now - unavailable.requested_at))
    {
        return Some(RunOutcome::Unavailable { report: false });
    }
    (checkpoint.mintime > now + HOUR).then_some(RunOutcome::Failed(Failure::Future))
}
