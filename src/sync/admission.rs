//! Whether a run may work on its log at all.

use chrono::TimeDelta;

use super::LogConfig;
use super::checkpoint::Checkpoint;
use super::outcome::{Failure, RunOutcome, RunResult, RunStats, Warning};
use super::ports::Ports;
use super::state::Run;
use super::stop::{LONGEST_PAUSE, Stop};
use crate::model::{HOUR, Millis, RETENTION};
use crate::storage::{Document as _, StorageError, Version, WriteError};

/// A lease that expires later than this was written by a clock that is wrong; it is not waited for.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(10);
/// How long another destination must have been silent before this one takes over.
const HANDOVER: TimeDelta = TimeDelta::minutes(15);
/// Pause between two requests for a log that Duo refuses.
const REQUEST_AGAIN: TimeDelta = HOUR;

/// Reads or creates the checkpoint, and decides from it whether the run may begin.
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
    // It is passed over when a window is planned, and never moved by itself: a clock that is wrong for a while must not move it
    // for good.
    if mintime < run.oldest {
        run.stats.warnings.push(Warning::Gap { from: mintime, to: run.oldest });
    }
    Ok(run)
}

/// The stored checkpoint. The first one is stored before the first request to Duo, also for a log that Duo will refuse: a
/// later success starts there.
async fn read_or_create<P: Ports>(
    ports: &P,
    config: &LogConfig,
    stats: &mut RunStats,
) -> Result<(Checkpoint, Version), Stop> {
    // Where another instance stored the first checkpoint before this one could, that one counts.
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
        reason: "storage says that it exists, and does not return it".to_owned(),
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
    // An hour of slack: a start is rounded down, and some time passed since it was computed.
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
        // A time far ahead was written by a clock that is wrong.
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
