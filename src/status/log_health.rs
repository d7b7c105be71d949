//! What is stored of how a log fares.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::activity::Activity;
use super::code::Code;
use super::outcome::Outcome;
use crate::model::{Hour, IngestionApi, Millis};
use crate::storage::Document;

/// Hours of which the activity is kept.
const KEPT_HOURS: i64 = 7 * 24;
/// Troubles that are kept, the last ones.
const KEPT_TROUBLES: usize = 10;
/// Longest time without a row and without being stored.
const LONGEST_SILENCE: TimeDelta = TimeDelta::minutes(15);

/// How one log fares, as its last runs left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHealth {
    version: u32,
    min_reader: u32,
    /// How it stands since its last run that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// End of the last run that moved on, or had nothing to move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Millis>,
    /// What was done in each of the last hours, by the time of the run.
    #[serde(default)]
    pub hours: BTreeMap<Hour, Activity>,
    /// What went wrong last, the newest first.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// What was done since the last row.
    #[serde(default)]
    pub untold: Activity,
    /// When the last row was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Millis>,
    /// The results of closed hours that were found up to this moment have their rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_told_to: Option<Millis>,
    /// Hours that were checked and have no row yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub untold_hours: BTreeSet<Hour>,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// How a log stands after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How the run ended.
    pub outcome: Outcome,
    /// What is wrong, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// HTTP status of the answer behind it, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Since when it stands so.
    pub since: Millis,
    /// End of the run.
    pub seen_at: Millis,
    /// Everything before this moment was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_to: Option<Millis>,
    /// When a log that waits goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked_until: Option<Millis>,
    /// Version of the program.
    pub program: String,
    /// SHA-256 of the program's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where rows go.
    pub ingestion_api: IngestionApi,
}

/// Something that went wrong, once or again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What.
    pub code: Code,
    /// HTTP status of the answer behind it, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// End of the first run that met it.
    pub first_at: Millis,
    /// End of the last run that met it.
    pub last_at: Millis,
    /// Runs that met it.
    pub runs: u64,
}

/// What a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSeen {
    /// How the log stands now; `since` is not looked at.
    pub standing: Standing,
    /// What the run did.
    pub activity: Activity,
}

impl Default for LogHealth {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            min_reader: Self::VERSION,
            standing: None,
            succeeded_at: None,
            hours: BTreeMap::new(),
            troubles: Vec::new(),
            untold: Activity::default(),
            told_at: None,
            hours_told_to: None,
            untold_hours: BTreeSet::new(),
            unknown: Map::new(),
        }
    }
}

impl Document for LogHealth {}

impl LogHealth {
    /// Adds a run. Says whether it is worth a row now: something moved or changed, or nothing was told for a quarter of an
    /// hour.
    pub fn add(&mut self, run: &RunSeen) -> bool {
        let mut standing = run.standing.clone();
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
        *self.hours.entry(Hour::of(now)).or_default() += run.activity;
        let kept_from = Hour::of(now).after(1 - KEPT_HOURS);
        self.hours = self.hours.split_off(&kept_from);
        self.untold += run.activity;
        self.standing = Some(standing);
        let is_silent = self
            .told_at
            .is_none_or(|told_at| now - told_at >= LONGEST_SILENCE || now < told_at);
        has_changed || run.activity.has_moved() || is_silent
    }

    /// Rows about everything up to now were accepted.
    pub fn told(&mut self, now: Millis) {
        self.untold = Activity::default();
        self.told_at = Some(now);
    }

    fn meet(&mut self, code: Code, http_status: Option<u16>, now: Millis) {
        let is_it = |trouble: &Trouble| trouble.code == code && trouble.http_status == http_status;
        let mut trouble = match self.troubles.iter().position(is_it) {
            Some(known) => self.troubles.remove(known),
            None => Trouble {
                code,
                http_status,
                first_at: now,
                last_at: now,
                runs: 0,
            },
        };
        trouble.last_at = now;
        trouble.runs = trouble.runs.saturating_add(1);
        self.troubles.insert(0, trouble);
        self.troubles.truncate(KEPT_TROUBLES);
    }
}

/// A log that has more to fetch in one run and is caught up after the next one stands as it stood.
fn has_changed(before: &Standing, now: &Standing) -> bool {
    let of = |standing: &Standing| (standing.outcome, standing.code);
    let goes_on =
        before.outcome.is_success() && now.outcome.is_success() && before.code == now.code;
    of(before) != of(now) && !goes_on
}

#[cfg(test)]
mod tests;
