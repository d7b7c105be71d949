//! The release binary on the system's clock, moved by libfaketime to each stage of reconciliation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::{Config, LogType, Simulator};
use tempfile::TempDir;

use crate::common::{
    Settings, accepted_rows, checkpoint_name, duo_sentinel, temporary_folder, tenant, text,
};

/// Time after the end of an hour at which the live log is read.
const LIVE: TimeDelta = TimeDelta::minutes(5);
/// Ages of an hour at its reconciliations: a minute after each is due.
const STAGES: [TimeDelta; 6] = [age(0), age(2), age(6), age(12), age(24), age(48)];
/// The stage that reads every hour in full.
const FULL: usize = 5;
/// Logs for which Duo returns counts.
const COUNTED: [LogType; 3] = [LogType::Authentication, LogType::Activity, LogType::Telephony];
/// Logs whose events the test adds one by one.
const GIVEN: [LogType; 4] =
    [LogType::Authentication, LogType::Activity, LogType::Telephony, LogType::TrustMonitor];
/// Logs with generated events; the late ones appear after five hours.
const GENERATED: [LogType; 2] = [LogType::Administrator, LogType::OfflineEnrollment];
const LATE_BY: Duration = Duration::from_secs(5 * 3_600);
/// The first stage at which Duo returns the late events of [`GENERATED`].
const LATE_AT: usize = 3;
/// Events of an hour that Duo returns in time.
const IN_TIME: i64 = 10;

const fn age(hours: i64) -> TimeDelta {
    TimeDelta::minutes(hours * 60 + 16)
}

/// A simulated tenant and the folders of the connector's state and of the accepted rows.
struct App {
    simulator: Simulator,
    settings: Settings,
    state: TempDir,
    rows: TempDir,
    /// An hour without late events; the hour after it has one late event per stage and log.
    quiet: DateTime<Utc>,
    given: Vec<(DateTime<Utc>, u64)>,
}

impl App {
    async fn start(library: &str) -> Self {
        let (state, rows) = (temporary_folder(), temporary_folder());
        let mut config = tenant(91, 0);
        let quiet = config.to.duration_trunc(TimeDelta::hours(1)).unwrap();
        config = Config {
            volumes: GENERATED.map(|log| (log, 40)).into(),
            from: quiet + TimeDelta::hours(1),
            to: quiet + TimeDelta::minutes(119),
            late_per_mille: 300,
            late_by: LATE_BY,
            rows_dir: Some(rows.path().to_owned()),
            ..config
        };
        let simulator = Simulator::start(config).await.expect("free ports");
        let settings = Settings::in_folder(&simulator, state.path())
            .with("CISCO_DUO_START_TIME", quiet.to_rfc3339())
            .with("LD_PRELOAD", library)
            // The timers of the program use this clock.
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .with("DONT_FAKE_MONOTONIC", "1");
        let mut app = Self { simulator, settings, state, rows, quiet, given: Vec::new() };
        for number in 0..2 * IN_TIME {
            app.give(TimeDelta::minutes(6 * number + 1));
        }
        app
    }

    /// Adds an event to each log, this long after the start of the quiet hour.
    fn give(&mut self, after: TimeDelta) {
        self.given.push((self.quiet + after, self.given.len() as u64));
        for log in GIVEN {
            let records = self.given.iter().map(|(time, number)| record(log, *time, *number));
            self.simulator.give_records(log, records.collect());
        }
    }

    /// Runs the program once, with the clocks of program and services this long after the end of
    /// the hour with late events.
    async fn run_at(&self, age: TimeDelta) {
        let clock = self.simulator.clock();
        let real = clock.now() - clock.offset();
        let offset = self.late_hour() + TimeDelta::hours(1) + age - real;
        let offset = TimeDelta::seconds(offset.num_seconds());
        clock.set_offset(offset);
        let settings =
            self.settings.clone().with("FAKETIME", format!("{:+}", offset.num_seconds()));
        let output = duo_sentinel(&settings, self.state.path(), &["run", "--json"]).await;
        assert!(output.status.success(), "{output:#?}");
    }

    fn late_hour(&self) -> DateTime<Utc> {
        self.quiet + TimeDelta::hours(1)
    }

    /// Accepted rows by log and kind.
    fn kinds(&self) -> BTreeMap<(LogType, String), usize> {
        let mut kinds = BTreeMap::new();
        let rows = accepted_rows(self.rows.path(), "CiscoDuo_CL");
        for log in LogType::ALL {
            for row in rows.iter().filter(|row| row["eventtype"] == log.name()) {
                let kind = row["ingest_kind"].as_str().unwrap().to_owned();
                *kinds.entry((log, kind)).or_default() += 1;
            }
        }
        kinds
    }
}

/// A record of a log.
fn record(log: LogType, time: DateTime<Utc>, number: u64) -> (i64, String) {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let ts = time.to_rfc3339();
    let record = match log {
        LogType::Authentication => {
            json!({"txid": id, "timestamp": time.timestamp(), "isotimestamp": ts})
        }
        LogType::Activity => json!({"activity_id": id, "ts": ts}),
        LogType::Telephony => json!({"telephony_id": id, "ts": ts}),
        _ => json!({
            "sekey": format!("SE{number:018}"), "surfaced_timestamp": time.timestamp_millis(),
        }),
    };
    (time.timestamp_millis(), record.to_string())
}

/// The result of an hour of a log.
fn result(state: &Path, log: LogType, hour: DateTime<Utc>) -> Value {
    let name = format!("ledger/{}.json", hour.format("%Y-%m-%d"));
    let path = state.join(checkpoint_name(log.name())).with_file_name(name);
    let results: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    results["hours"][hour.format("%H").to_string()].clone()
}

#[tokio::test]
#[ignore = "needs libfaketime; tests/long installs it and runs this test"]
async fn the_release_binary_delivers_each_late_event_at_its_stage() {
    let library = text("DUO_SENTINEL_FAKETIME").expect("DUO_SENTINEL_FAKETIME names libfaketime");
    assert!(Path::new(&library).is_file(), "{library} does not exist");
    let mut app = App::start(&library).await;
    app.run_at(LIVE).await;
    let in_time = usize::try_from(2 * IN_TIME).unwrap();
    let kinds = app.kinds();
    for log in GIVEN {
        assert_eq!(kinds[&(log, "live".to_owned())], in_time, "{log}");
    }
    for (stage, age) in (1..).zip(STAGES) {
        // Between events that were delivered in time.
        app.give(
            TimeDelta::minutes(61 + 6 * i64::try_from(stage).unwrap()) + TimeDelta::seconds(30),
        );
        app.run_at(age).await;
        assert_stage(&app, stage);
        println!("stage {stage}, {} minutes after the hour: as expected", age.num_minutes());
    }
    let delivered = assert_all_once(&app).await;
    println!("{delivered} events, each delivered once");
}

fn assert_stage(app: &App, stage: usize) {
    let kinds = app.kinds();
    let late = |log| kinds.get(&(log, "late".to_owned())).copied().unwrap_or(0);
    for log in COUNTED {
        assert_eq!(late(log), stage, "{log}: each stage delivers one event");
    }
    // A log without counts is read in full once an hour, first in its first run: at the first
    // stage, minutes later, no reading is due.
    let delivered = if stage == 1 { 0 } else { stage };
    assert_eq!(late(LogType::TrustMonitor), delivered, "trust_monitor at stage {stage}");
    for log in GENERATED {
        assert_eq!(late(log) > 0, stage >= LATE_AT, "{log} at stage {stage}");
    }
    for log in COUNTED {
        let [quiet, with_late] =
            [app.quiet, app.late_hour()].map(|hour| result(app.state.path(), log, hour));
        let expected = if stage < FULL { "count_matched" } else { "verified" };
        assert_eq!(quiet["state"], expected, "{log} at stage {stage}: {quiet}");
        assert_eq!(
            (&quiet["stages"], &quiet["late"]),
            (&json!(stage), &json!(0)),
            "{log}: {quiet}"
        );
        // The count differed, so this hour was read in full.
        assert_eq!(with_late["state"], "verified", "{log} at stage {stage}: {with_late}");
        let delivered = IN_TIME + i64::try_from(stage).unwrap();
        assert_eq!((&with_late["stages"], &with_late["late"]), (&json!(stage), &json!(stage)));
        assert_eq!(with_late["delivered"], delivered, "{log} at stage {stage}: {with_late}");
    }
}

/// Asserts that every event was delivered once, and returns the number of events.
async fn assert_all_once(app: &App) -> usize {
    let mut uids: BTreeMap<LogType, Vec<String>> = BTreeMap::new();
    for row in accepted_rows(app.rows.path(), "CiscoDuo_CL") {
        let log = LogType::ALL.into_iter().find(|log| row["eventtype"] == log.name()).unwrap();
        uids.entry(log).or_default().push(row["event_uid"].as_str().unwrap().to_owned());
    }
    for log in GIVEN {
        let uids = uids.get_mut(&log).unwrap();
        assert_eq!(uids.len(), app.given.len(), "{log}");
        uids.sort_unstable();
        uids.dedup();
        assert_eq!(uids.len(), app.given.len(), "{log}: duplicates");
    }
    let report = app.simulator.report().await;
    let generated = GENERATED.map(|log| report.logs[&log]);
    for (log, counts) in GENERATED.into_iter().zip(generated) {
        assert_eq!((counts.shown, counts.delivered, counts.duplicates), (40, 40, 0), "{log}");
    }
    uids.values().map(Vec::len).sum()
}
