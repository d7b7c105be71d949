//! Backfill: whole hours of a log are read again, beside the live log and without moving its place.
//!
//! It works by the live log's ledger, so that nothing is sent again of which the ids are still known, and on a place of its
//! own, so that it goes on where it was broken off. It makes half as many calls as the live log may make beside it, and waits
//! while that one was asked to make fewer.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use super::report::LogReport;
use super::worker::Worker;
use super::{Clock, Collector};
use crate::model::{HOUR, Hour, LogType, Millis};
use crate::plan::{Checkpoint, ParkCause, Span};
use crate::state::StateError;

/// Duo keeps 180 days; a request at exactly that border is refused by the time it arrives.
const RETENTION: i64 = 179 * 24 * HOUR;
/// Hours or days of the ledger that are read at once.
const SIDE_BY_SIDE: usize = 8;

/// Whole hours of one log to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// The log.
    pub log_type: LogType,
    /// The hours.
    pub span: Span,
}

impl Backfill {
    /// Names its place. The same hours have the same name: who asks for them again goes on with them.
    pub(super) fn id(&self) -> String {
        let (from, to) = (Hour::of(self.span.from), Hour::of(self.span.to));
        format!("{from}--{to}")
    }

    /// What a name says; none where nobody here gave it.
    fn of_id(log_type: LogType, id: &str) -> Option<Self> {
        let (from, to) = id.split_once("--")?;
        let (from, to) = (Hour::parse(from)?.start(), Hour::parse(to)?.start());
        let span = Span { from, to };
        (from < to).then_some(Self { log_type, span })
    }
}

/// What is to be known of a backfill before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackfillPlan {
    /// What is read.
    pub backfill: Backfill,
    /// Rows that were delivered before and whose ids are gone: they would be delivered again.
    pub may_repeat: u64,
    /// Collected hours of which not even that is known.
    pub unknown_hours: u64,
    /// The first hour of which the live log kept the ids when this was planned.
    ids_from: Option<Hour>,
}

impl BackfillPlan {
    /// Whether rows would be delivered again.
    pub const fn repeats(&self) -> bool {
        self.may_repeat > 0 || self.unknown_hours > 0
    }
}

/// Why there is nothing to begin with.
#[derive(Debug, thiserror::Error)]
pub enum BackfillFault {
    /// The hours lie before what Duo keeps.
    #[error("Duo keeps 180 days; the earliest hour that can be asked for is {earliest}")]
    TooOld {
        /// The first hour that can be asked for.
        earliest: Hour,
    },
    /// The hours were not collected yet.
    #[error(
        "there is nothing to read before {place}, where the live log stands: it reads what follows by itself"
    )]
    NotYet {
        /// The place of the live log, or what Duo shows for sure.
        place: Millis,
    },
    /// Duo does not give this log to this application.
    #[error("Duo does not give this log to this application")]
    NotGiven,
    /// Another backfill of some of these hours was begun: each would take the ids from the other.
    #[error("a backfill of this log from {} to {} was begun and is not done", Hour::of(.0.from), Hour::of(.0.to))]
    Overlaps(Span),
    /// While it was on its way the live log gave up ids of hours that are still to be read.
    #[error(
        "{0} rows of the hours that are left were delivered before, and the ledger does not keep their ids any more"
    )]
    WouldRepeat(u64),
    /// The rows of this state go somewhere else: what is delivered here would be missing there.
    #[error("the rows of this state go to another workspace or endpoint")]
    OtherDestination,
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl BackfillFault {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::TooOld { .. } | Self::NotYet { .. } | Self::NotGiven => None,
            Self::Overlaps(_) => Some(
                "go on with that one first, by its own --from and --to; if nobody needs it, remove its text below backfill/ in \
                 the storage",
            ),
            Self::WouldRepeat(_) => {
                Some("the same command with --resend goes on and delivers them again")
            }
            Self::OtherDestination => Some(
                "use the settings of the function app: WORKSPACE_ID, or LOGS_INGESTION_ENDPOINT with LOGS_INGESTION_RULE_ID and \
                 LOGS_INGESTION_STREAM",
            ),
            Self::State(fault) => fault.hint.as_deref(),
        }
    }
}

/// How far a run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Everything of the span before this moment was read.
    pub reached: Option<Millis>,
    /// Rows that were accepted in this run.
    pub events: u64,
    /// Pages that were read in this run.
    pub pages: u64,
}

/// Calls a minute of a backfill: half of those that the live log may make beside it.
pub(super) const fn share_of(calls_per_minute: u32) -> u32 {
    calls_per_minute.div_ceil(2)
}

/// Who is told how far a run got.
pub type Watcher = dyn Fn(Advance) + Send + Sync;

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
            _ => to.map_or(place, |to| Hour::of(to - 1).end().min(place)),
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
    async fn begun(&self, log_type: LogType) -> Result<Vec<Backfill>, StateError> {
        let ids = self.state_of(log_type).backfills().await?;
        Ok(ids
            .iter()
            .filter_map(|id| Backfill::of_id(log_type, id))
            .collect())
    }

    /// The live log's checkpoint, whose rows must go where ours go.
    async fn live_place(&self, log_type: LogType) -> Result<Option<Checkpoint>, BackfillFault> {
        let Some((live, _)) = self.state_of(log_type).load().await? else {
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
    async fn may_repeat(
        &self,
        log_type: LogType,
        span: Span,
        live: Option<&Checkpoint>,
    ) -> Result<(u64, u64), StateError> {
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
                let results = state.results_as_they_are(day).await?;
                let (mut repeated, mut unknown) = (0, 0);
                for number in 0..24 {
                    let hour = day.after(number);
                    if Span::of(hour).within(span).is_none() {
                        continue;
                    }
                    match results.hours.get(&hour.number_in_day()) {
                        Some(result) if result.delivered > 0 => {
                            let known = state.ids(hour).await?.len() as u64;
                            repeated += result.delivered.saturating_sub(known);
                        }
                        None if lost_ids(hour) => unknown += 1,
                        _ => {}
                    }
                }
                Ok::<_, StateError>((repeated, unknown))
            }
        });
        counted
            .buffer_unordered(SIDE_BY_SIDE)
            .try_fold((0, 0), async |sum, day| Ok((sum.0 + day.0, sum.1 + day.1)))
            .await
    }

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

    /// The hours of a log that the ledger says have a gap, of those that Duo still keeps.
    pub async fn gaps(&self, log_type: LogType, now: Millis) -> Result<Vec<Span>, StateError> {
        let state = self.state_of(log_type);
        let kept = Span {
            from: Hour::of(now - RETENTION).end(),
            to: now,
        };
        let mut days: Vec<Hour> = kept.hours().map(Hour::day).collect();
        days.dedup();
        let days = stream::iter(days).map(|day| {
            let state = &state;
            async move { Ok::<_, StateError>((day, state.results_as_they_are(day).await?)) }
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
        Ok(gaps)
    }
}

/// The first hour of which the live log keeps ids.
fn ids_from(live: Option<&Checkpoint>) -> Option<Hour> {
    live?.sweeps.as_ref()?.forgotten
}

/// Two backfills of the same hours would send what the other one sends, and take its ids away at their end.
fn alone(backfill: &Backfill, begun: &[Backfill]) -> Result<(), BackfillFault> {
    let mut others = begun.iter().filter(|other| *other != backfill);
    match others.find(|other| other.span.within(backfill.span).is_some()) {
        Some(other) => Err(BackfillFault::Overlaps(other.span)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Backfill, share_of};
    use crate::model::{LogType, Millis};
    use crate::plan::Span;

    #[test]
    fn half_of_the_calls_are_left_to_the_live_log() {
        // No limit stays none.
        assert_eq!([0, 1, 5, 10, 600].map(share_of), [0, 1, 3, 5, 300]);
    }

    #[test]
    fn the_same_hours_have_the_same_name() {
        let backfill = Backfill {
            log_type: LogType::Activity,
            span: Span {
                from: Millis(1_795_348_800_000),
                to: Millis(1_795_359_600_000),
            },
        };
        assert_eq!(backfill.id(), "2026-11-22T12--2026-11-22T15");
        assert_eq!(
            Backfill::of_id(LogType::Activity, &backfill.id()),
            Some(backfill)
        );
        for odd in ["", "--", "2026-11-22T12", "2026-11-22T15--2026-11-22T12"] {
            assert_eq!(Backfill::of_id(LogType::Activity, odd), None, "{odd}");
        }
    }
}
