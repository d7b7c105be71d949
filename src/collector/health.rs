//! After a run, stores and sends the health of each log, and sends the reconciled hours.
//!
//! Errors here neither fail a run nor affect a checkpoint. Rows about runs are sent once, or twice
//! if storing fails; rows about hours are built from the stored results until they are accepted.

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
use crate::ingestion::{self, BatchRequest, Table};
use crate::logging::LogEvent;
use crate::model::{HOUR, Hour, LogType, Millis};
use crate::status::{Fields, LogHealth, Outcome, body, hour_row, run_row};
use crate::storage::{Document as _, StorageError, Version, WriteError, document};
use crate::sync::{DayResults, HourResult};

const STORE_TIMEOUT: Duration = Duration::from_secs(5);
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum hour rows per log and request; the others wait for the next run. A row has about 0.5 KB;
/// the six logs share one request of at most 1 MB.
const MAX_HOURS: usize = 200;
/// Interval between warnings that rows are not accepted.
const WARNING_INTERVAL: TimeDelta = HOUR;

/// Maximum age of hours reconciled on schedule: the last stage is due two days after an hour.
const OLDEST_RECONCILED: TimeDelta = TimeDelta::days(3);
/// Maximum days whose results are read after a start.
const MAX_DAYS: i64 = 14;

#[derive(Debug, Default)]
pub(super) struct HealthCache {
    known: Mutex<BTreeMap<LogType, CachedHealth>>,
    warned_at: Mutex<Option<Millis>>,
}

#[derive(Debug, Default)]
struct CachedHealth {
    health: LogHealth,
    version: Option<Version>,
    /// Whether it was read from storage and may be written back.
    is_read: bool,
}

/// The health of a log after a run, and the rows that are due.
struct Due {
    log_type: LogType,
    cached: CachedHealth,
    has_run_row: bool,
    hours: BTreeMap<Hour, HourResult>,
}

impl Due {
    fn rows(&self) -> impl Iterator<Item = Fields> {
        let run = self.has_run_row.then(|| run_row(self.log_type, &self.cached.health));
        run.flatten().into_iter().chain(hour_rows(self.log_type, &self.hours))
    }

    fn reported(&mut self, now: Millis) {
        let health = &mut self.cached.health;
        if self.has_run_row {
            health.reported(now);
        }
        health.unreported_hours.retain(|hour| !self.hours.contains_key(hour));
        let reported_to = self.hours.values().map(|result| result.reconciled_at).max();
        health.hours_reported_to = health.hours_reported_to.max(reported_to);
    }
}

fn hour_rows(
    log_type: LogType,
    hours: &BTreeMap<Hour, HourResult>,
) -> impl Iterator<Item = Fields> {
    hours.iter().map(move |(hour, result)| hour_row(log_type, *hour, result))
}

impl Collector {
    /// Stores and sends the health of the logs after a run. Takes at most some seconds.
    pub(super) async fn report_health(&self, logs: &[LogReport], clock: Clock) {
        // The instance that holds the lease reports the log's health.
        let seen = logs.iter().filter(|log| log.outcome != Outcome::HeldElsewhere);
        let due = join_all(seen.map(|log| self.due(log, clock.now()))).await;
        let now = clock.now();
        let is_accepted = self.send_health(due.iter().flat_map(Due::rows).collect(), now).await;
        let stored = due.into_iter().map(|due| self.store_health(due, is_accepted.then_some(now)));
        let stored = join_all(stored).await;
        lock(&self.health.known).extend(stored);
    }

    /// Sends the stored results of the waiting hours and removes accepted ones from `waiting`.
    pub(crate) async fn report_hours(&self, log_type: LogType, waiting: &mut BTreeSet<Hour>) {
        let clock = Clock::start(self.settings.clock_offset);
        loop {
            let hours = self.first_hours(log_type, waiting).await;
            let rows = hour_rows(log_type, &hours).collect();
            if hours.is_empty() || !self.send_health(rows, clock.now()).await {
                return;
            }
            waiting.retain(|hour| !hours.contains_key(hour));
        }
    }

    async fn due(&self, log: &LogReport, now: Millis) -> Due {
        let log_type = log.log_type;
        let mut cached = self.cached_health(log, now).await;
        let health = &mut cached.health;
        health.unreported_hours.extend(log.reconciled.iter().map(|(hour, _)| *hour));
        let has_run_row = health.add(log.current_health(now), log.counts);
        health.add_entries(&log.entries, log.entries_from);
        let hours = self.first_hours(log_type, &mut health.unreported_hours).await;
        Due { log_type, cached, has_run_row, hours }
    }

    async fn cached_health(&self, log: &LogReport, now: Millis) -> CachedHealth {
        let known = lock(&self.health.known).remove(&log.log_type).unwrap_or_default();
        if known.is_read {
            return known;
        }
        match self.read_health(log, now).await {
            Some(mut read) => {
                // Another instance may have stored the health since; these hours are still due.
                read.health.unreported_hours.extend(known.health.unreported_hours);
                read
            }
            // The stored health is not overwritten, and its rows are not sent again.
            None => known,
        }
    }

    /// Sends the rows in one request. Returns whether they were accepted or need not be sent.
    async fn send_health(&self, rows: Vec<Fields>, now: Millis) -> bool {
        if !self.settings.health || rows.is_empty() {
            return true;
        }
        let request = BatchRequest {
            table: Table::CiscoDuoHealth,
            body: body(self.sink.api(), &self.settings.duo.host, now, rows),
            is_dated_by_event: false,
            now: now.date_time(),
            timeout: SEND_TIMEOUT,
        };
        let Err(error) = self.sink.send(request).await else {
            return true;
        };
        let mut warned_at = lock(&self.health.warned_at);
        if warned_at.is_none_or(|at| now - at >= WARNING_INTERVAL) {
            *warned_at = Some(now);
            let hint = ingestion::hint(&error);
            warn!(event = %LogEvent::HealthRefused, %error, hint, "the rows about the connector itself were not accepted; they are sent again later");
        }
        false
    }

    /// Stores the health of a log; `reported_at` is when its rows were accepted, if they were.
    async fn store_health(
        &self,
        mut due: Due,
        reported_at: Option<Millis>,
    ) -> (LogType, CachedHealth) {
        // Waiting hours are stored too, so that they survive a restart.
        let is_due = due.has_run_row || !due.cached.health.unreported_hours.is_empty();
        if let Some(now) = reported_at {
            due.reported(now);
        }
        let Due { log_type, mut cached, .. } = due;
        if !cached.is_read || !is_due {
            return (log_type, cached);
        }
        let name = self.state_of(log_type).health_name();
        let saved = self.store.write(&name, cached.health.to_json(), cached.version.as_ref());
        match timeout(STORE_TIMEOUT, saved).await {
            Ok(Ok(version)) => cached.version = Some(version),
            Ok(Err(WriteError::Failed(error))) => {
                debug!(%log_type, %error, "the health of the log could not be stored");
            }
            // Another instance stored its health, or the write succeeded: the next run reads it.
            Ok(Err(WriteError::Conflict)) | Err(_) => cached.is_read = false,
        }
        (log_type, cached)
    }

    async fn read_health(&self, log: &LogReport, now: Millis) -> Option<CachedHealth> {
        let log_type = log.log_type;
        let state = self.state_of(log_type);
        let name = state.health_name();
        let read = async {
            let (health, version) = document::read::<LogHealth>(&self.store, &name).await?;
            Ok((health.unwrap_or_default(), version, state.entry_counts().await?))
        };
        let read = timeout(STORE_TIMEOUT, read).await;
        let Ok(Ok((mut health, version, mut entries))) = read else {
            debug!(%log_type, reason = reason(read), "the health of a log could not be read");
            return None;
        };
        // This run is added later.
        for (hour, appended) in &log.entries {
            entries.entry(*hour).and_modify(|count| *count = count.saturating_sub(*appended));
        }
        health.add_unrecorded(entries, log.entries_from, now);
        // Reconciled hours whose rows were not sent before the process ended, or not accepted.
        let reported_to = health.hours_reported_to;
        let today = Hour::of(now).day();
        let first = Hour::of(reported_to.unwrap_or(now).min(now) - OLDEST_RECONCILED).day();
        let days = (today.start() - first.start()).num_days() + 1;
        let days = (0..days.min(MAX_DAYS)).map(|days| today.after(-24 * days)).collect();
        let (mut results, _) = self.results(log_type, days).await;
        results.retain(|_, result| {
            reported_to.is_none_or(|reported_to| result.reconciled_at > reported_to)
        });
        health.unreported_hours.extend(results.into_keys());
        Some(CachedHealth { health, version, is_read: true })
    }

    /// The results of the first waiting hours. Hours without a stored result stop waiting.
    async fn first_hours(
        &self,
        log_type: LogType,
        waiting: &mut BTreeSet<Hour>,
    ) -> BTreeMap<Hour, HourResult> {
        let first: BTreeSet<Hour> = waiting.iter().take(MAX_HOURS).copied().collect();
        let mut days: Vec<Hour> = first.iter().map(|hour| hour.day()).collect();
        days.dedup();
        let (mut results, are_all) = self.results(log_type, days).await;
        results.retain(|hour, _| first.contains(hour));
        if are_all {
            waiting.retain(|hour| !first.contains(hour) || results.contains_key(hour));
        }
        results
    }

    /// The stored results of these days that can be read, and whether all could be read.
    async fn results(
        &self,
        log_type: LogType,
        days: Vec<Hour>,
    ) -> (BTreeMap<Hour, HourResult>, bool) {
        let state = self.state_of(log_type);
        let mut found = BTreeMap::new();
        for day in days {
            let read = timeout(STORE_TIMEOUT, state.results::<DayResults>(day)).await;
            let Ok(Ok(results)) = read else {
                let reason = reason(read);
                debug!(%log_type, reason, "the results of a day could not be read for health rows");
                return (found, false);
            };
            found.extend(results.by_hour(day));
        }
        (found, true)
    }
}

/// The reason why a storage operation failed or timed out.
pub(super) fn reason<T>(failed: Result<Result<T, StorageError>, Elapsed>) -> String {
    match failed {
        Ok(Err(error)) => error.to_string(),
        _ => "no response in time".to_owned(),
    }
}

#[cfg(test)]
mod tests;
