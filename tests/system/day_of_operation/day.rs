//! The events of the day.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};
use tempfile::TempDir;

use crate::common::app::{json, page};
use crate::common::{
    Azurite, Body, Container, FunctionsHost, Settings, accepted_rows, temporary_folder,
};
use crate::day_of_operation::reported::{Reported, rows_of};

const CONTAINER: &str = "day";

/// A day of operation, and what it left in the tables and the storage.
pub(crate) struct Day {
    pub(crate) simulator: Simulator,
    _azurite: Azurite,
    container: Container,
    settings: Settings,
    rows: TempDir,
    began: DateTime<Utc>,
    /// Accepted rows per log of the killed run.
    killed: BTreeMap<String, u64>,
}

impl Day {
    pub(crate) async fn begin() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the program uses the current time")]
        let now = Utc::now().duration_trunc(TimeDelta::hours(1)).unwrap();
        let rows = temporary_folder();
        let events = [
            (LogType::Authentication, 1500),
            (LogType::Administrator, 150),
            (LogType::Telephony, 300),
            (LogType::OfflineEnrollment, 60),
            (LogType::TrustMonitor, 40),
            (LogType::Activity, 900),
        ];
        let simulator = Simulator::start(Config {
            seed: 2026,
            volumes: events.into(),
            from: now,
            to: now + TimeDelta::hours(24),
            late_per_mille: 30,
            late_by: Duration::from_secs(3 * 3600),
            max_limit: 100,
            rows_dir: Some(rows.path().to_owned()),
            ..Config::default()
        })
        .await
        .unwrap();
        let azurite = Azurite::of_its_own();
        let settings = Settings::in_storage(&simulator, &azurite.connection_string(), CONTAINER)
            .with("CISCO_DUO_START_TIME", now.to_rfc3339())
            .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "2");
        Self {
            container: azurite.container(CONTAINER),
            _azurite: azurite,
            simulator,
            settings,
            rows,
            began: now,
            killed: BTreeMap::new(),
        }
    }

    /// Runs the day, and two more days in which its hours are settled.
    pub(crate) async fn play(&mut self) {
        let any = |kind| Fault::always(Target::AnyDuo, kind);
        let of = |log, kind| Fault::always(Target::Duo(log), kind);
        self.always(of(LogType::TrustMonitor, FaultKind::Forbidden));
        self.until(3.0).await;
        self.simulator.faults().push(any(FaultKind::Status(503)));
        self.until(5.0).await;
        self.assert_state("activity", "backing_off", "duo_unreachable").await;
        self.clear();
        self.until(7.0).await;
        let throttled = FaultKind::TooManyRequests { retry_after: None };
        self.simulator.faults().push(of(LogType::Activity, throttled));
        self.until(8.0).await;
        self.assert_state("activity", "backing_off", "duo_throttled").await;
        self.assert_state("telephony", "working", "").await;
        self.clear();
        self.until(10.0).await;
        self.kill_a_run().await;
        self.until(12.0).await;
        self.simulator.faults().push(of(LogType::Telephony, FaultKind::Forbidden));
        self.until(14.0).await;
        self.assert_state("telephony", "failing", "duo_forbidden").await;
        self.clear();
        self.until(16.0).await;
        let down = Fault::always(Target::LogAnalytics, FaultKind::Status(503));
        self.simulator.faults().push(down);
        self.until(17.0).await;
        self.assert_state("authentication", "backing_off", "azure_unreachable").await;
        self.clear();
        self.until(25.0).await;
        // Until the last reconciliation of the last hour, one hour per step.
        for hour in 26..76 {
            self.tick(f64::from(hour)).await;
        }
    }

    /// Starts a fault that lasts the whole day: Trust Monitor is forbidden.
    fn always(&self, fault: Fault) {
        self.simulator.faults().push(fault);
    }

    fn clear(&self) {
        self.simulator.faults().clear();
        self.always(Fault::always(Target::Duo(LogType::TrustMonitor), FaultKind::Forbidden));
    }

    /// Runs every 20 minutes up to this hour of the day, each in a new process.
    async fn until(&self, hour: f64) {
        let mut at = self.hour();
        while at + 0.3 < hour {
            at += 1.0 / 3.0;
            self.tick(at).await;
        }
    }

    /// The hours since the start of the day.
    #[expect(clippy::cast_precision_loss, reason = "seconds of three days")]
    fn hour(&self) -> f64 {
        (self.simulator.clock().now() - self.began).num_seconds() as f64 / 3600.0
    }

    async fn tick(&self, hour: f64) {
        let mut host = self.host(hour).await;
        host.fire().await;
        host.kill().await;
    }

    /// Sets the clocks of Duo and of a new process to this hour of the day.
    async fn host(&self, hour: f64) -> FunctionsHost {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of three days")]
        let seconds = (hour * 3600.0) as i64;
        let clock = self.simulator.clock();
        let real = clock.now() - clock.offset();
        let ahead = self.began + TimeDelta::seconds(seconds) - real;
        let ahead = TimeDelta::seconds(ahead.num_seconds().max(0));
        clock.set_offset(ahead);
        let ahead = ahead.num_seconds().to_string();
        let settings = self.settings.clone().with("CISCO_DUO_DEMO_CLOCK_SECONDS", ahead);
        FunctionsHost::start(&settings).await
    }

    /// Kills a run after some of its rows were accepted and before it ends.
    async fn kill_a_run(&mut self) {
        let before = self.rows();
        let mut host = self.host(self.hour() + 0.5).await;
        self.simulator.faults().push(Fault::always(
            Target::LogAnalytics,
            FaultKind::Latency(Duration::from_millis(300)),
        ));
        let posts = self.simulator.counts().log_analytics.accepted;
        tokio::spawn(host.begin(Body::Timer));
        while self.simulator.counts().log_analytics.accepted < posts + 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        host.kill().await;
        // Requests in flight are accepted nevertheless.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.clear();
        for (log, rows) in self.rows() {
            let more = rows - before.get(&log).copied().unwrap_or(0);
            self.killed.insert(log, more);
        }
        assert!(self.killed.values().sum::<u64>() > 0, "nothing was accepted");
    }

    /// Accepted rows per log so far.
    fn rows(&self) -> BTreeMap<String, u64> {
        let mut rows = BTreeMap::new();
        for row in accepted_rows(self.rows.path(), "CiscoDuo_CL") {
            *rows.entry(row["eventtype"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        rows
    }

    pub(crate) fn rows_of_the_killed_run(&self, log: &str) -> u64 {
        self.killed.get(log).copied().unwrap_or(0)
    }

    /// Asserts the status of a log at the current hour.
    async fn assert_state(&self, log: &str, state: &str, code: &str) {
        let status = json(&self.host(self.hour()).await.address()).await;
        let log_status = rows_of(&status["logs"], log);
        assert_eq!(log_status["state"], state, "{log}: {log_status:#}");
        assert_eq!(log_status["code"].as_str().unwrap_or_default(), code);
    }

    /// Everything that is reported at the end.
    pub(crate) async fn reported(&self) -> Reported {
        let host = self.host(self.hour()).await;
        let web = host.address();
        Reported {
            events: accepted_rows(self.rows.path(), "CiscoDuo_CL"),
            health: accepted_rows(self.rows.path(), "CiscoDuoHealth_CL"),
            status: json(&web).await,
            page: page(&web).await.body,
            ledger: self.container.results().await,
        }
    }
}
