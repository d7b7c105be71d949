//! Backfill: whole hours of a log are read again, beside the live log and without moving its checkpoint.
//!
//! It uses the live log's ledger, so that nothing is sent again of which the ids are still stored, and a checkpoint of its
//! own, so that it resumes where it was interrupted. It makes half as many requests as the live log may make beside it, and
//! pauses while the live log backs off from throttling.

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

/// Whole hours of one log to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backfill {
    pub log_type: LogType,
    pub span: Span,
}

impl Backfill {
    /// Names its checkpoint. The same hours have the same name, so that the same command resumes them.
    pub(super) fn id(&self) -> String {
        let (from, to) = (Hour::of(self.span.from), Hour::of(self.span.to));
        format!("{from}--{to}")
    }

    /// The backfill of a name; `None` where it is no name of a backfill.
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
    /// Rows that were delivered and whose ids are gone: they would be delivered again.
    pub may_repeat: u64,
    /// Collected hours of which that number is unknown.
    pub unknown_hours: u64,
    /// The first hour whose ids the live log kept when this was planned.
    ids_from: Option<Hour>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BackfillError {
    #[error("Duo keeps 180 days; the earliest hour that can be requested is {earliest}")]
    TooOld { earliest: Hour },
    #[error(
        "nothing to read before the live checkpoint {place}; live collection reads what follows"
    )]
    NotYet { place: Millis },
    #[error("Duo does not permit this log for this application")]
    Unavailable,
    /// Another backfill of some of these hours was begun: each would remove the ids that the other needs.
    #[error("an unfinished backfill of this log covers {} to {}", Hour::of(.0.from), Hour::of(.0.to))]
    Overlaps(Span),
    #[error(
        "{0} rows of the remaining hours were delivered before, and the ledger no longer has their ids"
    )]
    WouldRepeat(u64),
    /// The rows of this state go to another destination: rows delivered here would be missing there.
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
                "finish it first, with its own --from and --to, or delete its blob below backfill/ in the storage",
            ),
            Self::WouldRepeat(_) => Some("rerun the command with --resend to deliver them again"),
            Self::OtherDestination => Some(
                "use the settings of the function app: WORKSPACE_ID, or LOGS_INGESTION_ENDPOINT with LOGS_INGESTION_RULE_ID and \
                 LOGS_INGESTION_STREAM",
            ),
            Self::State(fault) => fault.hint.as_deref(),
        }
    }
}

/// Requests per minute of a backfill: half of those that the live log may make beside it.
pub(super) const fn share_of(calls_per_minute: u32) -> u32 {
    calls_per_minute.div_ceil(2)
}

impl Collector {
    /// Plans a backfill of these hours; nothing is written. They are widened to whole hours, and end at the live checkpoint;
    /// without an end, a backfill that was begun at the same hour is resumed.
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
        let place = live.as_ref().map_or(shown, |live| live.mintime.min(shown));
        let from = Hour::of(from).start();
        let earliest = Hour::of(now - RETENTION).after(1);
        if from < earliest.start() {
            return Err(BackfillError::TooOld { earliest });
        }
        let begun = self.begun(log_type).await?;
        let to = match begun.iter().find(|begun| begun.span.from == from) {
            Some(begun) if to.is_none() => begun.span.to,
            _ => to.map_or(place, |to| Hour::of(to.previous()).end().min(place)),
        };
        let span = Span { from, to: Hour::of(to).start() };
        if span.from >= span.to {
            return Err(BackfillError::NotYet { place });
        }
        let backfill = Backfill { log_type, span };
        alone(&backfill, &begun)?;
        let (may_repeat, unknown_hours) = self.may_repeat(log_type, span, live.as_ref()).await?;
        Ok(BackfillPlan { backfill, may_repeat, unknown_hours, ids_from: ids_from(live.as_ref()) })
    }

    async fn begun(&self, log_type: LogType) -> Result<Vec<Backfill>, StorageError> {
        let ids = self.state_of(log_type).backfills().await?;
        Ok(ids.iter().filter_map(|id| Backfill::of_id(log_type, id)).collect())
    }

    /// The live log's checkpoint, whose rows must go where ours go.
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

    /// Rows of these hours that were delivered and whose ids are gone, and collected hours without stored results.
    async fn may_repeat(
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

    /// The hours of a log that the ledger says have a gap, of those that Duo still keeps. Where a backfill of some of them was
    /// begun, all of its hours: the gaps that it filled so far are none any more.
    pub(crate) async fn gaps(
        &self,
        log_type: LogType,
        now: Millis,
    ) -> Result<Vec<Span>, StorageError> {
        let kept = Span { from: Hour::of(now - RETENTION).end(), to: now };
        let results = self.results_within(log_type, kept).await?;
        let hours = results.iter().filter(|(_, result)| result.gap.is_some());
        let mut gaps = Span::joined(hours.map(|(hour, _)| Span::of(*hour)).collect());
        let begun = self.begun(log_type).await?;
        for gap in &mut gaps {
            let mut begun = begun.iter().map(|begun| begun.span);
            *gap = begun.find(|begun| begun.within(*gap).is_some()).unwrap_or(*gap);
        }
        gaps.dedup();
        Ok(gaps)
    }

    /// Checks, before each run, whether a backfill may continue; returns until when it must wait because Duo throttles the
    /// live log.
    pub(crate) async fn may_go_on(
        &self,
        plan: &BackfillPlan,
        resend: bool,
        now: Millis,
    ) -> Result<Option<Millis>, BackfillError> {
        let backfill = &plan.backfill;
        let log_type = backfill.log_type;
        let live = self.live_checkpoint(log_type).await?;
        alone(backfill, &self.begun(log_type).await?)?;
        if !resend && ids_from(live.as_ref()) > plan.ids_from {
            let state = self.state_of(log_type).of_backfill(&backfill.id());
            let own = state.load::<Checkpoint>().await?;
            let left = Span {
                from: own.map_or(backfill.span.from, |(own, _)| own.reconciliation.next[0].start()),
                to: backfill.span.to,
            };
            let left = left.within(backfill.span).unwrap_or(Span { to: left.from, ..left });
            let (may_repeat, unknown) = self.may_repeat(log_type, left, live.as_ref()).await?;
            if may_repeat + unknown > 0 {
                return Err(BackfillError::WouldRepeat(may_repeat));
            }
        }
        Ok(live.and_then(|live| live.throttled_until(now)))
    }

    /// Continues a backfill for one run. The results of its hours are sent like those of reconciliation; `unreported` are the
    /// hours whose rows were not accepted yet.
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

    /// Removes the checkpoint of a finished backfill, and the ids that only it needed.
    pub(crate) async fn end_backfill(&self, backfill: &Backfill) -> Result<(), StorageError> {
        let state = self.state_of(backfill.log_type);
        let live = state.load::<Checkpoint>().await?;
        // The live log removes the ids of later hours itself, as soon as it needs them no more. Where there is none yet,
        // its first run may begin anywhere.
        let keep_from = live.and_then(|(live, _)| live.reconciliation.entries_from);
        let is_ours = |hour: &Hour| {
            keep_from.is_some_and(|keep_from| *hour < keep_from)
                && Span::of(*hour).within(backfill.span).is_some()
        };
        let hours = state.hours_with_entries().await?.into_iter().filter(is_ours);
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

/// Two backfills of the same hours would send what the other one sends, and take its ids away at their end.
fn alone(backfill: &Backfill, begun: &[Backfill]) -> Result<(), BackfillError> {
    let mut others = begun.iter().filter(|other| *other != backfill);
    match others.find(|other| other.span.within(backfill.span).is_some()) {
        Some(other) => Err(BackfillError::Overlaps(other.span)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
