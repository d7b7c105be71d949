//! Backfill: reads whole hours of a log again without moving the live checkpoint.
//!
//! It uses the live log's ledger, so that delivered events are not sent again while their ids are
//! stored, and its own checkpoint, so that it can resume. It makes half as many requests as live
//! collection may make, and pauses while the live log backs off from throttling.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use super::ports::{LogPorts, Watcher};
use super::report::LogReport;
use super::{Clock, Collector};
use crate::model::{Hour, LogType, Millis, RETENTION, Span};
use crate::storage::StorageError;
use crate::sync::{Checkpoint, DayResults, HourResult};

const CONCURRENCY: usize = 8;

/// Whole hours of one log to read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backfill {
    pub log_type: LogType,
    pub span: Span,
}

impl Backfill {
    /// Name of its checkpoint. Equal hours have equal names, so that a command can be resumed.
    pub(super) fn id(&self) -> String {
        let (from, to) = (Hour::of(self.span.from), Hour::of(self.span.to));
        format!("{from}--{to}")
    }

    /// Parses the name of a backfill checkpoint.
    fn of_id(log_type: LogType, id: &str) -> Option<Self> {
        let (from, to) = id.split_once("--")?;
        let (from, to) = (Hour::parse(from)?.start(), Hour::parse(to)?.start());
        let span = Span { from, to };
        (from < to).then_some(Self { log_type, span })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackfillPlan {
    pub backfill: Backfill,
    /// Delivered rows whose ids are no longer stored: they would be duplicated.
    pub duplicates: u64,
    /// Collected hours for which that number is unknown.
    pub unknown_hours: u64,
    /// The first hour with stored ids when the backfill was planned.
    ids_from: Option<Hour>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BackfillError {
    #[error("Duo keeps 180 days; the earliest hour that can be requested is {earliest}")]
    TooOld { earliest: Hour },
    #[error(
        "nothing to read before the live checkpoint {mintime}; live collection reads what follows"
    )]
    NotYet { mintime: Millis },
    #[error("Duo does not permit this log for this application")]
    Unavailable,
    /// Another unfinished backfill overlaps: each would remove ids that the other needs.
    #[error("an unfinished backfill of this log covers {} to {}", Hour::of(.0.from), Hour::of(.0.to))]
    Overlaps(Span),
    #[error(
        "{0} rows of the remaining hours were delivered before, and the ledger no longer has their ids"
    )]
    Duplicates(u64),
    /// The live log has another destination: rows delivered here would be missing there.
    #[error("the rows of this state go to another workspace or endpoint than these settings")]
    OtherDestination,
    #[error(transparent)]
    State(#[from] StorageError),
}

impl BackfillError {
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::TooOld { .. } | Self::NotYet { .. } | Self::Unavailable => None,
            Self::Overlaps(_) => Some(
                "finish it first, with its own --from and --to, or delete its blob in the folder backfill/ of the log",
            ),
            Self::Duplicates(_) => Some("rerun the command with --resend to deliver them again"),
            Self::OtherDestination => Some(
                "use the settings of the function app: WORKSPACE_ID, or LOGS_INGESTION_ENDPOINT with LOGS_INGESTION_RULE_ID and \
                 LOGS_INGESTION_STREAM",
            ),
            Self::State(error) => error.hint.as_deref(),
        }
    }
}

/// Requests per minute of a backfill: half of the live log's.
pub(super) const fn backfill_rate(requests_per_minute: u32) -> u32 {
    requests_per_minute.div_ceil(2)
}

impl Collector {
    /// Plans a backfill without writing anything. The span is widened to whole hours and ends at
    /// the live checkpoint; without `to`, an unfinished backfill with the same start is resumed.
    pub(crate) async fn plan_backfill(
        &self,
        log_type: LogType,
        from: Millis,
        to: Option<Millis>,
        now: Millis,
    ) -> Result<BackfillPlan, BackfillError> {
        let live = self.live_checkpoint(log_type).await?;
        if live.as_ref().is_some_and(|live| !live.answered && live.unavailable.is_some()) {
            return Err(BackfillError::Unavailable);
        }
        let shown = now - self.settings.limits.window_delay;
        let mintime = live.as_ref().map_or(shown, |live| live.mintime.min(shown));
        let from = Hour::of(from).start();
        let earliest = Hour::of(now - RETENTION).after(1);
        if from < earliest.start() {
            return Err(BackfillError::TooOld { earliest });
        }
        let unfinished = self.unfinished(log_type).await?;
        let to = match unfinished.iter().find(|one| one.span.from == from) {
            Some(one) if to.is_none() => one.span.to,
            _ => to.map_or(mintime, |to| Hour::of(to.previous()).end().min(mintime)),
        };
        let span = Span { from, to: Hour::of(to).start() };
        if span.from >= span.to {
            return Err(BackfillError::NotYet { mintime });
        }
        let backfill = Backfill { log_type, span };
        check_overlap(&backfill, &unfinished)?;
        let (duplicates, unknown_hours) = self.duplicates(log_type, span, live.as_ref()).await?;
        Ok(BackfillPlan { backfill, duplicates, unknown_hours, ids_from: ids_from(live.as_ref()) })
    }

    async fn unfinished(&self, log_type: LogType) -> Result<Vec<Backfill>, StorageError> {
        let ids = self.state_of(log_type).backfills().await?;
        Ok(ids.iter().filter_map(|id| Backfill::of_id(log_type, id)).collect())
    }

    /// The live log's checkpoint. Fails if its rows go to another destination.
    async fn live_checkpoint(
        &self,
        log_type: LogType,
    ) -> Result<Option<Checkpoint>, BackfillError> {
        let live = self.state_of(log_type).load::<Checkpoint>().await?.map(|(live, _)| live);
        let ours = self.settings.sink.fingerprint();
        match live.as_ref().and_then(|live| live.destination.as_ref()) {
            Some(theirs) if theirs.fingerprint != ours => Err(BackfillError::OtherDestination),
            _ => Ok(live),
        }
    }

    /// Delivered rows whose ids are no longer stored, and collected hours without stored results.
    async fn duplicates(
        &self,
        log_type: LogType,
        span: Span,
        live: Option<&Checkpoint>,
    ) -> Result<(u64, u64), StorageError> {
        let state = self.state_of(log_type);
        let collected_from = live.map(|live| Hour::of(live.collected_from));
        let ids_from = ids_from(live);
        let lost_ids = |hour: Hour| {
            collected_from.is_some_and(|first| first <= hour)
                && ids_from.is_some_and(|first| hour < first)
        };
        let results = self.results_within(log_type, span).await?;
        let unknown =
            span.hours().filter(|hour| !results.contains_key(hour) && lost_ids(*hour)).count()
                as u64;
        let repeated = async |(hour, result): (Hour, HourResult)| {
            let known = state.entries(hour).await?.len() as u64;
            Ok::<_, StorageError>(result.delivered.saturating_sub(known))
        };
        let delivered = results.into_iter().filter(|(_, result)| result.delivered > 0);
        let repeated = stream::iter(delivered).map(repeated).buffer_unordered(CONCURRENCY);
        let repeated: Vec<u64> = repeated.try_collect().await?;
        Ok((repeated.iter().sum(), unknown))
    }

    async fn results_within(
        &self,
        log_type: LogType,
        span: Span,
    ) -> Result<BTreeMap<Hour, HourResult>, StorageError> {
        let state = self.state_of(log_type);
        let mut days: Vec<Hour> = span.hours().map(Hour::day).collect();
        days.dedup();
        let read = async |day: Hour| {
            let results = state.peek_results::<DayResults>(day).await?;
            Ok::<_, StorageError>(results.by_hour(day).collect::<Vec<_>>())
        };
        let mut results = stream::iter(days).map(read).buffered(CONCURRENCY).try_concat().await?;
        results.retain(|(hour, _)| Span::of(*hour).within(span).is_some());
        Ok(results.into_iter().collect())
    }

    /// Hours with a gap within Duo's retention. If an unfinished backfill covers some of them, all
    /// of its hours: the gaps it filled so far are no longer recorded.
    pub(crate) async fn gaps(
        &self,
        log_type: LogType,
        now: Millis,
    ) -> Result<Vec<Span>, StorageError> {
        let kept = Span { from: Hour::of(now - RETENTION).end(), to: now };
        let results = self.results_within(log_type, kept).await?;
        let hours = results.iter().filter(|(_, result)| result.gap.is_some());
        let mut gaps = Span::joined(hours.map(|(hour, _)| Span::of(*hour)).collect());
        let unfinished = self.unfinished(log_type).await?;
        for gap in &mut gaps {
            let mut unfinished = unfinished.iter().map(|one| one.span);
            *gap = unfinished.find(|one| one.within(*gap).is_some()).unwrap_or(*gap);
        }
        gaps.dedup();
        Ok(gaps)
    }

    /// Checks whether a backfill may continue. Returns the end of the live log's throttle back-off.
    pub(crate) async fn may_continue(
        &self,
        plan: &BackfillPlan,
        resend: bool,
        now: Millis,
    ) -> Result<Option<Millis>, BackfillError> {
        let backfill = &plan.backfill;
        let log_type = backfill.log_type;
        let live = self.live_checkpoint(log_type).await?;
        check_overlap(backfill, &self.unfinished(log_type).await?)?;
        if !resend && ids_from(live.as_ref()) > plan.ids_from {
            let state = self.state_of(log_type).of_backfill(&backfill.id());
            let own = state.load::<Checkpoint>().await?;
            let left = Span {
                from: own.map_or(backfill.span.from, |(own, _)| own.reconciliation.next[0].start()),
                to: backfill.span.to,
            };
            let left = left.within(backfill.span).unwrap_or(Span { to: left.from, ..left });
            let (duplicates, unknown) = self.duplicates(log_type, left, live.as_ref()).await?;
            if duplicates + unknown > 0 {
                return Err(BackfillError::Duplicates(duplicates));
            }
        }
        Ok(live.and_then(|live| live.throttled_until(now)))
    }

    /// Continues a backfill for one run; `unreported` are hours whose rows were not accepted.
    pub(crate) async fn backfill(
        &self,
        backfill: &Backfill,
        interrupt: &CancellationToken,
        watcher: &Watcher,
        unreported: &mut BTreeSet<Hour>,
    ) -> LogReport {
        let clock = Clock::start(self.settings.clock_offset);
        let ports = LogPorts::new(self, backfill.log_type, clock, interrupt)
            .of_backfill(&backfill.id(), watcher);
        let report = self.run_one(ports, backfill.log_type, Some(backfill.span)).await;
        unreported.extend(report.reconciled.iter().map(|(hour, _)| *hour));
        self.report_hours(backfill.log_type, unreported).await;
        report
    }

    /// Removes the checkpoint of a finished backfill and the ids that only the backfill needed.
    pub(crate) async fn end_backfill(&self, backfill: &Backfill) -> Result<(), StorageError> {
        let state = self.state_of(backfill.log_type);
        let live = state.load::<Checkpoint>().await?;
        // The live log removes later ids itself; without a checkpoint, it may start anywhere.
        let keep_from = live.and_then(|(live, _)| live.reconciliation.entries_from);
        let is_ours = |hour: &Hour| {
            keep_from.is_some_and(|keep_from| *hour < keep_from)
                && Span::of(*hour).within(backfill.span).is_some()
        };
        let hours = state.entry_counts().await?.into_keys().filter(is_ours);
        stream::iter(hours)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENCY, |hour| state.remove_entries(hour))
            .await?;
        state.of_backfill(&backfill.id()).remove_checkpoint().await
    }
}

fn ids_from(live: Option<&Checkpoint>) -> Option<Hour> {
    live?.reconciliation.entries_from
}

/// Two backfills of the same hours would duplicate rows and remove each other's ids.
fn check_overlap(backfill: &Backfill, unfinished: &[Backfill]) -> Result<(), BackfillError> {
    let mut others = unfinished.iter().filter(|other| *other != backfill);
    match others.find(|other| other.span.within(backfill.span).is_some()) {
        Some(other) => Err(BackfillError::Overlaps(other.span)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
