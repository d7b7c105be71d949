//! The verdict: what Duo showed against what Azure Monitor accepted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::LogType;

/// What Duo showed against what Azure Monitor accepted, by log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One entry for each of the six logs.
    pub logs: BTreeMap<LogType, LogReport>,
    /// Accepted rows that are no event of the simulated Duo.
    pub unknown_rows: u64,
    /// Accepted rows that differ from their event, or whose added fields break a rule.
    pub altered_rows: u64,
    /// The first twenty findings: log, index and field, never an event's content.
    pub first_problems: Vec<String>,
}

/// The verdict on one log; all figures are numbers of events unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Visible by now.
    pub shown: u64,
    /// Accepted at least once.
    pub delivered: u64,
    /// Deliveries beyond the first of each event.
    pub duplicates: u64,
    /// Visible, yet never accepted.
    pub missing: u64,
}

impl Report {
    /// Events visible, over all logs.
    pub fn shown(&self) -> u64 {
        self.sum(|log| log.shown)
    }

    /// Events accepted at least once, over all logs.
    pub fn delivered(&self) -> u64 {
        self.sum(|log| log.delivered)
    }

    /// Deliveries beyond the first of each event, over all logs.
    pub fn duplicates(&self) -> u64 {
        self.sum(|log| log.duplicates)
    }

    /// Events visible yet never accepted, over all logs.
    pub fn missing(&self) -> u64 {
        self.sum(|log| log.missing)
    }

    /// Whether nothing is missing, unknown or altered; duplicates do not count.
    pub fn is_complete(&self) -> bool {
        self.missing() == 0 && self.unknown_rows == 0 && self.altered_rows == 0
    }

    fn sum(&self, of: impl Fn(&LogReport) -> u64) -> u64 {
        self.logs.values().map(of).sum()
    }
}
