//! A backfill at work, run by run.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use super::plan::{alone, ids_from};
use super::{Backfill, BackfillFault, BackfillPlan, SIDE_BY_SIDE, Watcher};
use crate::collector::report::LogReport;
use crate::collector::worker::Worker;
use crate::collector::{Clock, Collector};
use crate::model::{Hour, Millis};
use crate::storage::StateError;
use crate::sync::{ParkCause, Span};

impl Collector {
    /// Looks, before each run, whether a backfill may go on: until when it leaves Duo alone, because the live log was asked to
    /// make fewer calls.
    pub async fn may_go_on(
        &self,
        plan: &BackfillPlan,
        resend: bool,
        now: Millis,
    ) -> Result<Option<Millis>, BackfillFault> {
        let backfill = &plan.backfill;
        let log_type = backfill.log_type;
        let live = self.live_place(log_type).await?;
        alone(backfill, &self.begun(log_type).await?)?;
        if !resend && ids_from(live.as_ref()) > plan.ids_from {
            let state = self.state_of(log_type).of_backfill(&backfill.id());
            let place = state.load().await?.and_then(|(place, _)| place.sweeps);
            let left = Span {
                from: place.map_or(backfill.span.from, |sweeps| sweeps.next[0].start()),
                to: backfill.span.to,
            };
            let left = left.within(backfill.span).unwrap_or(Span {
                to: left.from,
                ..left
            });
            let (may_repeat, unknown) = self.may_repeat(log_type, left, live.as_ref()).await?;
            if may_repeat + unknown > 0 {
                return Err(BackfillFault::WouldRepeat(may_repeat));
            }
        }
        let parked = live.and_then(|live| live.parked);
        let parked = parked
            .filter(|parked| parked.cause == ParkCause::DuoThrottled && parked.not_before > now);
        Ok(parked.map(|parked| parked.not_before))
    }

    /// Goes on with a backfill for as long as a run lasts. What it found out about hours is told like what checks find;
    /// `untold` are those of which it was not accepted yet.
    pub async fn backfill(
        &self,
        backfill: &Backfill,
        interrupt: &CancellationToken,
        watcher: &Watcher,
        untold: &mut Vec<Hour>,
    ) -> LogReport {
        let clock = Clock::start(self.settings.clock_offset);
        let worker = Worker::of_backfill(self, backfill, clock, interrupt, watcher);
        let report = worker.run().await;
        untold.extend(&report.checked_hours);
        self.tell_hours(backfill.log_type, untold).await;
        report
    }

    /// Removes the place of a backfill that came to its end, and the ids that only it needed.
    pub async fn end_backfill(&self, backfill: &Backfill) -> Result<(), StateError> {
        let state = self.state_of(backfill.log_type);
        let live = state.load().await?;
        let sweeps = live.and_then(|(live, _)| live.sweeps);
        // The live log forgets the ids of later hours itself, as soon as it needs them no more. Where there is none yet,
        // nobody knows where its first run will begin.
        let keep_from = sweeps.and_then(|sweeps| sweeps.forgotten);
        let is_ours = |hour: &Hour| {
            keep_from.is_some_and(|keep_from| *hour < keep_from)
                && Span::of(*hour).within(backfill.span).is_some()
        };
        let hours = state.hours_with_ids().await?.into_iter().filter(is_ours);
        stream::iter(hours)
            .map(Ok)
            .try_for_each_concurrent(SIDE_BY_SIDE, |hour| state.forget_ids(hour))
            .await?;
        state.of_backfill(&backfill.id()).forget_place().await
    }
}
