//! Reconciled hours that have no row yet: found again after a restart, and read when it is their turn.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::debug;

use super::{MOST_HOURS, STORE_PATIENCE, Vital};
use crate::collector::Collector;
use crate::model::{Hour, LogType, Millis};
use crate::storage::{StorageError, document};
use crate::sync::{DayResults, HourResult};

/// Age of the oldest hours that are reconciled in time: the last stage of an hour is due two days after its end.
const OLDEST_CHECKED: TimeDelta = TimeDelta::days(3);
/// Most days whose results are read after a start.
const MOST_DAYS: i64 = 14;

impl Collector {
    /// The stored health of a log, if it can be read.
    pub(super) async fn read_vital(&self, log_type: LogType, now: Millis) -> Option<Vital> {
        let mut vital = Vital::unread(log_type);
        let name = self.state_of(log_type).health_name();
        match timeout(STORE_PATIENCE, document::read(&self.store, &name)).await {
            Ok(Ok((health, version))) => {
                vital.health = health.unwrap_or_default();
                vital.version = version;
                vital.is_read = true;
            }
            failed => {
                let reason = reason(failed);
                debug!(%log_type, reason, "the health of a log could not be read");
                return None;
            }
        }
        // Hours that were reconciled by a process that ended before it sent their rows, or while none was accepted.
        let told_to = vital.health.hours_told_to;
        let today = Hour::of(now).day();
        let first = Hour::of(told_to.unwrap_or(now).min(now) - OLDEST_CHECKED).day();
        let days = (today.start() - first.start()).num_days() + 1;
        let days = (0..days.min(MOST_DAYS)).map(|days| today.after(-24 * days)).collect();
        let is_untold =
            |result: &HourResult| told_to.is_none_or(|told_to| result.checked_at > told_to);
        let (results, _) = self.results(log_type, days).await;
        let untold = results.into_iter().filter(|(_, result)| is_untold(result));
        vital.add_hours(untold.map(|(hour, _)| hour));
        Some(vital)
    }

    /// Reads the results of the first waiting hours into memory. Hours whose results are gone stop waiting.
    pub(super) async fn load_hours(&self, vital: &mut Vital) {
        let first: BTreeSet<Hour> =
            vital.health.untold_hours.iter().take(MOST_HOURS).copied().collect();
        vital.hours.retain(|hour, _| first.contains(hour));
        let missing = first.iter().filter(|hour| !vital.hours.contains_key(hour));
        let mut days: Vec<Hour> = missing.map(|hour| hour.day()).collect();
        days.dedup();
        if days.is_empty() {
            return;
        }
        let (results, are_all) = self.results(vital.log_type, days).await;
        let results = results.into_iter().filter(|(hour, _)| first.contains(hour));
        vital.hours.extend(results);
        if are_all {
            vital
                .health
                .untold_hours
                .retain(|hour| !first.contains(hour) || vital.hours.contains_key(hour));
        }
    }

    /// The stored results of the hours of these days, as far as they can be read, and whether that is all.
    async fn results(&self, log_type: LogType, days: Vec<Hour>) -> (Vec<(Hour, HourResult)>, bool) {
        let state = self.state_of(log_type);
        let mut found = Vec::new();
        for day in days {
            match timeout(STORE_PATIENCE, state.results::<DayResults>(day)).await {
                Ok(Ok(results)) => {
                    found.extend(results.by_hour(day));
                }
                failed => {
                    let reason = reason(failed);
                    debug!(%log_type, reason, "the results of a day could not be read to be told");
                    return (found, false);
                }
            }
        }
        (found, true)
    }
}

/// Why nothing was read or stored in time.
pub(in crate::collector) fn reason<T>(failed: Result<Result<T, StorageError>, Elapsed>) -> String {
    match failed {
        Ok(Err(error)) => error.to_string(),
        _ => "no response in time".to_owned(),
    }
}
