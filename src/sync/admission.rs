//! Decides whether a run may start.

use chrono::TimeDelta;

use super::LogConfig;
use super::checkpoint::Checkpoint;
use super::hours::{DayResults, HourResult};
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

/// The first checkpoint of a log: at the start in the settings, or after the last settled hour if
/// the checkpoint was deleted. If the settings then have a later start, the hours between that
/// were not read are a gap, which is reported.
async fn first_checkpoint<P: Ports>(
    ports: &P,
    config: &LogConfig,
    stats: &mut RunStats,
) -> Result<Checkpoint, Stop> {
    let now = ports.now();
    let (set, is_explicit) = config.start;
    if set > now + HOUR {
        return Err(Stop::at(RunOutcome::Failed(Failure::Future)));
    }
    if let Some(evidence) = evidence(ports.state(), now).await.map_err(Stop::storage)? {
        let mut checkpoint = Checkpoint::restored(evidence.settled_to, now);
        let skipped = Span { from: evidence.read_to, to: set };
        if is_explicit && checkpoint.reconciliation.remember_gap(skipped) {
            stats.warnings.push(Warning::StartAfterLedger { from: skipped.from, to: set });
        } else {
            stats.warnings.push(Warning::CheckpointRestored { from: evidence.settled_to });
        }
        if is_explicit {
            checkpoint.mintime = checkpoint.mintime.max(set);
        }
        // `admit` reports what Duo no longer has.
        return Ok(checkpoint);
    }
    let oldest = now - RETENTION + START_MARGIN;
    // One hour of tolerance: the start is rounded down and was computed a moment ago.
    if set + HOUR < oldest {
        stats.warnings.push(Warning::Gap { from: set, to: oldest });
    }
    Ok(Checkpoint::first(set.max(oldest), now))
}

/// What the ledger shows about live collection.
#[derive(Clone, Copy)]
struct Evidence {
    /// End of the last settled hour. Later hours still have their ids, so they can be read again.
    /// Without a settled hour, the start of the earliest one.
    settled_to: Millis,
    /// End of the last hour with a result.
    read_to: Millis,
}

async fn evidence(state: &LogState, now: Millis) -> Result<Option<Evidence>, StorageError> {
    let mut days = state.days_with_results().await?;
    days.retain(|day| day.start() <= now);
    let mut earliest = None;
    let mut read_to = None;
    for day in days.into_iter().rev() {
        let results: DayResults = state.results(day).await?;
        let is_live =
            |(hour, result): &(Hour, HourResult)| !result.is_backfill && hour.end() <= now;
        let hours: Vec<_> = results.by_hour(day).filter(is_live).collect();
        read_to = read_to.or(hours.last().map(|(_, result)| result.span.to));
        let settled = hours.iter().rfind(|(_, result)| result.is_final());
        if let Some(((hour, _), read_to)) = settled.zip(read_to) {
            return Ok(Some(Evidence { settled_to: hour.end(), read_to }));
        }
        earliest = hours.first().map(|(_, result)| result.span.from).or(earliest);
    }
    if let Some((settled_to, read_to)) = earliest.zip(read_to) {
        return Ok(Some(Evidence { settled_to, read_to }));
    }
    let mut hours = state.entry_counts().await?.into_keys();
    let earliest = hours.find(|hour| *hour != Hour::UNDATED).map(Hour::start);
    Ok(earliest.map(|earliest| Evidence { settled_to: earliest, read_to: earliest }))
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
