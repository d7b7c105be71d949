//! The backfill of one span.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use indicatif::MultiProgress;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::progress::Bar;
use crate::collector::{BackfillError, BackfillPlan, Collector, Explanation, LogReport};
use crate::model::{Hour, LogType, MINUTE, Span};
use crate::status::{self, Code};
use crate::sync::{HourState, RunCounts};

/// Pause before hour rows are sent again.
const REPORT_PAUSE: TimeDelta = TimeDelta::seconds(6);
const REPORT_ATTEMPTS: u32 = 5;
/// Pause between tries while another process runs the same backfill.
const HELD: TimeDelta = TimeDelta::seconds(15);
/// Maximum wait for another process: longer than its lease lasts after a crash.
const LONGEST_HELD: TimeDelta = TimeDelta::minutes(4);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(super) enum Outcome {
    /// The span was read completely.
    Done,
    #[strum(to_string = "unavailable")]
    Unavailable,
    /// Shutdown was requested; the same command resumes.
    #[default]
    Stopped,
    /// An operator must act; the same command resumes.
    Failed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct HourCounts {
    /// Read in full; every record was delivered.
    pub(super) verified: u64,
    /// Duo's count matches; not yet read in full.
    pub(super) count_matched: u64,
    pub(super) gap: u64,
    pub(super) unknown: u64,
}

impl HourCounts {
    fn add(&mut self, state: HourState) {
        *match state {
            HourState::Verified | HourState::VerifiedLate => &mut self.verified,
            HourState::CountMatched => &mut self.count_matched,
            HourState::Gap => &mut self.gap,
            HourState::Unknown => &mut self.unknown,
        } += 1;
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Done {
    pub(super) log_type: LogType,
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) outcome: Outcome,
    #[serde(flatten)]
    pub(super) counts: RunCounts,
    pub(super) hours: HourCounts,
    #[serde(flatten)]
    pub(super) why: Explanation,
    pub(super) warnings: Vec<String>,
}

impl Done {
    /// Whether the whole span is read, without gaps and unknown hours.
    pub(super) fn is_complete(&self) -> bool {
        match self.outcome {
            Outcome::Done => self.hours.gap == 0 && self.hours.unknown == 0,
            outcome => outcome == Outcome::Unavailable,
        }
    }
}

pub(super) struct Job<'a> {
    collector: &'a Collector,
    plan: BackfillPlan,
    resend: bool,
    shutdown: &'a CancellationToken,
    bar: Bar,
    done: Done,
    /// Reconciled hours without an accepted health row.
    unreported: BTreeSet<Hour>,
}

impl<'a> Job<'a> {
    pub(super) fn new(
        collector: &'a Collector,
        plan: BackfillPlan,
        resend: bool,
        shutdown: &'a CancellationToken,
        progress: &MultiProgress,
    ) -> Self {
        Self {
            collector,
            plan,
            resend,
            shutdown,
            bar: Bar::new(progress, &plan.backfill),
            done: Done {
                log_type: plan.backfill.log_type,
                span: plan.backfill.span,
                outcome: Outcome::default(),
                counts: RunCounts::default(),
                hours: HourCounts::default(),
                why: Explanation::default(),
                warnings: Vec::new(),
            },
            unreported: BTreeSet::new(),
        }
    }

    /// Runs until the span is read, an operator must act, or shutdown is requested.
    pub(super) async fn run(mut self) -> Done {
        self.done.outcome = match self.run_until_done().await {
            Ok(outcome) => outcome,
            Err(error) => {
                self.done.why.message = Some(error.to_string());
                self.done.why.hint = error.hint().map(str::to_owned);
                Outcome::Failed
            }
        };
        self.report_hours().await;
        self.bar.end(self.done.outcome);
        self.done
    }

    async fn run_until_done(&mut self) -> Result<Outcome, BackfillError> {
        let collector = self.collector;
        let mut held_since = None;
        while !self.shutdown.is_cancelled() {
            let now = collector.now();
            let wait = collector.may_continue(&self.plan, self.resend, now);
            if let Some(until) = wait.await? {
                let pause = until - collector.now();
                self.pause(pause, "the live log backs off").await;
                continue;
            }
            let report = self.one_run().await;
            let now = collector.now();
            match report.outcome {
                status::Outcome::CaughtUp => {
                    collector.end_backfill(&self.plan.backfill).await?;
                    return Ok(Outcome::Done);
                }
                status::Outcome::MoreToFetch => self.pause(self.request_interval(), "").await,
                status::Outcome::BackingOff => {
                    let pause = report.retry_at.map_or(MINUTE, |until| until - now);
                    let why = report.why.code.map_or("", Code::sentence);
                    self.pause(pause, why).await;
                }
                status::Outcome::HeldElsewhere => {
                    if now - *held_since.get_or_insert(now) > LONGEST_HELD {
                        let message = "another process is running this backfill";
                        self.done.why.message = Some(message.to_owned());
                        return Ok(Outcome::Failed);
                    }
                    self.pause(HELD, "another process is running it").await;
                    continue;
                }
                status::Outcome::Unavailable => {
                    collector.end_backfill(&self.plan.backfill).await?;
                    self.done.why = report.why;
                    return Ok(Outcome::Unavailable);
                }
                status::Outcome::Failed | status::Outcome::Unknown => {
                    self.done.why = report.why;
                    return Ok(Outcome::Failed);
                }
            }
            held_since = None;
        }
        Ok(Outcome::Stopped)
    }

    async fn one_run(&mut self) -> LogReport {
        let (before, bar) = (self.done.counts, self.bar.clone());
        let watcher = move |reached, counts: &RunCounts| {
            let mut counts = *counts;
            counts += before;
            bar.advance(reached, &counts);
        };
        let (backfill, unreported) = (&self.plan.backfill, &mut self.unreported);
        let run = self.collector.backfill(backfill, self.shutdown, &watcher, unreported);
        let report = run.await;
        let done = &mut self.done;
        done.counts += report.counts;
        for (_, state) in &report.reconciled {
            done.hours.add(*state);
        }
        for warning in &report.warnings {
            if !done.warnings.contains(&warning.message) {
                done.warnings.push(warning.message.clone());
            }
        }
        report
    }

    /// Maximum time until the next request is allowed.
    fn request_interval(&self) -> TimeDelta {
        let per_minute = self.collector.settings.limits.requests_per_minute;
        i32::try_from(per_minute)
            .ok()
            .and_then(|per_minute| (MINUTE * 2).checked_div(per_minute))
            .unwrap_or_default()
    }

    async fn report_hours(&mut self) {
        let log_type = self.plan.backfill.log_type;
        for _ in 0..REPORT_ATTEMPTS {
            if self.unreported.is_empty() || self.shutdown.is_cancelled() {
                break;
            }
            let why = "rows about the hours are not accepted";
            self.pause(REPORT_PAUSE, why).await;
            self.collector.report_hours(log_type, &mut self.unreported).await;
        }
        if !self.unreported.is_empty() {
            self.done.warnings.push(format!(
                "{} hours have no row in CiscoDuoHealth_CL; their results are in the ledger",
                self.unreported.len()
            ));
        }
    }

    async fn pause(&self, pause: TimeDelta, why: &str) {
        let pause = pause.to_std().unwrap_or_default();
        self.bar.waits(why, pause);
        let shutdown = self.shutdown.cancelled();
        tokio::time::timeout(pause, shutdown).await.ok();
    }
}
