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
/// Maximum time between rows.
const LONGEST_SILENCE: TimeDelta = TimeDelta::minutes(15);

/// The health of one log after its last runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHealth {
    #[serde(flatten)]
    header: Header,
    /// Health after the last recorded run.
    pub current: Option<CurrentHealth>,
    /// End of the last run that succeeded.
    pub succeeded_at: Option<Millis>,
    /// Totals per hour, by time of the run.
    #[serde(default)]
    pub hours: BTreeMap<Hour, Activity>,
    /// The last errors, newest first.
    #[serde(default)]
    pub last_errors: Vec<LastError>,
    /// Totals since the last row.
    #[serde(default)]
    pub unreported: Activity,
    /// Number of ledger entries that the totals already include, per hour. Hours that left the
    /// ledger are dropped.
    #[serde(default)]
    pub ledger: BTreeMap<Hour, u64>,
    /// Time of the last accepted row.
    pub reported_at: Option<Millis>,
    /// Rows were accepted for hours reconciled up to this time.
    pub hours_reported_to: Option<Millis>,
    /// Reconciled hours without an accepted row.
    #[serde(default)]
    pub unreported_hours: BTreeSet<Hour>,
}

/// Health after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentHealth {
    /// The outcome.
    pub outcome: Outcome,
    /// The error, if there was one.
    pub code: Option<Code>,
    /// HTTP status of the response that caused the error.
    pub http_status: Option<u16>,
    /// Start of this outcome and error.
    pub since: Millis,
    /// End of the run.
    pub seen_at: Millis,
    /// Events before this time are delivered.
    pub collected_to: Option<Millis>,
    /// End of the back-off.
    pub retry_at: Option<Millis>,
}

/// An error that occurred once or repeatedly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// The error.
    pub code: Code,
    /// HTTP status of the response that caused the error.
    pub http_status: Option<u16>,
    /// End of the first run with the error.
    pub first_at: Millis,
    /// End of the last run with the error.
    pub last_at: Millis,
    /// Number of runs with the error.
    pub runs: u64,
}

impl Document for LogHealth {}

impl LogHealth {
    /// Adds a run. Returns whether a row is due: after a change of outcome or error, after
    /// unreported events, dead letters or HTTP 429, or 15 minutes after the last row.
    pub fn add(&mut self, mut current: CurrentHealth, counts: RunCounts) -> bool {
        let run = Activity { runs: 1, counts };
        let now = current.seen_at;
        current.since = match &self.current {
            Some(before) if !has_changed(before, &current) => before.since,
            _ => now,
        };
        let has_changed = current.since == now;
        if current.outcome.is_success() {
            self.succeeded_at = Some(now);
        }
        if let Some(code) = current.code {
            self.add_error(code, current.http_status, now);
        }
        *self.hours.entry(Hour::of(now)).or_default() += run;
        let kept_from = Hour::of(now).after(1 - KEPT_HOURS);
        self.hours = self.hours.split_off(&kept_from);
        self.unreported += run;
        self.current = Some(current);
        let is_silent = self
            .reported_at
            .is_none_or(|reported_at| now - reported_at >= LONGEST_SILENCE || now < reported_at);
        has_changed || self.unreported.has_moved() || is_silent
    }

    /// Records the ledger entries of a run as included in the totals. `entries_from` is the first
    /// hour whose entries the ledger keeps.
    pub fn add_entries(&mut self, entries: &BTreeMap<Hour, u64>, entries_from: Option<Hour>) {
        for (hour, entries) in entries {
            let count = self.ledger.entry(*hour).or_default();
            *count = count.saturating_add(*entries);
        }
        self.ledger.retain(|hour, _| is_kept(*hour, entries_from));
    }

    /// Adds events that are in the ledger but not in the totals, because a process ended before
    /// it stored the health of its run, or a backfill delivered them. `ledger` is the number of
    /// entries per hour.
    pub fn add_unrecorded(
        &mut self,
        mut ledger: BTreeMap<Hour, u64>,
        entries_from: Option<Hour>,
        now: Millis,
    ) {
        // Entries before `entries_from` belong to a backfill, which removes them.
        ledger.retain(|hour, _| is_kept(*hour, entries_from));
        let known = |hour| self.ledger.get(hour).copied().unwrap_or_default();
        let events =
            ledger.iter().map(|(hour, entries)| entries.saturating_sub(known(hour))).sum::<u64>();
        let unrecorded = Activity { counts: RunCounts { events, ..RunCounts::default() }, runs: 0 };
        if events > 0 {
            *self.hours.entry(Hour::of(now)).or_default() += unrecorded;
            self.unreported += unrecorded;
        }
        self.ledger = ledger;
    }

    /// Marks everything up to now as reported.
    pub fn reported(&mut self, now: Millis) {
        self.unreported = Activity::default();
        self.reported_at = Some(now);
    }

    fn add_error(&mut self, code: Code, http_status: Option<u16>, now: Millis) {
        let is_same = |error: &LastError| error.code == code && error.http_status == http_status;
        let mut error = match self.last_errors.iter().position(is_same) {
            Some(known) => self.last_errors.remove(known),
            None => LastError { code, http_status, first_at: now, last_at: now, runs: 0 },
        };
        error.last_at = now;
        error.runs = error.runs.saturating_add(1);
        self.last_errors.insert(0, error);
        self.last_errors.truncate(KEPT_ERRORS);
    }
}

fn is_kept(hour: Hour, entries_from: Option<Hour>) -> bool {
    hour == Hour::UNDATED || entries_from.is_none_or(|from| hour >= from)
}

/// A change between `MoreToFetch` and `CaughtUp` does not count.
fn has_changed(before: &CurrentHealth, now: &CurrentHealth) -> bool {
    let of = |health: &CurrentHealth| (health.outcome, health.code);
    let still_succeeds =
        before.outcome.is_success() && now.outcome.is_success() && before.code == now.code;
    of(before) != of(now) && !still_succeeds
}

/// The outcome of a run, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that Duo returns was delivered.
    #[strum(to_string = "caught up")]
    CaughtUp,
    /// More events are left; the next run continues.
    #[strum(to_string = "more to fetch")]
    MoreToFetch,
    /// The log backs off; its checkpoint is kept.
    #[strum(to_string = "backing off")]
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

    /// Whether the log advanced or had nothing new.
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
    /// The counts; zeros are not stored.
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
    /// Whether the runs need a row of their own.
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
