use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::try_join_all;
use serde::Serialize;
use strum::{EnumProperty, IntoStaticStr};
use tokio::time::timeout;

use super::hour_status::{Day, HourCounts};
use crate::model::{Hour, LogType, Millis, Span};
use crate::status::{Activity, Cause, Code, CurrentHealth, LastError, LogHealth, Outcome};
use crate::storage::{LogState, StorageError, document};
use crate::sync::{Checkpoint, DayResults, HourResult, HourState};

const DAYS: i64 = 14;
/// Maximum time without a recorded run; one is recorded at least every 15 minutes.
const LONGEST_SILENCE: TimeDelta = TimeDelta::minutes(30);
/// Lag above which a log is catching up.
const BEHIND: TimeDelta = TimeDelta::minutes(30);

/// The state of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumProperty, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// At most 30 minutes behind, without an error.
    #[strum(to_string = "working", props(tone = "working"))]
    Working,
    /// Duo does not permit this log for this application.
    #[strum(to_string = "unavailable", props(tone = "idle"))]
    Unavailable,
    /// No run is recorded yet.
    #[strum(to_string = "no run yet", props(tone = "idle"))]
    New,
    /// Duo has more events, and they are being delivered.
    #[strum(to_string = "catching up", props(tone = "warning"))]
    CatchingUp,
    /// The log backs off, and continues by itself.
    #[strum(to_string = "backing off", props(tone = "warning"))]
    BackingOff,
    /// No run was recorded for half an hour.
    #[strum(to_string = "silent", props(tone = "failing"))]
    Silent,
    /// Its stored state cannot be read.
    #[strum(to_string = "unreadable", props(tone = "failing"))]
    Unreadable,
    /// An operator must act.
    #[strum(to_string = "failing", props(tone = "failing"))]
    Failing,
}

impl State {
    /// The state in words.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub(super) fn tone(self) -> &'static str {
        self.get_str("tone").expect("every state has a tone")
    }

    pub(crate) fn needs_action(self) -> bool {
        self.tone() == "failing"
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogStatus {
    pub(crate) log_type: LogType,
    pub(crate) state: State,
    #[serde(flatten)]
    pub(crate) cause: Cause,
    /// Start of the current outcome and error.
    pub(crate) since: Option<Millis>,
    /// Events before this time are delivered.
    pub(crate) collected_to: Option<Millis>,
    pub(crate) lag_seconds: Option<i64>,
    pub(crate) retry_at: Option<Millis>,
    pub(crate) seen_at: Option<Millis>,
    pub(crate) succeeded_at: Option<Millis>,
    /// Totals of the last seven days.
    pub(crate) activity: Activity,
    /// Totals per hour of the last seven days, by time of the run.
    pub(crate) hours: BTreeMap<Hour, Activity>,
    /// The last days, newest first.
    pub(crate) days: Vec<Day>,
    pub(crate) completeness: HourCounts,
    pub(crate) gaps: Vec<Span>,
    /// The spans of hours whose completeness is unknown, oldest first.
    #[serde(skip)]
    pub(crate) unknown: Vec<Span>,
    /// The last errors, newest first.
    pub(crate) last_errors: Vec<LastError>,
}

impl LogStatus {
    /// Reads the stored state of a log, or reports it as unreadable after `time_limit`.
    pub(super) async fn read(
        state: &LogState,
        log_type: LogType,
        now: Millis,
        time_limit: Duration,
    ) -> Self {
        match timeout(time_limit, stored(state, now)).await {
            Ok(Ok(stored)) => Self::of(log_type, stored, now),
            Ok(Err(_)) | Err(_) => Self {
                state: State::Unreadable,
                cause: Cause { code: Some(Code::State), http_status: None },
                ..Self::of(log_type, Stored::default(), now)
            },
        }
    }

    fn of(log_type: LogType, (checkpoint, health, results): Stored, now: Millis) -> Self {
        let current = health.current;
        let collected = checkpoint
            .map(|checkpoint| Span { from: checkpoint.collected_from, to: checkpoint.mintime });
        let collected_to = collected.map(|span| span.to);
        let lag = collected_to.map(|time| now - time);
        let state = state(&health, lag, now);
        let cause = match current {
            _ if state == State::Silent => Cause { code: Some(Code::NoRun), http_status: None },
            Some(CurrentHealth { code, http_status, .. }) => Cause { code, http_status },
            None => Cause::default(),
        };
        let days = Day::all(&results, collected, now);
        let mut activity = Activity::default();
        for hour in health.hours.values() {
            activity += *hour;
        }
        let hours = results.into_iter().rev().flat_map(|(day, results)| results.by_hour(day));
        let hours: Vec<(Hour, HourResult)> = hours.collect();
        let gaps = Span::joined(hours.iter().filter_map(|(_, result)| result.gap).collect());
        let unknown = hours.iter().filter(|(_, result)| result.state == HourState::Unknown);
        Self {
            log_type,
            state,
            cause,
            since: current.map(|current| current.since),
            collected_to,
            lag_seconds: lag.map(|lag| lag.num_seconds()),
            retry_at: current.and_then(|current| current.retry_at),
            seen_at: current.map(|current| current.seen_at),
            succeeded_at: health.succeeded_at,
            activity,
            hours: health.hours,
            completeness: HourCounts::of(&days),
            days,
            gaps,
            unknown: Span::joined(unknown.map(|(hour, _)| Span::of(*hour)).collect()),
            last_errors: health.last_errors,
        }
    }
}

/// The checkpoint, the health, and the results of each day, newest first.
type Stored = (Option<Checkpoint>, LogHealth, Vec<(Hour, DayResults)>);

async fn stored(state: &LogState, now: Millis) -> Result<Stored, StorageError> {
    let today = Hour::of(now).day();
    let days = (0..DAYS).map(|days| async move {
        let day = today.after(-24 * days);
        Ok((day, state.peek_results(day).await?))
    });
    let name = state.health_name();
    let health = document::read::<LogHealth>(state.store(), &name);
    let (checkpoint, (health, _), results) =
        futures::try_join!(state.load(), health, try_join_all(days))?;
    let checkpoint: Option<Checkpoint> = checkpoint.map(|(checkpoint, _)| checkpoint);
    let mut health = health.unwrap_or_default();
    let entries_from =
        checkpoint.as_ref().and_then(|checkpoint| checkpoint.reconciliation.entries_from);
    // The ledger is read after the health, so that its counts are never older.
    health.add_unrecorded(state.entry_counts().await?, entries_from, now);
    Ok((checkpoint, health, results))
}

fn state(health: &LogHealth, lag: Option<TimeDelta>, now: Millis) -> State {
    let Some(current) = &health.current else {
        return State::New;
    };
    if now - current.seen_at > LONGEST_SILENCE {
        return State::Silent;
    }
    match current.outcome {
        Outcome::CaughtUp | Outcome::MoreToFetch | Outcome::HeldElsewhere => {
            if lag.is_some_and(|lag| lag > BEHIND) { State::CatchingUp } else { State::Working }
        }
        Outcome::BackingOff => State::BackingOff,
        Outcome::Unavailable => State::Unavailable,
        Outcome::Failed | Outcome::Unknown => State::Failing,
    }
}
