//! One run of one log, from the stored checkpoint to the last write of it.

use chrono::TimeDelta;

use super::admission::admit;
use super::checkpoint::{BackOff, Checkpoint, Destination, Lease, Unavailable};
use super::limits::Limits;
use super::live::{self, Live};
use super::outcome::{Failure, RunOutcome, RunResult, RunStats};
use super::ports::Ports;
use super::reconcile::{self, OpenReading, Reconciliation};
use super::refused::RefusedRecords;
use super::stop::{LastWrite, Stop};
use super::token_bucket::ACCOUNT_SHARE;
use crate::model::{DAY, Millis};
use crate::storage::{Document as _, Ledger, Version, WriteError};

/// How long a lease outlives the longest request made under it.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(60);
/// A request begins only while the lease outlives it by this much: the ledger is written under it too.
const LEASE_RESERVE: TimeDelta = TimeDelta::seconds(30);
/// Longest sleep for the rate limit inside a run; longer waits happen between runs.
pub(super) const LONGEST_RATE_WAIT: TimeDelta = TimeDelta::seconds(5);
/// Live requests after which one for reconciliation is made, while the log is behind.
const LIVE_REQUESTS: u32 = 4;

/// A run in progress.
pub(super) struct Run<'a, P: Ports> {
    pub(super) ports: &'a P,
    pub(super) limits: &'a Limits,
    /// No request begins after this.
    pub(super) deadline: Millis,
    /// How far the run came; saved with [`Run::commit`].
    pub(super) checkpoint: Checkpoint,
    /// The checkpoint as read or written last.
    pub(super) stored: Checkpoint,
    version: Option<Version>,
    /// Whether there is something that the next write has to save.
    is_unsaved: bool,
    /// Whether this run took the lease: one that an earlier run of this process left behind proves nothing of storage.
    has_lease: bool,
    pub(super) ledger: Ledger<P::Store>,
    pub(super) refused: RefusedRecords,
    pub(super) live: Live,
    /// Closed hours that are read again.
    pub(super) reading: Option<OpenReading>,
    pub(super) reconciliation: Reconciliation,
    /// The oldest moment that Duo still keeps.
    pub(super) oldest: Millis,
    /// How far the local clock is ahead of Duo's, as far as responses showed.
    pub(super) clock_ahead: TimeDelta,
    pub(super) stats: RunStats,
}

/// Runs a log until it is caught up, or its time, its requests or its luck run out.
///
/// Never panics on what a service returned; every error is in the result. A future that is dropped is a killed process:
/// nothing is lost, and the next run delivers at most one batch again.
pub async fn run_log<P: Ports>(ports: &P, limits: &Limits) -> RunResult {
    let mut run = match admit(ports, limits).await {
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

impl<'a, P: Ports> Run<'a, P> {
    pub(super) fn new(
        ports: &'a P,
        limits: &'a Limits,
        (stored, version): (Checkpoint, Version),
        stats: RunStats,
    ) -> Self {
        let deadline = ports.now() + limits.run_time_limit;
        Self {
            ports,
            limits,
            deadline,
            checkpoint: stored.clone(),
            stored,
            version: Some(version),
            is_unsaved: false,
            has_lease: false,
            ledger: Ledger::new(ports.state().clone()),
            refused: RefusedRecords::default(),
            live: Live::default(),
            reading: None,
            reconciliation: Reconciliation::Open,
            oldest: Millis(i64::MIN),
            clock_ahead: TimeDelta::zero(),
            stats,
        }
    }

    pub(super) fn now(&self) -> Millis {
        self.ports.now()
    }

    /// Reads one page, or reconciles one step further. While the log is behind, one request in five goes to
    /// reconciliation.
    async fn take_turn(&mut self) -> Result<(), Stop> {
        if self.ports.is_shutdown_requested() {
            return Err(Stop::at(RunOutcome::ShutdownRequested));
        }
        let now = self.now();
        let has_live = live::plan(self, now);
        let has_due = reconcile::is_due(self, now);
        if !has_live && !has_due {
            return Err(Stop::at(RunOutcome::CaughtUp));
        }
        let live_requests = self.checkpoint.reconciliation.live_requests;
        if has_live && (!has_due || live_requests < LIVE_REQUESTS) {
            live::read_page(self).await?;
        } else {
            reconcile::step(self, now).await?;
        }
        self.ports.progress(reconcile::reached(self), &self.stats);
        Ok(())
    }

    /// Takes the lease, or renews it if it would expire before a request that begins now has ended.
    pub(super) async fn hold_lease(&mut self) -> Result<(), Stop> {
        let needed_until = self.now() + self.timeout() + LEASE_RESERVE;
        let lease = self.checkpoint.lease.as_ref();
        if self.has_lease && lease.is_some_and(|lease| lease.expires_at >= needed_until) {
            return Ok(());
        }
        self.renew_lease();
        self.save().await?;
        self.has_lease = true;
        Ok(())
    }

    fn renew_lease(&mut self) {
        let expires_at = self.now() + self.timeout() + LEASE_MARGIN;
        self.checkpoint.lease = Some(Lease {
            owner: self.limits.owner.clone(),
            expires_at,
        });
        self.sign_destination();
    }

    /// Binds the state to the destination of its rows, also while there are none.
    fn sign_destination(&mut self) {
        let fingerprint = self.limits.destination.clone();
        self.checkpoint.destination = Some(Destination {
            fingerprint,
            used_at: self.now(),
        });
    }

    fn timeout(&self) -> TimeDelta {
        TimeDelta::from_std(self.checkpoint.timeout()).expect("at most two minutes")
    }

    /// Saves how far the run came, unless it ends here: then its last write does.
    pub(super) async fn commit(&mut self) -> Result<(), Stop> {
        self.checkpoint.back_off = None;
        self.is_unsaved = true;
        self.sign_destination();
        if let Some(outcome) = self.outcome_so_far() {
            return Err(Stop::at(outcome));
        }
        if self.holds_lease() {
            self.renew_lease();
        }
        self.save().await
    }

    /// How the run ends if it ends now, where it has to.
    fn outcome_so_far(&self) -> Option<RunOutcome> {
        let now = self.now();
        if self.live.is_done && !reconcile::is_due(self, now) {
            Some(RunOutcome::CaughtUp)
        } else if self.ports.is_shutdown_requested() {
            Some(RunOutcome::ShutdownRequested)
        } else if now >= self.deadline {
            Some(RunOutcome::OutOfTime)
        } else {
            self.is_rate_limited(now).then_some(RunOutcome::RateLimited)
        }
    }

    /// Whether the next request would have to wait for longer than a run does.
    fn is_rate_limited(&self, now: Millis) -> bool {
        let rate = self.limits.requests_per_minute;
        let mut rates = self.checkpoint.rate;
        let waits = [
            rates.log.take(rate, 1, now),
            rates.account.take(rate, ACCOUNT_SHARE, now),
        ];
        waits
            .into_iter()
            .any(|taken| taken.is_err_and(|wait| wait > LONGEST_RATE_WAIT))
    }

    fn holds_lease(&self) -> bool {
        let lease = self.checkpoint.lease.as_ref();
        lease.is_some_and(|lease| lease.owner == self.limits.owner)
    }

    /// The checkpoint with how far the windows at hand were read. While refused records wait, it stays before them.
    pub(super) fn snapshot(&self) -> Checkpoint {
        let mut checkpoint = self.checkpoint.clone();
        if self.limits.page_order.has_cursor() {
            checkpoint.window = self.live.window.as_ref().map(|open| open.window.clone());
        }
        if let Some(reading) = &self.reading {
            checkpoint.reconciliation.reading = Some(reading.stored());
        }
        if let Some(held) = self.refused.held_position() {
            checkpoint.mintime = held.mintime;
            checkpoint.window.clone_from(&held.window);
            checkpoint.reconciliation.clone_from(&held.reconciliation);
        }
        checkpoint
    }

    /// Stores the checkpoint in place of the one that was read.
    pub(super) async fn save(&mut self) -> Result<(), Stop> {
        let checkpoint = self.snapshot();
        let saved = self
            .ports
            .state()
            .save(checkpoint.to_json(), self.version.as_ref())
            .await;
        match saved {
            Ok(version) => {
                self.version = Some(version);
                self.stored = checkpoint;
                self.is_unsaved = false;
                Ok(())
            }
            Err(WriteError::Conflict) => Err(Stop::lease_lost()),
            Err(WriteError::Failed(error)) => Err(Stop::storage(error)),
        }
    }

    /// The last write: how far the run came, the lease given back, and what keeps the log from continuing at once.
    async fn end(mut self, stop: Stop) -> RunResult {
        let mut outcome = self.whole_outcome(stop.outcome);
        let mut error = stop
            .error
            .map(|error| *error)
            .or_else(|| self.remaining_error(outcome));
        let must_write = match stop.last_write {
            LastWrite::Progress => self.is_unsaved || self.holds_lease(),
            LastWrite::BackOff { retry_at, cause } => {
                let count = self
                    .checkpoint
                    .back_off
                    .map_or(0, |before| before.count)
                    .saturating_add(1);
                self.checkpoint.back_off = Some(BackOff {
                    retry_at,
                    count,
                    cause,
                });
                true
            }
            LastWrite::Unavailable => {
                outcome = RunOutcome::Unavailable {
                    report: self.mark_unavailable(),
                };
                true
            }
            LastWrite::None => false,
        };
        if must_write {
            self.checkpoint.lease = None;
            // Another instance that wrote meanwhile knows better.
            if let Err(Stop {
                outcome: RunOutcome::Failed(failure),
                error: fault,
                ..
            }) = self.save().await
            {
                (outcome, error) = (RunOutcome::Failed(failure), fault.map(|fault| *fault));
            }
        }
        RunResult {
            outcome,
            error,
            checkpoint: Some(self.stored),
            stats: self.stats,
        }
    }

    /// Reconciliation that is left to the next run does not keep the log from having caught up; records that are neither
    /// delivered nor dead-lettered do, and a refused reconciliation is reported.
    fn whole_outcome(&self, outcome: RunOutcome) -> RunOutcome {
        let ends_well = matches!(
            outcome,
            RunOutcome::CaughtUp | RunOutcome::OutOfTime | RunOutcome::RateLimited
        );
        match outcome {
            _ if ends_well && self.refused.are_waiting() => {
                RunOutcome::Failed(Failure::RecordsRefused)
            }
            _ if ends_well && self.reconciliation.is_refused() => {
                RunOutcome::Failed(Failure::Reconciliation)
            }
            _ if ends_well && self.live.is_done && self.limits.backfill.is_none() => {
                RunOutcome::CaughtUp
            }
            outcome => outcome,
        }
    }

    fn remaining_error(&self, outcome: RunOutcome) -> Option<super::RunError> {
        match outcome {
            RunOutcome::Failed(Failure::RecordsRefused) => self.refused.error(),
            RunOutcome::Failed(Failure::Reconciliation) => self.reconciliation.error(),
            _ => None,
        }
    }

    /// Notes that Duo refuses the log. Returns whether to report it: once a day.
    fn mark_unavailable(&mut self) -> bool {
        let now = self.now();
        let before = self.checkpoint.unavailable;
        let report = before.is_none_or(|before| now - before.reported_at >= DAY);
        self.checkpoint.unavailable = Some(Unavailable {
            since: before.map_or(now, |before| before.since),
            asked_at: now,
            reported_at: before
                .filter(|_| !report)
                .map_or(now, |before| before.reported_at),
        });
        report
    }
}
