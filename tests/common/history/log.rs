//! The stored state of one log after weeks of runs.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use duo_sentinel::collector::UnmappedFields;
use duo_sentinel::model::{HOUR, Hour, LogType, MINUTE, Millis, Span};
use duo_sentinel::status::{Activity, Code, CurrentHealth, LastError, LogHealth, Outcome};
use duo_sentinel::storage::Document as _;
use duo_sentinel::sync::{
    BackOff, BackOffCause, Checkpoint, DayResults, Destination, HourResult, HourState, RunCounts,
};

/// Days since the first run.
const AGE: i64 = 9;

/// The stored state of a log.
pub(crate) struct Log {
    name: LogType,
    now: Millis,
    checkpoint: Checkpoint,
    health: LogHealth,
    days: BTreeMap<Hour, DayResults>,
    fields: UnmappedFields,
}

impl Log {
    /// A healthy log: about `at_noon` events per hour at noon on working days, and matching counts.
    pub(crate) fn working(log_type: LogType, at_noon: u64, now: Millis) -> Self {
        let began = Hour::of(now).after(-24 * AGE).start();
        let mut checkpoint = Checkpoint::first(began, now);
        checkpoint.mintime = now - TimeDelta::minutes(3);
        checkpoint.answered = true;
        let mut log = Self {
            name: log_type,
            now,
            checkpoint,
            health: LogHealth::default(),
            days: BTreeMap::new(),
            fields: UnmappedFields::default(),
        };
        log.health.current = Some(CurrentHealth {
            outcome: Outcome::CaughtUp,
            code: None,
            http_status: None,
            since: began,
            seen_at: now - MINUTE,
            collected_to: Some(log.checkpoint.mintime),
            retry_at: None,
        });
        log.health.succeeded_at = Some(now - MINUTE);
        for ago in 0..7 * 24 {
            let hour = Hour::of(now).after(-ago);
            log.health.hours.insert(hour, activity(hour, at_noon));
        }
        for ago in 2..24 * AGE {
            let hour = Hour::of(now).after(-ago);
            log.set(hour, activity(hour, at_noon).counts.events, |_| {});
        }
        log
    }

    /// Sets the current outcome, unchanged for this many minutes.
    pub(crate) fn current(
        mut self,
        outcome: Outcome,
        code: Option<(Code, u16)>,
        minutes: i64,
    ) -> Self {
        let since = self.now - TimeDelta::minutes(minutes);
        let current = self.health.current.as_mut().expect("the log has run");
        current.outcome = outcome;
        current.since = since;
        if let Some((code, status)) = code {
            (current.code, current.http_status) = (Some(code), Some(status));
        }
        if outcome == Outcome::BackingOff {
            current.retry_at = Some(self.now + TimeDelta::minutes(4));
        }
        if !matches!(outcome, Outcome::CaughtUp | Outcome::MoreToFetch) {
            self.health.succeeded_at = Some(since);
        }
        if let Some((code, status)) = code {
            self = self.error(code, status, minutes, 1, minutes.unsigned_abs());
        }
        self
    }

    /// Duo throttles requests: the log backs off for some more minutes.
    pub(crate) fn throttled(mut self) -> Self {
        self.checkpoint.back_off = Some(BackOff {
            retry_at: self.now + TimeDelta::minutes(4),
            count: 1,
            cause: BackOffCause::DuoThrottled,
        });
        self.current(Outcome::BackingOff, Some((Code::DuoThrottled, 429)), 6)
    }

    /// Rows were sent to another workspace until an hour ago.
    pub(crate) fn elsewhere(mut self) -> Self {
        self.checkpoint.destination = Some(Destination {
            fingerprint: "another workspace".to_owned(),
            used_at: self.now - HOUR,
        });
        self
    }

    /// Adds unmapped fields with the number of rows in which they were seen.
    pub(crate) fn unknown_fields(mut self, fields: &[(&str, u64)]) -> Self {
        let fields = fields.iter().map(|(name, rows)| ((*name).to_owned(), *rows));
        self.fields.fields.extend(fields);
        self
    }

    /// Results of hours recorded until `ago` hours ago have been sent as health rows.
    pub(crate) fn hours_reported_to(mut self, ago: i64) -> Self {
        self.health.hours_reported_to = Some(self.now - TimeDelta::hours(ago));
        self
    }

    /// The hours whose results changed in the last `ago` hours.
    pub(crate) fn hours_found_since(&self, ago: i64) -> Vec<Hour> {
        let since = self.now - TimeDelta::hours(ago);
        let found = self.days.iter().flat_map(|(day, results)| {
            let found = results.hours.iter();
            let found = found.filter(move |(_, result)| result.reconciled_at > since);
            found.map(|(number, _)| day.after(number.parse().expect("an hour is a number")))
        });
        found.collect()
    }

    /// Duo has never offered this log.
    pub(crate) fn unavailable(mut self) -> Self {
        self = self.current(Outcome::Unavailable, Some((Code::DuoForbidden, 403)), AGE * 24 * 60);
        self.health.succeeded_at = None;
        self.health.hours.clear();
        self.days.clear();
        self.checkpoint.mintime = self.checkpoint.collected_from;
        self
    }

    /// The log is this many hours behind, and these hours are not reconciled.
    pub(crate) fn behind(mut self, hours: i64) -> Self {
        self.checkpoint.mintime = self.now - TimeDelta::hours(hours);
        let last = Hour::of(self.checkpoint.mintime);
        for (day, results) in &mut self.days {
            results.hours.retain(|number, _| {
                let number: i64 = number.parse().expect("an hour is a number");
                day.after(number) < last
            });
        }
        self.health.hours.retain(|hour, _| *hour <= last);
        self
    }

    /// The last run was this many hours ago.
    pub(crate) fn silent(mut self, hours: i64) -> Self {
        let at = self.now - TimeDelta::hours(hours);
        self = self.behind(hours);
        self.health.current.as_mut().expect("the log has run").seen_at = at;
        self.health.succeeded_at = Some(at);
        self
    }

    /// Marks `late` events of the hour `ago` hours ago as late.
    pub(crate) fn late(mut self, ago: i64, late: u64) -> Self {
        let hour = Hour::of(self.now).after(-ago);
        self.set(hour, 90, |result| {
            (result.state, result.late) = (HourState::VerifiedLate, late);
        });
        // Reconciliation found them two hours later.
        let activity = self.health.hours.entry(hour.after(2)).or_default();
        activity.counts.late += late;
        self
    }

    /// A part of these hours is missing.
    pub(crate) fn gap(mut self, ago: std::ops::RangeInclusive<i64>) -> Self {
        for ago in ago {
            let hour = Hour::of(self.now).after(-ago);
            self.set(hour, 12, |result| {
                result.state = HourState::Gap;
                result.duo_count = Some(40);
                result.gap = Some(Span::of(hour));
            });
        }
        self
    }

    /// Completeness of this hour is unknown.
    pub(crate) fn unknown(mut self, ago: i64) -> Self {
        let hour = Hour::of(self.now).after(-ago);
        self.set(hour, 12, |result| result.state = HourState::Unknown);
        self
    }

    /// Adds an error, first and last seen this many minutes ago.
    pub(crate) fn error(
        mut self,
        code: Code,
        status: u16,
        first: i64,
        last: i64,
        runs: u64,
    ) -> Self {
        self.health.last_errors.push(LastError {
            code,
            http_status: Some(status),
            first_at: self.now - TimeDelta::minutes(first),
            last_at: self.now - TimeDelta::minutes(last),
            runs,
        });
        let hour = Hour::of(self.now - TimeDelta::minutes(last));
        self.health.hours.entry(hour).or_default().counts.throttled += u64::from(status == 429);
        self
    }

    fn set(&mut self, hour: Hour, delivered: u64, change: impl Fn(&mut HourResult)) {
        // An hour is read in full a day after its end.
        let state = if self.now - hour.end() < TimeDelta::hours(24) {
            HourState::CountMatched
        } else {
            HourState::Verified
        };
        let mut result = HourResult {
            state,
            span: Span::of(hour),
            duo_count: Some(delivered),
            delivered,
            late: 0,
            gap: None,
            read_at: None,
            reconciled_at: hour.end() + TimeDelta::minutes(15),
            stages: 6,
            is_backfill: false,
            unknown: serde_json::Map::new(),
        };
        change(&mut result);
        let day = self.days.entry(hour.day()).or_default();
        day.hours.insert(hour.number_in_day(), result);
    }

    /// Names and contents of the log's blobs or files.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let prefix = format!("127.0.0.1/self/{}", self.name);
        let days = self.days.iter().map(|(day, results)| {
            let name = format!("{prefix}/ledger/{}.json", day.date());
            (name, results.to_json())
        });
        let fields = (!self.fields.is_empty()).then(|| {
            let name = format!("{prefix}/fields.json");
            (name, self.fields.to_json())
        });
        days.chain(fields)
            .chain([
                (format!("{prefix}/checkpoint.json"), self.checkpoint.to_json()),
                (format!("{prefix}/health.json"), self.health.to_json()),
            ])
            .collect()
    }
}

/// Activity in an hour: high at noon, low at night and on weekends, with random variation.
fn activity(hour: Hour, at_noon: u64) -> Activity {
    let start = hour.start().date_time();
    let of_day = u64::from(chrono::Timelike::hour(&start));
    let is_weekend = chrono::Datelike::weekday(&start).number_from_monday() > 5;
    let share = 100_u64.saturating_sub(of_day.abs_diff(13).pow(2));
    let share = if is_weekend { share / 6 } else { share };
    let mut random = fastrand::Rng::with_seed(hour.start().0.unsigned_abs());
    let events = at_noon * (share * 4 + random.u64(0..100)) / 500;
    let counts = RunCounts {
        events,
        deduplicated: events / 4,
        pages: 60 + events / 1_000,
        requests: 75 + events / 1_000,
        ..RunCounts::default()
    };
    Activity { runs: 60, counts }
}
