//! One run of one log, from loading the checkpoint to the last write of it.

use super::LogConfig;
use super::admission::admit;
use super::checkpoint::{BackOff, Unavailable};
use super::live;
use super::outcome::{Failure, RunError, RunOutcome, RunResult};
use super::ports::Ports;
use super::reconcile;
use super::state::Run;
use super::stop::{LastWrite, Stop};
use crate::model::DAY;

/// Live requests per reconciliation request while the log is behind.
const LIVE_REQUESTS: u32 = 4;

/// Runs a log until it has caught up, reaches its time or rate limit, or fails.
///
/// Never panics on a response; every error is in the result. Dropping the future is like killing
/// the process: nothing is lost, and the next run duplicates at most one batch.
pub async fn run_log<P: Ports>(ports: &P, config: &LogConfig) -> RunResult {
    let mut run = match admit(ports, config).await {
        Ok(run) => run,
        Err(refusal) => return refusal,
    };
    let stop = loop {
        if let Err(stop) = run.take_turn().await {
            break stop;
        }
    };
    run.end(stop).await
}

impl<P: Ports> Run<'_, P> {
    /// Reads one page or reconciles one step: one request in five while the log is behind.
    async fn take_turn(&mut self) -> Result<(), Stop> {
        if self.ports.is_shutdown_requested() {
            return Err(Stop::at(RunOutcome::ShutdownRequested));
        }
        let now = self.now();
        let has_live = live::plan(self, now);
        let has_due = self.has_due_hours(now);
        if !has_live && !has_due {
            return Err(Stop::at(RunOutcome::CaughtUp));
        }
        let live_requests = self.checkpoint.reconciliation.live_requests;
        if has_live && (!has_due || live_requests < LIVE_REQUESTS) {
            live::read_page(self).await?;
        } else {
            reconcile::step(self, now).await?;
        }
        self.ports.progress(reconcile::reached(self), &self.stats.counts);
        Ok(())
    }

    /// The last write: saves progress, releases the lease, records a back-off or unavailability.
    async fn end(mut self, stop: Stop) -> RunResult {
        let mut outcome = self.whole_outcome(stop.outcome);
        let mut error = stop.error.map(|error| *error).or_else(|| self.remaining_error(outcome));
        let mut is_idle = false;
        let must_write = match stop.last_write {
            LastWrite::Progress => {
                is_idle = self.is_idle();
                self.is_unsaved && !is_idle || self.holds_lease()
            }
            LastWrite::BackOff { retry_at, cause } => {
                let count =
                    self.checkpoint.back_off.map_or(0, |before| before.count).saturating_add(1);
                self.checkpoint.back_off = Some(BackOff { retry_at, count, cause });
                true
            }
            LastWrite::Unavailable => {
                outcome = RunOutcome::Unavailable { report: self.mark_unavailable() };
                true
            }
            LastWrite::None => false,
        };
        if must_write {
            self.checkpoint.lease = None;
            // If another instance wrote in the meantime, its checkpoint stays.
            if let Err(Stop { outcome: RunOutcome::Failed(failure), error: save_error, .. }) =
                self.save().await
            {
                (outcome, error) =
                    (RunOutcome::Failed(failure), save_error.map(|save_error| *save_error));
            }
        }
        self.stats.counts.dead_letters = self.stats.dead_letters.count();
        self.stats.entries = self.ledger.take_appended();
        let checkpoint = if is_idle { self.snapshot() } else { self.stored };
        RunResult { outcome, error, checkpoint: Some(checkpoint), stats: self.stats }
    }

    /// The outcome of the whole run. Open reconciliation does not prevent `CaughtUp`; records that
    /// are neither delivered nor dead-lettered and a refused reconciliation are failures.
    fn whole_outcome(&self, outcome: RunOutcome) -> RunOutcome {
        let ends_well = matches!(
            outcome,
            RunOutcome::CaughtUp | RunOutcome::OutOfTime | RunOutcome::RateLimited
        );
        match outcome {
            _ if ends_well && self.refused.are_waiting() => {
                RunOutcome::Failed(Failure::RecordsRefused)
            }
            _ if ends_well && self.reconciliation.error().is_some() => {
                RunOutcome::Failed(Failure::Reconciliation)
            }
            _ if ends_well && self.live.is_done && self.config.backfill.is_none() => {
                RunOutcome::CaughtUp
            }
            outcome => outcome,
        }
    }

    fn remaining_error(&self, outcome: RunOutcome) -> Option<RunError> {
        match outcome {
            RunOutcome::Failed(Failure::RecordsRefused) => self.refused.error(),
            RunOutcome::Failed(Failure::Reconciliation) => self.reconciliation.error(),
            _ => None,
        }
    }

    /// Marks the log as unavailable. Returns whether to report it, once a day.
    fn mark_unavailable(&mut self) -> bool {
        let now = self.now();
        let before = self.checkpoint.unavailable;
        let report = before.is_none_or(|before| now - before.reported_at >= DAY);
        self.checkpoint.unavailable = Some(Unavailable {
            since: before.map_or(now, |before| before.since),
            requested_at: now,
            reported_at: before.filter(|_| !report).map_or(now, |before| before.reported_at),
        });
        report
    }
}
