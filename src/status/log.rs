//! How one log fares.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::future::try_join_all;
use serde::Serialize;

use super::mark::{Day, Marks};
use crate::model::{Hour, LogType, Millis, Span};
use crate::status::{Activity, Code, LogHealth, Outcome, Trouble};
use crate::storage::{BlobStore, LogState, StorageError, document};
use crate::sync::{Checkpoint, DayResults};

/// Days of which the completeness is shown, today among them.
pub(super) const DAYS: i64 = 14;
/// Longest time without a recorded run: at least every quarter of an hour one is recorded.
const LONGEST_SILENCE: TimeDelta = TimeDelta::minutes(30);
/// Lag from which a log that works is behind.
const BEHIND: TimeDelta = TimeDelta::minutes(30);

/// How a log fares, in one word; the worse ones are the greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything that Duo shows is delivered.
    Working,
    /// Duo does not give this log to this application.
    NotGiven,
    /// No run is recorded yet.
    New,
    /// More is there than was delivered, and it moves.
    CatchingUp,
    /// It waits, and goes on by itself.
    Waiting,
    /// No run was recorded for a while.
    Silent,
    /// What is stored of it cannot be read.
    Unreadable,
    /// Somebody must act.
    Failing,
}

impl State {
    /// The state in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::NotGiven => "not given by Duo",
            Self::New => "no run yet",
            Self::CatchingUp => "catching up",
            Self::Waiting => "waiting",
            Self::Silent => "silent",
            Self::Unreadable => "unreadable",
            Self::Failing => "failing",
        }
    }
}

/// How a log fares.
#[derive(Clone, Debug, Serialize)]
pub struct LogStatus {
    /// The log.
    pub log_type: LogType,
    /// In one word.
    pub state: State,
    /// What is wrong, as a code; docs/operate.md says more.
    pub code: Option<Code>,
    /// What is wrong, in plain words.
    pub message: Option<&'static str>,
    /// What to do about it.
    pub remedy: Option<&'static str>,
    /// HTTP status of the answer behind it.
    pub http_status: Option<u16>,
    /// Since when it stands so.
    pub since: Option<Millis>,
    /// Everything before this moment was delivered.
    pub collected_to: Option<Millis>,
    /// How far that is behind now, in seconds.
    pub lag_seconds: Option<i64>,
    /// When a log that waits goes on.
    pub parked_until: Option<Millis>,
    /// End of the last run that is recorded.
    pub seen_at: Option<Millis>,
    /// End of the last run that moved on, or had nothing to move.
    pub succeeded_at: Option<Millis>,
    /// What was done in the last seven days.
    pub activity: Activity,
    /// What was done in each hour of the last seven days, by the time of the run.
    pub hours: BTreeMap<Hour, Activity>,
    /// What is known of the hours of the last days, the newest day first.
    pub days: Vec<Day>,
    /// The same, counted.
    pub completeness: Marks,
    /// What is missing of these days.
    pub gaps: Vec<Span>,
    /// What went wrong last, the newest first.
    pub troubles: Vec<Trouble>,
}

impl LogStatus {
    /// Of a log of which nothing can be read.
    pub(super) fn unreadable(log_type: LogType) -> Self {
        let code = Code::State;
        Self {
            log_type,
            state: State::Unreadable,
            code: Some(code),
            message: Some(code.sentence()),
            remedy: Some(code.hint()),
            http_status: None,
            since: None,
            collected_to: None,
            lag_seconds: None,
            parked_until: None,
            seen_at: None,
            succeeded_at: None,
            activity: Activity::default(),
            hours: BTreeMap::new(),
            days: Vec::new(),
            completeness: Marks::default(),
            gaps: Vec::new(),
            troubles: Vec::new(),
        }
    }

    /// Reads what is stored of a log.
    pub(super) async fn read(
        state: &LogState<impl BlobStore>,
        log_type: LogType,
        now: Millis,
    ) -> Self {
        match Stored::read(state, now).await {
            Ok(stored) => Self::of(log_type, stored, now),
            Err(_) => Self::unreadable(log_type),
        }
    }

    fn of(log_type: LogType, stored: Stored, now: Millis) -> Self {
        let Stored {
            checkpoint,
            health,
            results,
        } = stored;
        let standing = health.standing.as_ref();
        let collected_to = checkpoint.as_ref().map(|checkpoint| checkpoint.mintime);
        let lag = collected_to.map(|time| now - time);
        let state = state(&health, lag, now);
        let code = match state {
            State::Silent => Some(Code::NoRun),
            _ => standing.and_then(|standing| standing.code),
        };
        let collected = checkpoint.as_ref().map(|checkpoint| Span {
            from: checkpoint.collected_from,
            to: checkpoint.mintime,
        });
        let days = Day::all(&results, collected, now);
        let mut activity = Activity::default();
        for hour in health.hours.values() {
            activity += *hour;
        }
        let gaps = results.iter().flat_map(|(_, day)| day.hours.values());
        let mut gaps: Vec<Span> = gaps.filter_map(|result| result.gap).collect();
        gaps.sort_unstable_by_key(|gap| gap.from);
        Self {
            log_type,
            state,
            code,
            message: code.map(Code::sentence),
            remedy: code.map(Code::hint),
            http_status: standing
                .filter(|standing| standing.code == code)
                .and_then(|standing| standing.http_status),
            since: standing.map(|standing| standing.since),
            collected_to,
            lag_seconds: lag.map(|lag| lag.num_seconds()),
            parked_until: standing.and_then(|standing| standing.parked_until),
            seen_at: standing.map(|standing| standing.seen_at),
            succeeded_at: health.succeeded_at,
            activity,
            hours: health.hours,
            completeness: Marks::of(&days),
            days,
            gaps: joined(gaps),
            troubles: health.troubles,
        }
    }
}

/// What is stored of a log.
struct Stored {
    checkpoint: Option<Checkpoint>,
    health: LogHealth,
    /// By day, the newest first.
    results: Vec<(Hour, DayResults)>,
}

impl Stored {
    async fn read(state: &LogState<impl BlobStore>, now: Millis) -> Result<Self, StorageError> {
        let today = Hour::of(now).day();
        let days = (0..DAYS).map(|days| async move {
            let day = today.after(-24 * days);
            Ok((day, state.peek_results(day).await?))
        });
        let name = state.health_name();
        let health = document::read::<LogHealth>(state.store(), &name);
        let (checkpoint, (health, _), results) =
            futures::try_join!(state.load(), health, try_join_all(days))?;
        Ok(Self {
            checkpoint: checkpoint.map(|(checkpoint, _)| checkpoint),
            health: health.unwrap_or_default(),
            results,
        })
    }
}

fn state(health: &LogHealth, lag: Option<TimeDelta>, now: Millis) -> State {
    let Some(standing) = &health.standing else {
        return State::New;
    };
    if now - standing.seen_at > LONGEST_SILENCE {
        return State::Silent;
    }
    match standing.outcome {
        Outcome::CaughtUp | Outcome::MoreToFetch | Outcome::HeldElsewhere => {
            if lag.is_some_and(|lag| lag > BEHIND) {
                State::CatchingUp
            } else {
                State::Working
            }
        }
        Outcome::Parked => State::Waiting,
        Outcome::Unavailable => State::NotGiven,
        Outcome::Failed | Outcome::Unknown => State::Failing,
    }
}

/// Gaps that follow one another are one.
fn joined(gaps: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for gap in gaps {
        match joined.last_mut() {
            Some(last) if gap.from <= last.to => last.to = last.to.max(gap.to),
            _ => joined.push(gap),
        }
    }
    joined
}
