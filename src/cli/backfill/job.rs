//! The backfill of one span: run after run, until it is read.

use chrono::{TimeDelta, Utc};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::progress::{Bar, Progress};
use crate::collector::{BackfillFault, BackfillPlan, Collector, HourCounts, LogReport};
use crate::model::{Hour, LogType, MINUTE, Millis};
use crate::status::{self, Code};

/// Pause between two tries to send the rows about hours.
const BREATH: TimeDelta = TimeDelta::seconds(6);
/// Pause while another process runs the same backfill.
const HELD: TimeDelta = TimeDelta::seconds(15);
/// How long another process is waited for: longer than its lease lasts without it.
const LONGEST_HELD: TimeDelta = TimeDelta::minutes(4);
/// Tries to tell what was found out about hours.
const TELLING_TRIES: u32 = 5;

/// How a backfill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The span was read to its end.
    Done,
    /// Duo does not give this log to this application.
    NotGiven,
    /// It was asked to end; the same command goes on.
    Interrupted,
    /// Somebody must act; the same command goes on.
    Failed,
}

impl Outcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotGiven => "not given by Duo",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// What was done for one span.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Done {
    pub(super) log_type: LogType,
    pub(super) from: Millis,
    pub(super) to: Millis,
    pub(super) outcome: Outcome,
    /// Rows that were delivered.
    pub(super) events: u64,
    /// Records that had been delivered before.
    pub(super) duplicates_dropped: u64,
    pub(super) dead_letters: u64,
    pub(super) pages: u64,
    pub(super) requests: u64,
    /// What was found out about the hours.
    pub(super) hours: HourCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notices: Vec<String>,
}

impl Done {
    /// Whether the span was read to its end and nothing of it is missing or unknown.
    pub(super) fn is_complete(&self) -> bool {
        self.outcome == Outcome::Done && self.hours.gap == 0 && self.hours.unknown == 0
    }
}

/// One span at work.
pub(super) struct Job<'a> {
    collector: &'a Collector,
    plan: BackfillPlan,
    resend: bool,
    interrupt: &'a CancellationToken,
    bar: Bar,
    done: Done,
    /// Hours that have no row yet of what was found out about them.
    untold: Vec<Hour>,
}

impl<'a> Job<'a> {
    pub(super) fn new(
        collector: &'a Collector,
        plan: BackfillPlan,
        resend: bool,
        interrupt: &'a CancellationToken,
        progress: &Progress,
    ) -> Self {
        Self {
            collector,
            plan,
            resend,
            interrupt,
            bar: progress.bar(&plan.backfill),
            done: Done {
                log_type: plan.backfill.log_type,
                from: plan.backfill.span.from,
                to: plan.backfill.span.to,
                outcome: Outcome::Interrupted,
                events: 0,
                duplicates_dropped: 0,
                dead_letters: 0,
                pages: 0,
                requests: 0,
                hours: HourCounts::default(),
                code: None,
                message: None,
                hint: None,
                notices: Vec::new(),
            },
            untold: Vec::new(),
        }
    }

    /// Runs until the span is read, somebody must act, or the process is asked to end.
    pub(super) async fn run(mut self) -> Done {
        self.done.outcome = match self.run_to_the_end().await {
            Ok(outcome) => outcome,
            Err(fault) => {
                self.done.message = Some(fault.to_string());
                self.done.hint = fault.hint().map(str::to_owned);
                Outcome::Failed
            }
        };
        self.tell_the_rest().await;
        self.bar.end(self.done.outcome);
        self.done
    }

    async fn run_to_the_end(&mut self) -> Result<Outcome, BackfillFault> {
        let mut held_since = None;
        while !self.interrupt.is_cancelled() {
            let now_at = now(self.collector);
            let wait = self.collector.may_go_on(&self.plan, self.resend, now_at);
            if let Some(until) = wait.await? {
                self.pause(until - now(self.collector), "the live log waits for Duo")
                    .await;
                continue;
            }
            let report = self.one_run().await;
            match report.outcome {
                status::Outcome::CaughtUp => {
                    self.collector.end_backfill(&self.plan.backfill).await?;
                    return Ok(Outcome::Done);
                }
                status::Outcome::MoreToFetch => self.pause(self.pace(), "").await,
                status::Outcome::Parked => {
                    let until = report
                        .parked_until
                        .map_or(MINUTE, |until| until - now(self.collector));
                    self.pause(until, report.code.map_or("", Code::sentence))
                        .await;
                }
                status::Outcome::HeldElsewhere => {
                    let now = now(self.collector);
                    if now - *held_since.get_or_insert(now) > LONGEST_HELD {
                        self.done.message =
                            Some("another process is at work on this backfill".to_owned());
                        return Ok(Outcome::Failed);
                    }
                    self.pause(HELD, "another process is at work on it").await;
                    continue;
                }
                status::Outcome::Unavailable => {
                    self.collector.end_backfill(&self.plan.backfill).await?;
                    self.explain(report);
                    return Ok(Outcome::NotGiven);
                }
                status::Outcome::Failed | status::Outcome::Unknown => {
                    self.explain(report);
                    return Ok(Outcome::Failed);
                }
            }
            held_since = None;
        }
        Ok(Outcome::Interrupted)
    }

    async fn one_run(&mut self) -> LogReport {
        let (events, pages) = (self.done.events, self.done.pages);
        let bar = self.bar.clone();
        let watcher = move |advance| bar.advance(advance, events, pages);
        let run = self.collector.backfill(
            &self.plan.backfill,
            self.interrupt,
            &watcher,
            &mut self.untold,
        );
        let report = run.await;
        self.done.events += report.events;
        self.done.duplicates_dropped += report.duplicates_dropped;
        self.done.dead_letters += report.dead_letters;
        self.done.pages += report.pages;
        self.done.requests += report.requests;
        self.done.hours += report.hours;
        for notice in &report.notices {
            if !self.done.notices.contains(&notice.message) {
                self.done.notices.push(notice.message.clone());
            }
        }
        report
    }

    /// How long it takes until the next request may be made; at most.
    fn pace(&self) -> TimeDelta {
        let calls = self.collector.settings().pace.calls_per_minute;
        i32::try_from(calls)
            .ok()
            .and_then(|calls| (MINUTE * 2).checked_div(calls))
            .unwrap_or_default()
    }

    fn explain(&mut self, report: LogReport) {
        self.done.code = report.code;
        self.done.message = report.message;
        self.done.hint = report.hint;
    }

    async fn tell_the_rest(&mut self) {
        let log_type = self.plan.backfill.log_type;
        for _ in 0..TELLING_TRIES {
            if self.untold.is_empty() || self.interrupt.is_cancelled() {
                break;
            }
            self.pause(BREATH, "rows about the hours are not accepted")
                .await;
            self.collector.tell_hours(log_type, &mut self.untold).await;
        }
        if !self.untold.is_empty() {
            self.done.notices.push(format!(
                "{} hours have no row in CiscoDuoHealth_CL of what was found out about them; it is in the ledger",
                self.untold.len()
            ));
        }
    }

    /// Waits, unless the process is asked to end.
    async fn pause(&self, pause: TimeDelta, why: &str) {
        let pause = pause.to_std().unwrap_or_default();
        self.bar.waits(why, pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.interrupt.cancelled() => {}
        }
        self.bar.goes_on();
    }
}

fn now(collector: &Collector) -> Millis {
    #[expect(clippy::disallowed_methods, reason = "runs begin and end here")]
    let now = Utc::now();
    Millis::from(now) + collector.settings().clock_offset
}
