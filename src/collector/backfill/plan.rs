//! What a backfill would do, before it does it.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Backfill, BackfillFault, BackfillPlan, CONCURRENCY, RETENTION};
use crate::collector::Collector;
use crate::model::{Hour, LogType, Millis, Span};
use crate::storage::StorageError;
use crate::sync::{Checkpoint, DayResults, HourResult};

impl Collector {
    /// Plans a backfill of these hours; nothing is written. They are widened to whole hours, and end at the live checkpoint;
    /// without an end, a backfill that was begun at the same hour is resumed.
    pub(crate) async fn plan_backfill(
        &self,
        log_type: LogType,
        from: Millis,
        to: Option<Millis>,
        now: Millis,
    ) -> Result<BackfillPlan, BackfillFault> {
        let live = self.live_place(log_type).await?;
        if live.as_ref().is_some_and(|live| !live.answered && live.unavailable.is_some()) {
            return Err(BackfillFault::NotGiven);
        }
        let shown = now - self.settings.pace.window_delay;
        let place = live.as_ref().map_or(shown, |live| live.mintime.min(shown));
        let from = Hour::of(from).start();
        let earliest = Hour::of(now - RETENTION).after(1);
        if from < earliest.start() {
            return Err(BackfillFault::TooOld { earliest });
        }
        let begun = self.begun(log_type).await?;
        let to = match begun.iter().find(|begun| begun.span.from == from) {
            Some(begun) if to.is_none() => begun.span.to,
            _ => to.map_or(place, |to| Hour::of(to.previous()).end().min(place)),
        };
        let span = Span { from, to: Hour::of(to).start() };
        if span.from >= span.to {
            return Err(BackfillFault::NotYet { place });
        }
        let backfill = Backfill { log_type, span };
        alone(&backfill, &begun)?;
        let (may_repeat, unknown_hours) = self.may_repeat(log_type, span, live.as_ref()).await?;
        Ok(BackfillPlan { backfill, may_repeat, unknown_hours, ids_from: ids_from(live.as_ref()) })
    }

    pub(super) async fn begun(&self, log_type: LogType) -> Result<Vec<Backfill>, StorageError> {
        let ids = self.state_of(log_type).backfills().await?;
        Ok(ids.iter().filter_map(|id| Backfill::of_id(log_type, id)).collect())
    }

    /// The live log's checkpoint, whose rows must go where ours go.
    pub(super) async fn live_place(
        &self,
        log_type: LogType,
    ) -> Result<Option<Checkpoint>, BackfillFault> {
        let Some((live, _)) = self.state_of(log_type).load::<Checkpoint>().await? else {
            return Ok(None);
        };
        let destination = live.destination.as_ref();
        let ours = self.settings.sink.fingerprint();
        if destination.is_some_and(|destination| destination.fingerprint != ours) {
            return Err(BackfillFault::OtherDestination);
        }
        Ok(Some(live))
    }

    /// Rows of these hours that were delivered and whose ids are gone, and collected hours without stored results.
    pub(super) async fn may_repeat(
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
        let delivered = results.into_iter().map(|(hour, result)| (hour, result.delivered));
        let repeated = stream::iter(delivered.filter(|(_, delivered)| *delivered > 0))
            .map(|(hour, delivered)| {
                let known = state.entries(hour);
                async move { Ok(delivered.saturating_sub(known.await?.len() as u64)) }
            })
            .buffer_unordered(CONCURRENCY)
            .try_fold(0, async |sum, repeated| Ok::<_, StorageError>(sum + repeated))
            .await?;
        Ok((repeated, unknown))
    }

    async fn results_within(
        &self,
        log_type: LogType,
        span: Span,
    ) -> Result<BTreeMap<Hour, HourResult>, StorageError> {
        let state = self.state_of(log_type);
        let mut days: Vec<Hour> = span.hours().map(Hour::day).collect();
        days.dedup();
        let days: Vec<Vec<(Hour, HourResult)>> = stream::iter(days)
            .map(|day| {
                let results = state.peek_results::<DayResults>(day);
                async move { Ok::<_, StorageError>(results.await?.by_hour(day).collect()) }
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let results = days.into_iter().flatten();
        Ok(results.filter(|(hour, _)| Span::of(*hour).within(span).is_some()).collect())
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
}

pub(super) fn ids_from(live: Option<&Checkpoint>) -> Option<Hour> {
    live?.reconciliation.entries_from
}

/// Two backfills of the same hours would send what the other one sends, and take its ids away at their end.
pub(super) fn alone(backfill: &Backfill, begun: &[Backfill]) -> Result<(), BackfillFault> {
    let mut others = begun.iter().filter(|other| *other != backfill);
    match others.find(|other| other.span.within(backfill.span).is_some()) {
        Some(other) => Err(BackfillFault::Overlaps(other.span)),
        None => Ok(()),
    }
}
