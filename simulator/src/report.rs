//! Comparison of the events that Duo returned with the rows that Azure Monitor accepted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::LogType;

/// The comparison of returned events with accepted rows, by log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One entry per log.
    pub logs: BTreeMap<LogType, LogReport>,
    /// Accepted rows that are not an event of the simulated Duo.
    pub unknown_rows: u64,
    /// Accepted rows that differ from their event, or whose added fields are invalid.
    pub altered_rows: u64,
    /// The first twenty problems: log, index and field, without content of events.
    pub first_problems: Vec<String>,
}

/// The comparison for one log; all figures count events unless stated otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Visible now.
    pub shown: u64,
    /// Accepted at least once.
    pub delivered: u64,
    /// Deliveries beyond the first of each event.
    pub duplicates: u64,
    /// Visible but never accepted.
    pub missing: u64,
}

impl Report {
    /// Visible events of all logs.
    pub fn shown(&self) -> u64 {
        self.sum(|log| log.shown)
    }

    /// Events of all logs accepted at least once.
    pub fn delivered(&self) -> u64 {
        self.sum(|log| log.delivered)
    }

    /// Deliveries beyond the first of each event, of all logs.
    pub fn duplicates(&self) -> u64 {
        self.sum(|log| log.duplicates)
    }

    /// Visible events of all logs that were never accepted.
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
