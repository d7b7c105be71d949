use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use chrono::TimeDelta;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use strum::{EnumIter, IntoStaticStr};

use super::code::Code;
use crate::model::{Hour, Millis};
use crate::storage::{Document, Header};
use crate::sync::RunCounts;

const KEPT_HOURS: i64 = 7 * 24;
const KEPT_ERRORS: usize = 10;
/// Longest time without a row and without being stored.
const LONGEST_SILENCE: TimeDelta = TimeDelta::minutes(15);

/// The health of one log after its last runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHealth {
    #[serde(flatten)]
    header: Header,
    /// How the last recorded run ended.
    pub standing: Option<CurrentHealth>,
    /// End of the last run that succeeded.
    pub succeeded_at: Option<Millis>,
    /// Each of the last hours, by the time of the run.
    #[serde(default)]
    pub hours: BTreeMap<Hour, Activity>,
    /// The last errors, the newest first.
    #[serde(default)]
    pub last_errors: Vec<LastError>,
    /// Totals since the last row.
    #[serde(default)]
    pub unreported: Activity,
    /// When the last row was accepted.
    pub reported_at: Option<Millis>,
    /// Results of closed hours up to this moment have their rows.
    pub hours_reported_to: Option<Millis>,
    /// Reconciled hours that have no row yet.
    #[serde(default)]
    pub unreported_hours: BTreeSet<Hour>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentHealth {
    /// The outcome in one word.
    pub outcome: Outcome,
    /// The error, if there was one.
    pub code: Option<Code>,
    /// HTTP status of the response that caused it.
    pub http_status: Option<u16>,
    /// Begin of this outcome and error.
    pub since: Millis,
    /// End of the run.
    pub seen_at: Millis,
    /// Everything before this moment was delivered.
    pub collected_to: Option<Millis>,
    /// When a log that backs off continues.
    pub retry_at: Option<Millis>,
}

/// An error, met once or repeatedly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// The error.
    pub code: Code,
    /// HTTP status of the response that caused it.
    pub http_status: Option<u16>,
    /// End of the first run that met it.
    pub first_at: Millis,
    /// End of the last run that met it.
    pub last_at: Millis,
    /// Runs that met it.
    pub runs: u64,
}

impl Document for LogHealth {}

impl LogHealth {
    /// Adds a run: how it ended, `since` apart, and what it did. Returns whether it is worth a row now: it delivered or changed
    /// something, or the last row is 15 minutes old.
    pub fn add(&mut self, mut standing: CurrentHealth, counts: RunCounts) -> bool {
        let run = Activity { runs: 1, counts };
        let now = standing.seen_at;
        standing.since = match &self.standing {
            Some(before) if !has_changed(before, &standing) => before.since,
            _ => now,
        };
        let has_changed = standing.since == now;
        if standing.outcome.is_success() {
            self.succeeded_at = Some(now);
        }
        if let Some(code) = standing.code {
            self.meet(code, standing.http_status, now);
        }
        *self.hours.entry(Hour::of(now)).or_default() += run;
        let kept_from = Hour::of(now).after(1 - KEPT_HOURS);
        self.hours = self.hours.split_off(&kept_from);
        self.unreported += run;
        self.standing = Some(standing);
        let is_silent = self
            .reported_at
            .is_none_or(|reported_at| now - reported_at >= LONGEST_SILENCE || now < reported_at);
        has_changed || run.has_moved() || is_silent
    }

    /// Rows about everything up to now were accepted.
    pub fn reported(&mut self, now: Millis) {
        self.unreported = Activity::default();
        self.reported_at = Some(now);
    }

    fn meet(&mut self, code: Code, http_status: Option<u16>, now: Millis) {
        let is_it =
            |trouble: &LastError| trouble.code == code && trouble.http_status == http_status;
        let mut trouble = match self.last_errors.iter().position(is_it) {
            Some(known) => self.last_errors.remove(known),
            None => LastError { code, http_status, first_at: now, last_at: now, runs: 0 },
        };
        trouble.last_at = now;
        trouble.runs = trouble.runs.saturating_add(1);
        self.last_errors.insert(0, trouble);
        self.last_errors.truncate(KEPT_ERRORS);
    }
}

/// Having more to fetch after one run and being caught up after the next one is no change.
fn has_changed(before: &CurrentHealth, now: &CurrentHealth) -> bool {
    let of = |standing: &CurrentHealth| (standing.outcome, standing.code);
    let goes_on =
        before.outcome.is_success() && now.outcome.is_success() && before.code == now.code;
    of(before) != of(now) && !goes_on
}

/// How the run of a log ended, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that Duo returns was delivered.
    #[strum(to_string = "caught up")]
    CaughtUp,
    /// There is more; the next run continues.
    #[strum(to_string = "more to fetch")]
    MoreToFetch,
    /// The log backs off; its checkpoint is kept.
    #[strum(to_string = "backing_off")]
    BackingOff,
    /// Duo does not permit this log for this application.
    #[strum(to_string = "unavailable")]
    Unavailable,
    /// Another instance holds the lease.
    #[strum(to_string = "held elsewhere")]
    HeldElsewhere,
    /// An operator must act.
    #[strum(to_string = "failed")]
    Failed,
    /// An outcome of a later release.
    #[serde(other)]
    #[strum(to_string = "unknown")]
    Unknown,
}

impl Outcome {
    /// The outcome in words.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the log advanced, or there was nothing new.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::CaughtUp | Self::MoreToFetch)
    }
}

/// Totals of one or more runs of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Number of runs.
    pub runs: u64,
    /// What they did; zeros are not stored.
    #[serde(flatten, serialize_with = "without_zeros")]
    pub counts: RunCounts,
}

fn without_zeros<S: Serializer>(counts: &RunCounts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut counts = serde_json::to_value(counts).map_err(S::Error::custom)?;
    if let Some(counts) = counts.as_object_mut() {
        counts.retain(|_, count| *count != 0);
    }
    counts.serialize(serializer)
}

impl Activity {
    /// Whether something happened that is worth a row of its own.
    pub const fn has_moved(&self) -> bool {
        self.counts.events > 0 || self.counts.dead_letters > 0 || self.counts.throttled > 0
    }
}

impl AddAssign for Activity {
    fn add_assign(&mut self, other: Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.counts += other.counts;
    }
}

#[cfg(test)]
mod tests;
