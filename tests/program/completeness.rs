//! No hour is reported complete that is not: unusual but legal responses, and deleted state.

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};
use tempfile::TempDir;

use crate::common::{
    FunctionsHost, Settings, accepted_rows, assert_nothing_lost, checkpoint_name, running,
    temporary_folder, tenant,
};

/// An app whose clock can be set, with its state and its accepted rows in folders.
struct App {
    simulator: Simulator,
    settings: Settings,
    state: TempDir,
    rows: TempDir,
}

impl App {
    async fn new(mut config: Config) -> Self {
        let (state, rows) = (temporary_folder(), temporary_folder());
        config.rows_dir = Some(rows.path().to_owned());
        let simulator = Simulator::start(config).await.expect("free ports");
        let settings = Settings::in_folder(&simulator, state.path());
        Self { simulator, settings, state, rows }
    }

    /// Runs a new process at this offset from the real time until it has caught up.
    async fn run_at(&self, offset: TimeDelta) {
        self.simulator.clock().set_offset(offset);
        let ahead = offset.num_seconds().to_string();
        let settings = self.settings.clone().with("CISCO_DUO_DEMO_CLOCK_SECONDS", ahead);
        let mut host = FunctionsHost::start(&settings).await;
        host.catch_up(10).await;
        host.stop().await;
    }

    /// The accepted rows of a log.
    fn rows(&self, log: LogType) -> Vec<Value> {
        let rows = accepted_rows(self.rows.path(), "CiscoDuo_CL").into_iter();
        rows.filter(|row| row["eventtype"] == log.name()).collect()
    }

    /// The result of the hour of a time.
    fn result(&self, log: LogType, time: DateTime<Utc>) -> Value {
        let name = format!("ledger/{}.json", time.format("%Y-%m-%d"));
        let path = self.state.path().join(checkpoint_name(log.name()));
        let path = path.parent().unwrap().join(name);
        let results: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        results["hours"][time.format("%H").to_string()].clone()
    }
}

/// A time in the middle of an hour more than a day ago.
fn a_day_ago(simulator: &Simulator) -> DateTime<Utc> {
    let time = simulator.clock().now() - TimeDelta::hours(30);
    DateTime::from_timestamp(time.timestamp() / 3_600 * 3_600 + 1_800, 0).unwrap()
}

#[tokio::test]
async fn two_records_with_one_id_and_different_content_are_delivered_and_their_hour_is_verified() {
    let mut app = App::new(tenant(71, 0)).await;
    app.settings = app.settings.with("CISCO_DUO_LOOKBACK_HOURS", "48");
    let time = a_day_ago(&app.simulator);
    let record = |result: &str, reason: &str| {
        let record = json!({
            "txid": "00000000-0000-4000-8000-0000000000c1", "timestamp": time.timestamp(),
            "isotimestamp": time.to_rfc3339(), "result": result, "reason": reason,
            "user": {"key": "DU1", "name": "a.example"},
        });
        (time.timestamp_millis(), record.to_string())
    };
    let records = vec![record("denied", "no_response"), record("fraud", "user_marked_fraud")];
    app.simulator.give_records(LogType::Authentication, records);
    app.run_at(TimeDelta::zero()).await;
    let rows = app.rows(LogType::Authentication);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0]["event_uid"], rows[1]["event_uid"]);
    assert_ne!(rows[0]["event_content"], rows[1]["event_content"]);
    let result = app.result(LogType::Authentication, time);
    assert_eq!(result["state"], "verified_late", "{result}");
    assert_eq!(result["delivered"], 2);
}

#[tokio::test]
async fn a_record_that_changes_in_place_is_delivered_as_an_update() {
    let app = App::new(tenant(72, 0)).await;
    let time = app.simulator.clock().now() - TimeDelta::hours(3);
    let record = |state: &str, is_triaged: bool| {
        let updated_at = is_triaged.then(|| time.timestamp_millis() + 60_000);
        let record = json!({
            "sekey": "SEAAAAAAAAAAAAAAAAA1", "surfaced_timestamp": time.timestamp_millis(),
            "type": "auth", "state": state, "state_updated_timestamp": updated_at,
            "triaged_as_interesting": is_triaged, "priority_event": false,
        });
        (time.timestamp_millis(), record.to_string())
    };
    app.simulator.give_records(LogType::TrustMonitor, vec![record("new", false)]);
    app.run_at(TimeDelta::zero()).await;
    app.simulator.give_records(LogType::TrustMonitor, vec![record("processed", true)]);
    // After two days the event is read again once a day.
    for hours in [2, 4, 4 * 24, 4 * 24 + 2] {
        app.run_at(TimeDelta::hours(hours)).await;
    }
    let rows = app.rows(LogType::TrustMonitor);
    let kinds: Vec<_> = rows.iter().map(|row| row["ingest_kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["live", "update"]);
    assert_eq!(rows[0]["event_uid"], rows[1]["event_uid"]);
    assert_eq!(rows[1]["event_replaces"], rows[0]["event_content"]);
    assert_eq!(rows[1]["state"], "processed");
    app.simulator.give_records(LogType::TrustMonitor, vec![record("interesting", true)]);
    app.run_at(TimeDelta::hours(6 * 24)).await;
    let rows = app.rows(LogType::TrustMonitor);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[2]["event_replaces"], rows[1]["event_content"]);
}

#[tokio::test]
async fn full_pages_without_a_cursor_lose_nothing() {
    let mut config = tenant(73, 0);
    (config.max_limit, config.trust_monitor_limit) = (1_000, 200);
    config.volumes.insert(LogType::Activity, 2_500);
    config.volumes.insert(LogType::TrustMonitor, 450);
    let (simulator, host, _state) = running(config).await;
    for log in [LogType::Activity, LogType::TrustMonitor] {
        simulator.faults().push(Fault::always(Target::Duo(log), FaultKind::NoMetadata));
    }
    host.deliver_all(&simulator, 0).await;
}

#[tokio::test]
async fn a_record_that_duo_repeats_instead_of_another_makes_its_hour_unknown() {
    let mut config = tenant(74, 0);
    config.volumes.insert(LogType::Telephony, 40);
    // All events are in one hour, so that each reading of it omits the same one.
    let hour = DateTime::from_timestamp(config.from.timestamp() / 3_600 * 3_600, 0).unwrap();
    config.from = hour - TimeDelta::hours(25);
    config.to = config.from + TimeDelta::minutes(59);
    let mut app = App::new(config).await;
    app.settings = app.settings.with("CISCO_DUO_LOOKBACK_HOURS", "48");
    let fault = Fault::always(Target::Duo(LogType::Telephony), FaultKind::RepeatedRecord);
    app.simulator.faults().push(fault);
    app.run_at(TimeDelta::zero()).await;
    let report = app.simulator.report().await;
    assert_eq!((report.missing(), report.duplicates()), (1, 0), "{report:#?}");
    // The rows and the results of the hours agree.
    let path = app.state.path().join(checkpoint_name("telephony"));
    let days = fs::read_dir(path.parent().unwrap().join("ledger")).unwrap();
    let mut short = 0;
    for day in days.map(|day| day.unwrap().path()) {
        if day.extension().is_some_and(|extension| extension == "json") {
            short += short_hours(&day);
        }
    }
    assert_eq!(short, report.missing());
    app.simulator.faults().clear();
    app.run_at(TimeDelta::hours(30)).await;
    assert_nothing_lost(&app.simulator, 0).await;
}

/// The records that hours of a day lack. Such an hour is unknown, and any other complete.
fn short_hours(day: &Path) -> u64 {
    let results: Value = serde_json::from_slice(&fs::read(day).unwrap()).unwrap();
    let hours = results["hours"].as_object().unwrap().values();
    let mut missing = 0;
    for hour in hours {
        let delivered = hour["delivered"].as_u64().unwrap();
        let lacks = hour["duo_count"].as_u64().unwrap_or(delivered) - delivered;
        assert_eq!(hour["state"] == "unknown", lacks > 0, "{hour}");
        missing += lacks;
    }
    missing
}

#[tokio::test]
async fn a_log_whose_checkpoint_is_deleted_nine_days_behind_continues_where_it_stood() {
    let mut config = tenant(75, 400);
    config.from -= TimeDelta::days(9);
    config.to -= TimeDelta::hours(1);
    let app = App::new(config).await;
    app.run_at(TimeDelta::days(-9)).await;
    for log in LogType::ALL {
        fs::remove_file(app.state.path().join(checkpoint_name(log.name()))).unwrap();
    }
    app.run_at(TimeDelta::zero()).await;
    assert_nothing_lost(&app.simulator, 0).await;
}

#[tokio::test]
async fn a_first_run_at_the_border_of_retention_reports_no_gap() {
    for (setting, value) in [
        ("CISCO_DUO_LOOKBACK_HOURS", "4296".to_owned()),
        ("CISCO_DUO_LOOKBACK_HOURS", "4320".to_owned()),
        ("CISCO_DUO_START_TIME", days_ago(179.95)),
    ] {
        let mut config = tenant(76, 0);
        // Events of an hour, 179 days and 20 hours ago.
        config.to = config.from - TimeDelta::hours(179 * 24 + 14);
        config.from = config.to - TimeDelta::hours(1);
        config.volumes = LogType::ALL.map(|log| (log, 20)).into();
        let simulator = Simulator::start(config).await.expect("free ports");
        let state = temporary_folder();
        let settings = Settings::in_folder(&simulator, state.path()).with(setting, value.clone());
        for log in LogType::ALL {
            let throttled = FaultKind::TooManyRequests { retry_after: None };
            simulator.faults().push(Fault::once(Target::Duo(log), throttled));
        }
        let mut host = FunctionsHost::start(&settings).await;
        host.catch_up(30).await;
        host.stop().await;
        let output = [host.stdout(), host.stderr()].concat().join("\n");
        assert!(!output.contains("gap"), "{setting}={value}: {output}");
        let reaches = value != "4296";
        if reaches {
            assert_nothing_lost(&simulator, 0).await;
        }
    }
}

/// The time this many days before now.
fn days_ago(days: f64) -> String {
    #[expect(clippy::disallowed_methods, reason = "the program under test uses the current time")]
    let now = Utc::now();
    #[expect(clippy::cast_possible_truncation, reason = "a small number of seconds")]
    let seconds = (days * 86_400.0) as i64;
    (now - TimeDelta::seconds(seconds)).to_rfc3339()
}
