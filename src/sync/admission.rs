//! Decides whether a run may start.

use chrono::TimeDelta;

use super::LogConfig;
use super::checkpoint::Checkpoint;
use super::outcome::{Failure, RunOutcome, RunResult, RunStats, Warning};
use super::ports::Ports;
use super::state::Run;
use super::stop::{LONGEST_PAUSE, Stop};
use crate::model::{HOUR, Millis, RETENTION};
use crate::storage::{Document as _, StorageError, Version, WriteError};

/// A lease that expires later than this was written by a wrong clock and is ignored.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(10);
/// How long another destination must be unused before this one takes over.
const HANDOVER: TimeDelta = TimeDelta::minutes(15);
/// Interval between requests for a log that is unavailable.
const REQUEST_AGAIN: TimeDelta = HOUR;

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
        let first = first_checkpoint(config, ports.now(), stats)?;
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

fn first_checkpoint(
    config: &LogConfig,
    now: Millis,
    stats: &mut RunStats,
) -> Result<Checkpoint, Stop> {
    if let Some(span) = config.backfill {
        return Ok(Checkpoint::of_backfill(span, now));
    }
    let wanted = config.first_mintime;
    if wanted > now + HOUR {
        return Err(Stop::at(RunOutcome::Failed(Failure::Future)));
    }
    let oldest = now - RETENTION;
    // One hour of tolerance: the start is rounded down and was computed a moment ago.
    if wanted + HOUR < oldest {
        stats.warnings.push(Warning::Gap { from: wanted, to: oldest });
    }
    Ok(Checkpoint::first(wanted.max(oldest), now))
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
