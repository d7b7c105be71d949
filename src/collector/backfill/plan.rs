//! What a backfill would do, before it does it.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Backfill, BackfillFault, BackfillPlan, RETENTION, SIDE_BY_SIDE};
use crate::collector::Collector;
use crate::model::{Hour, LogType, Millis, Span};
use crate::storage::StorageError;
use crate::sync::{Checkpoint, DayResults};

impl Collector {
    /// Looks at what a backfill of these hours would do; nothing is written. They are widened to whole hours, and end where the
    /// live log stands; without an end, one that was begun at the same hour is gone on with.
    pub async fn plan_backfill(
        &self,
        log_type: LogType,
        from: Millis,
        to: Option<Millis>,
        now: Millis,
    ) -> Result<BackfillPlan, BackfillFault> {
        let live = self.live_place(log_type).await?;
        if live
            .as_ref()
            .is_some_and(|live| !live.answered && live.unavailable.is_some())
        {
            return Err(BackfillFault::NotGiven);
        }
        let shown = now - self.settings.pace.settle;
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
        let span = Span {
            from,
            to: Hour::of(to).start(),
        };
        if span.from >= span.to {
            return Err(BackfillFault::NotYet { place });
        }
        let backfill = Backfill { log_type, span };
        alone(&backfill, &begun)?;
        let (may_repeat, unknown_hours) = self.may_repeat(log_type, span, live.as_ref()).await?;
        Ok(BackfillPlan {
            backfill,
            may_repeat,
            unknown_hours,
            ids_from: ids_from(live.as_ref()),
        })
    }

    /// The backfills of a log that were begun and are not done.
    pub(super) async fn begun(&self, log_type: LogType) -> Result<Vec<Backfill>, StorageError> {
        let ids = self.state_of(log_type).backfills().await?;
        Ok(ids
            .iter()
            .filter_map(|id| Backfill::of_id(log_type, id))
            .collect())
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

    /// Rows of these hours that were delivered and whose ids are gone, and collected hours of which nothing is known.
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
        let mut days: Vec<Hour> = span.hours().map(Hour::day).collect();
        days.dedup();
        let counted = stream::iter(days).map(|day| {
            let state = &state;
            async move {
                let results: DayResults = state.peek_results(day).await?;
                let (mut repeated, mut unknown) = (0, 0);
                for number in 0..24 {
                    let hour = day.after(number);
                    if Span::of(hour).within(span).is_none() {
                        continue;
                    }
                    match results.hours.get(&hour.number_in_day()) {
                        Some(result) if result.delivered > 0 => {
                            let known = state.entries(hour).await?.len() as u64;
                            repeated += result.delivered.saturating_sub(known);
                        }
                        None if lost_ids(hour) => unknown += 1,
                        _ => {}
                    }
                }
                Ok::<_, StorageError>((repeated, unknown))
            }
        });
        counted
            .buffer_unordered(SIDE_BY_SIDE)
            .try_fold((0, 0), async |sum, day| Ok((sum.0 + day.0, sum.1 + day.1)))
            .await
    }

    /// The hours of a log that the ledger says have a gap, of those that Duo still keeps. Where a backfill of some of them was
    /// begun, all of its hours: the gaps that it filled so far are none any more.
    pub async fn gaps(&self, log_type: LogType, now: Millis) -> Result<Vec<Span>, StorageError> {
        let state = self.state_of(log_type);
        let kept = Span {
            from: Hour::of(now - RETENTION).end(),
            to: now,
        };
        let mut days: Vec<Hour> = kept.hours().map(Hour::day).collect();
        days.dedup();
        let days = stream::iter(days).map(|day| {
            let state = &state;
            async move { Ok::<_, StorageError>((day, state.peek_results::<DayResults>(day).await?)) }
        });
        let days: Vec<_> = days.buffered(SIDE_BY_SIDE).try_collect().await?;
        let mut gaps: Vec<Span> = Vec::new();
        for (day, results) in days {
            for number in 0..24 {
                let hour = day.after(number);
                let result = results.hours.get(&hour.number_in_day());
                let is_gap = result.is_some_and(|result| result.gap.is_some());
                if !is_gap || hour.start() < kept.from {
                    continue;
                }
                match gaps.last_mut() {
                    Some(last) if last.to == hour.start() => last.to = hour.end(),
                    _ => gaps.push(Span::of(hour)),
                }
            }
        }
        let begun = self.begun(log_type).await?;
        for gap in &mut gaps {
            let mut begun = begun.iter().map(|begun| begun.span);
            *gap = begun
                .find(|begun| begun.within(*gap).is_some())
                .unwrap_or(*gap);
        }
        gaps.dedup();
        Ok(gaps)
    }
}

/// The first hour of which the live log keeps ids.
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
