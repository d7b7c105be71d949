//! A backfill at work, run by run.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use super::plan::{alone, ids_from};
use super::{Backfill, BackfillFault, BackfillPlan, CONCURRENCY, Watcher};
use crate::collector::ports::LogPorts;
use crate::collector::report::LogReport;
use crate::collector::{Clock, Collector};
use crate::model::{Hour, Millis, Span};
use crate::storage::StorageError;
use crate::sync::{BackOffCause, Checkpoint};

impl Collector {
    /// Checks, before each run, whether a backfill may continue; returns until when it must wait because Duo throttles the
    /// live log.
    pub(crate) async fn may_go_on(
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
            let own = state.load::<Checkpoint>().await?;
            let left = Span {
                from: own.map_or(backfill.span.from, |(own, _)| own.reconciliation.next[0].start()),
                to: backfill.span.to,
            };
            let left = left.within(backfill.span).unwrap_or(Span { to: left.from, ..left });
            let (may_repeat, unknown) = self.may_repeat(log_type, left, live.as_ref()).await?;
            if may_repeat + unknown > 0 {
                return Err(BackfillFault::WouldRepeat(may_repeat));
            }
        }
        let back_off = live.and_then(|live| live.back_off);
        let back_off = back_off.filter(|back_off| {
            back_off.cause == BackOffCause::DuoThrottled && back_off.retry_at > now
        });
        Ok(back_off.map(|back_off| back_off.retry_at))
    }

    /// Continues a backfill for one run. The results of its hours are sent like those of reconciliation; `untold` are the
    /// hours whose rows were not accepted yet.
    pub(crate) async fn backfill(
        &self,
        backfill: &Backfill,
        interrupt: &CancellationToken,
        watcher: &Watcher,
        untold: &mut Vec<Hour>,
    ) -> LogReport {
        let clock = Clock::start(self.settings.clock_offset);
        let ports = LogPorts::new(self, backfill.log_type, clock, interrupt)
            .of_backfill(&backfill.id(), watcher);
        let report = self.run_one(ports, backfill.log_type, Some(backfill.span)).await;
        untold.extend(report.reconciled.iter().map(|(hour, _)| *hour));
        self.tell_hours(backfill.log_type, untold).await;
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
