//! After a run: the health of each log is stored, and sent to the workspace with the hours that were reconciled.
//!
//! Nothing here can fail a run or advance a checkpoint. Rows about runs are sent once or, when storing fails after them,
//! twice; rows about hours are made from the stored results until they are accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::report::LogReport;
use super::{Clock, Collector, lock};
use crate::ingestion::{self, SinkCall, Table};
use crate::logging::LogEvent;
use crate::model::{HOUR, Hour, LogType, Millis};
use crate::status::{Fields, LogHealth, Outcome, body, hour_row, run_row};
use crate::storage::{Document as _, StorageError, Version, WriteError, document};
use crate::sync::{DayResults, HourResult};

const STORE_PATIENCE: Duration = Duration::from_secs(5);
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Most rows about hours of a log in one request; the others wait for the next run. A row has half a kilobyte, and six
/// logs share a request, which may have a megabyte.
const MOST_HOURS: usize = 200;
/// Pause between two warnings that rows are not accepted.
const COMPLAIN_EVERY: TimeDelta = HOUR;

/// Age of the oldest hours that are reconciled in time: the last stage of an hour is due two days after its end.
const OLDEST_CHECKED: TimeDelta = TimeDelta::days(3);
/// Most days whose results are read after a start.
const MOST_DAYS: i64 = 14;

#[derive(Debug, Default)]
pub(super) struct Vitals {
    known: Mutex<BTreeMap<LogType, Vital>>,
    complained_at: Mutex<Option<Millis>>,
}

#[derive(Debug)]
struct Vital {
    log_type: LogType,
    health: LogHealth,
    version: Option<Version>,
    /// The first of the reconciled hours that have no row yet, with their results.
    hours: BTreeMap<Hour, HourResult>,
    /// Whether it agrees with what is stored, and may be stored again.
    is_read: bool,
    is_due: bool,
    /// Whether hours were added that have no row yet.
    has_new_hours: bool,
}

impl Vital {
    fn unread(log_type: LogType) -> Self {
        Self {
            log_type,
            health: LogHealth::default(),
            version: None,
            hours: BTreeMap::new(),
            is_read: false,
            is_due: false,
            has_new_hours: false,
        }
    }

    /// Adds reconciled hours. One that is waiting already has another result now.
    fn add_hours(&mut self, hours: impl IntoIterator<Item = Hour>) {
        for hour in hours {
            self.has_new_hours |= self.health.untold_hours.insert(hour);
            self.hours.remove(&hour);
        }
    }

    fn rows(&self) -> impl Iterator<Item = Fields> {
        let run = self.is_due.then(|| run_row(self.log_type, &self.health));
        let hours = self.hours.iter();
        let hours = hours.map(|(hour, result)| hour_row(self.log_type, *hour, result));
        run.flatten().into_iter().chain(hours)
    }

    fn told(&mut self, now: Millis) {
        self.health.told(now);
        let told = std::mem::take(&mut self.hours);
        for hour in told.keys() {
            self.health.untold_hours.remove(hour);
        }
        let told_to = told.values().map(|result| result.checked_at).max();
        self.health.hours_told_to = self.health.hours_told_to.max(told_to);
    }
}

impl Collector {
    /// Stores and sends the health of the logs after a run. Takes at most some seconds, whatever hangs.
    pub(super) async fn tell_health(&self, logs: &[LogReport], clock: Clock) {
        // The instance that holds the lease of a log reports its health.
        let seen = logs.iter().filter(|log| log.outcome != Outcome::HeldElsewhere);
        let mut vitals = join_all(seen.map(|log| self.vital(log, clock.now()))).await;
        let now = clock.now();
        let is_told = self.send_health(&vitals, now).await;
        for vital in &mut vitals {
            let had_rows = vital.is_due || !vital.hours.is_empty();
            if is_told && had_rows {
                vital.told(now);
                vital.is_due = true;
            }
            // Stored, waiting hours survive a restart.
            vital.is_due |= std::mem::take(&mut vital.has_new_hours);
        }
        let stored = join_all(vitals.into_iter().map(|vital| self.store_health(vital))).await;
        lock(&self.vitals.known).extend(stored.into_iter().map(|vital| (vital.log_type, vital)));
    }

    /// Sends the stored results of these hours; those that were accepted are removed from the list.
    pub(crate) async fn tell_hours(&self, log_type: LogType, hours: &mut Vec<Hour>) {
        let clock = Clock::start(self.settings.clock_offset);
        let mut vital = Vital::unread(log_type);
        vital.add_hours(hours.iter().copied());
        loop {
            self.load_hours(&mut vital).await;
            if vital.hours.is_empty()
                || !self.send_health(std::slice::from_ref(&vital), clock.now()).await
            {
                return;
            }
            vital.told(clock.now());
            hours.retain(|hour| vital.health.untold_hours.contains(hour));
        }
    }

    async fn vital(&self, log: &LogReport, now: Millis) -> Vital {
        let known = lock(&self.vitals.known).remove(&log.log_type);
        let mut vital = match known {
            Some(vital) if vital.is_read => vital,
            known => match self.read_vital(log.log_type, now).await {
                Some(mut vital) => {
                    // Another instance may have stored the health since; these hours still wait.
                    let waiting = known.map(|known| known.health.untold_hours);
                    vital.add_hours(waiting.into_iter().flatten());
                    vital
                }
                // Nothing is stored over it, and nothing that may have been sent is sent again.
                None => known.unwrap_or_else(|| Vital::unread(log.log_type)),
            },
        };
        vital.add_hours(log.reconciled.iter().map(|(hour, _)| *hour));
        vital.is_due = vital.health.add(&log.seen(self.sink.api(), now));
        self.load_hours(&mut vital).await;
        vital
    }

    /// Sends every row that is due in one request; returns whether they were accepted, or need not be sent.
    async fn send_health(&self, vitals: &[Vital], now: Millis) -> bool {
        if !self.settings.health {
            return true;
        }
        let rows: Vec<Fields> = vitals.iter().flat_map(Vital::rows).collect();
        if rows.is_empty() {
            return false;
        }
        let call = SinkCall {
            table: Table::CiscoDuoHealth,
            body: body(self.sink.api(), &self.settings.duo.host, now, rows),
            is_dated_by_event: false,
            now: now.date_time(),
            timeout: SEND_PATIENCE,
        };
        let Err(fault) = self.sink.send(call).await else {
            return true;
        };
        let mut complained_at = lock(&self.vitals.complained_at);
        if complained_at.is_none_or(|at| now - at >= COMPLAIN_EVERY) {
            *complained_at = Some(now);
            let hint = ingestion::hint(&fault);
            warn!(event = %LogEvent::HealthRefused, error = %fault, hint, "the rows about the connector itself were not accepted; they are sent again later");
        }
        false
    }

    async fn store_health(&self, mut vital: Vital) -> Vital {
        if !vital.is_read || !vital.is_due {
            return vital;
        }
        let state = self.state_of(vital.log_type);
        let name = state.health_name();
        let saved = self.store.write(&name, vital.health.to_json(), vital.version.as_ref());
        let saved = timeout(STORE_PATIENCE, saved).await;
        match saved {
            Ok(Ok(version)) => vital.version = Some(version),
            // Another instance stored its own: the next run begins with that.
            Ok(Err(WriteError::Conflict)) => vital.is_read = false,
            Ok(Err(WriteError::Failed(fault))) => {
                debug!(log_type = %vital.log_type, error = %fault, "how it fares was not stored");
            }
            Err(_) => {
                // It may have been stored: the version that a next write replaces is unknown.
                vital.is_read = false;
            }
        }
        vital
    }

    async fn read_vital(&self, log_type: LogType, now: Millis) -> Option<Vital> {
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
    async fn load_hours(&self, vital: &mut Vital) {
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
                    debug!(%log_type, reason, "the results of a day could not be read for health rows");
                    return (found, false);
                }
            }
        }
        (found, true)
    }
}

/// Why nothing was read or stored in time.
pub(super) fn reason<T>(failed: Result<Result<T, StorageError>, Elapsed>) -> String {
    match failed {
        Ok(Err(error)) => error.to_string(),
        _ => "no response in time".to_owned(),
    }
}
