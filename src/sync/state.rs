//! A run in progress: its checkpoint, lease, ledger and statistics.

use chrono::TimeDelta;

use super::LogConfig;
use super::checkpoint::{BackOffCause, Checkpoint, Halvings};
use super::outcome::{RunError, RunOutcome, RunStats, Warning};
use super::ports::Ports;
use super::refused::RefusedRecords;
use super::schedule::{Due, Reading};
use super::stop::Stop;
use super::token_bucket::ACCOUNT_SHARE;
use super::window::Window;
use crate::model::{FetchError, Millis, SECOND, Span};
use crate::storage::{Document as _, Ledger, Version, WriteError};

/// Longest sleep for the rate limit within a run; a longer wait ends the run.
pub(super) const LONGEST_RATE_WAIT: TimeDelta = TimeDelta::seconds(5);
/// Longest span without a new record that is not saved; the next run reads it again.
const LONGEST_UNSAVED: TimeDelta = TimeDelta::minutes(15);

/// Consecutive runs without an accepted batch after which one record may be at fault.
const FAILED_RUNS: u32 = 3;

/// Whether this run reconciles closed hours.
pub(super) enum Reconciliation {
    Open,
    /// Hours are due by the local clock, but not by Duo's.
    NotDueYet,
    /// Duo refused a reconciliation request; the run continues without reconciliation.
    Refused(FetchError),
}

impl Reconciliation {
    pub(super) fn error(&self) -> Option<RunError> {
        match self {
            Self::Refused(error) => Some(error.clone().into()),
            Self::Open | Self::NotDueYet => None,
        }
    }
}

#[derive(Default)]
pub(super) struct Live {
    pub(super) window: Option<Window>,
    /// Whether this run has planned a window.
    pub(super) is_planned: bool,
    /// Whether everything that was readable when the run began was read.
    pub(super) is_done: bool,
}

pub(super) struct Run<'a, P: Ports> {
    pub(super) ports: &'a P,
    pub(super) config: &'a LogConfig,
    /// No request starts after this time.
    pub(super) deadline: Millis,
    /// Progress of the run; saved with [`Run::commit`].
    pub(super) checkpoint: Checkpoint,
    /// The checkpoint as last loaded or saved.
    pub(super) stored: Checkpoint,
    version: Option<Version>,
    /// Whether `checkpoint` has unsaved progress.
    pub(super) is_unsaved: bool,
    /// Whether this run took the lease; one left by an earlier run of the process does not count.
    pub(super) has_lease: bool,
    pub(super) ledger: Ledger,
    pub(super) refused: RefusedRecords,
    pub(super) live: Live,
    pub(super) reading: Option<Reading>,
    pub(super) reconciliation: Reconciliation,
    /// Start of Duo's retention.
    pub(super) oldest: Millis,
    /// Whether the last runs ended because Azure Monitor failed.
    pub(super) is_stuck: bool,
    /// How far the local clock is ahead of Duo's, according to responses.
    pub(super) clock_ahead: TimeDelta,
    pub(super) stats: RunStats,
}

impl<'a, P: Ports> Run<'a, P> {
    pub(super) fn new(
        ports: &'a P,
        config: &'a LogConfig,
        (stored, version): (Checkpoint, Version),
        stats: RunStats,
    ) -> Self {
        let deadline = ports.now() + config.limits.run_time_limit;
        let is_stuck = stored.back_off.is_some_and(|back_off| {
            back_off.count >= FAILED_RUNS && back_off.cause == BackOffCause::AzureUnreachable
        });
        Self {
            ports,
            config,
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
            is_stuck,
            clock_ahead: TimeDelta::zero(),
            stats,
        }
    }

    pub(super) fn now(&self) -> Millis {
        self.ports.now()
    }

    /// Newest time for which Duo returned every record when it sent a response.
    pub(super) fn shown_through(&self, server_time: Option<Millis>) -> Millis {
        let now = self.now();
        server_time.map_or(now, |time| time.min(now)) - self.config.limits.window_delay
    }

    /// Saves the progress, unless the run ends here: the last write then saves it.
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

    fn outcome_so_far(&self) -> Option<RunOutcome> {
        let now = self.now();
        if self.live.is_done && !self.has_due_hours(now) {
            Some(RunOutcome::CaughtUp)
        } else if self.ports.is_shutdown_requested() {
            Some(RunOutcome::ShutdownRequested)
        } else if now >= self.deadline {
            Some(RunOutcome::OutOfTime)
        } else {
            self.is_rate_limited(now).then_some(RunOutcome::RateLimited)
        }
    }

    fn is_rate_limited(&self, now: Millis) -> bool {
        let rate = self.config.limits.requests_per_minute;
        let mut rates = self.checkpoint.rate;
        let waits = [rates.log.take(rate, 1, now), rates.account.take(rate, ACCOUNT_SHARE, now)];
        waits.into_iter().any(|taken| taken.is_err_and(|wait| wait > LONGEST_RATE_WAIT))
    }

    /// The checkpoint with the open windows. While refused records wait, it stays before them.
    pub(super) fn snapshot(&self) -> Checkpoint {
        let mut checkpoint = self.checkpoint.clone();
        if self.config.spec.paging.has_cursor() {
            checkpoint.window.clone_from(&self.live.window);
        }
        if self.reading.is_some() {
            checkpoint.reconciliation.reading.clone_from(&self.reading);
        }
        if let Some(held) = &self.refused.held {
            checkpoint.mintime = held.mintime;
            checkpoint.window.clone_from(&held.window);
            checkpoint.reconciliation.clone_from(&held.reconciliation);
        }
        checkpoint
    }

    /// Whether the checkpoint need not be saved: the run read no new record, advanced by less than
    /// [`LONGEST_UNSAVED`], and changed nothing else.
    pub(super) fn is_idle(&self) -> bool {
        let stored = &self.stored;
        let mut progress = self.snapshot();
        let is_short = progress.mintime - stored.mintime < LONGEST_UNSAVED;
        progress.mintime = stored.mintime;
        progress.rate = stored.rate;
        progress.reconciliation.live_requests = stored.reconciliation.live_requests;
        if let (Some(now), Some(before)) = (&mut progress.destination, &stored.destination) {
            now.used_at = before.used_at;
        }
        is_short && progress == *stored
    }

    pub(super) async fn save(&mut self) -> Result<(), Stop> {
        let checkpoint = self.snapshot();
        let saved = self.ports.state().save(checkpoint.to_json(), self.version.as_ref()).await;
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

    pub(super) fn has_due_hours(&self, now: Millis) -> bool {
        matches!(self.reconciliation, Reconciliation::Open)
            // Hours verified now would be read again from the held checkpoint.
            && !self.refused.are_waiting()
            && self.checkpoint.answered
            && (self.reading.is_some() || self.next_due(now).is_some())
    }

    pub(super) fn next_due(&self, now: Millis) -> Option<Due> {
        let state = &self.checkpoint.reconciliation;
        if let Some(Reading { span, stage, .. }) = state.reading {
            return Some(Due { span, stage });
        }
        if let Some(backfill) = self.config.backfill {
            return state.due_backfill(backfill);
        }
        let collected = Span { from: self.checkpoint.collected_from, to: self.checkpoint.mintime };
        if self.config.spec.paging.has_counts() {
            state.due_hour(collected, now - self.clock_ahead)
        } else {
            state.due_span(collected, now, self.config.spec.followed_for)
        }
    }

    /// Holds the checkpoint before this page if refused records wait.
    pub(super) fn hold_position(&mut self) {
        if self.refused.are_waiting() && self.refused.held.is_none() {
            self.refused.held = Some(Box::new(self.snapshot()));
        }
    }

    /// Records a gap between checkpoint and start of a window: Duo no longer has the events.
    pub(super) fn remember_gap_before(&mut self, began: Millis) {
        let gap = Span { from: self.checkpoint.mintime, to: began };
        self.checkpoint.reconciliation.remember_gap(gap);
    }

    /// Records possibly truncated seconds as gaps, each with one warning.
    pub(super) fn remember_truncated(&mut self, truncated: Vec<(Millis, usize)>) {
        for (second, rows) in truncated {
            let gap = Span { from: second, to: second + SECOND };
            if self.checkpoint.reconciliation.remember_gap(gap) {
                let warning = Warning::PageLimitExceeded { second, rows };
                self.stats.warnings.push(warning);
            }
        }
    }

    pub(super) fn warn_of_missing_cursors(&mut self, window: &Window) {
        let warnings = window.incomplete.iter().map(|hour| Warning::CursorMissing { hour: *hour });
        self.stats.warnings.extend(warnings);
    }

    /// Discards a stored window that starts before Duo's retention. The checkpoint of a log with
    /// counts advances to the last delivered record.
    pub(super) fn leave_window(&mut self) {
        let left = self.checkpoint.window.take_if(|window| window.from < self.oldest);
        // Only the order of a sorted log shows how far the pages reach.
        let left = left.filter(|_| self.config.spec.paging.has_counts());
        if let Some(delivered_to) = left.and_then(|window| window.last_time) {
            self.checkpoint.mintime = self.checkpoint.mintime.max(delivered_to);
        }
    }

    /// The page size in force, if the endpoint has one.
    pub(super) fn page_limit(&self) -> Option<u32> {
        let limit = self.config.spec.limit?;
        Some(Halvings::of(self.checkpoint.halvings.page, limit))
    }

    pub(super) fn halve_page(&mut self) {
        if self.page_limit().is_some_and(|limit| limit > 1) {
            self.checkpoint.halvings.page = Halvings::halved(self.checkpoint.halvings.page);
        }
    }

    /// Pauses before the next try.
    pub(super) async fn pause(&mut self, pause: TimeDelta) {
        self.stats.counts.retries += 1;
        self.ports.sleep(pause).await;
    }
}
