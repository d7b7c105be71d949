//! Health rows through both APIs: when they are sent, and which are sent again.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Map, Value};
use simulator::{Config, Fault, FaultKind, IngestionApi, LogType, Simulator, Target};
use tempfile::TempDir;

use crate::common::app::json;
use crate::common::{
    Azurite, Container, FunctionsHost, Settings, accepted_rows, events_in, temporary_folder,
    tenant_with_rule,
};

/// Events per log.
pub(crate) const EVENTS: u64 = 40;
const QUARTER: TimeDelta = TimeDelta::minutes(15);

pub(crate) const BOTH_APIS: [IngestionApi; 2] =
    [IngestionApi::DataCollector, IngestionApi::LogsIngestion];

/// A tenant whose accepted rows are kept, its storage, and settings.
pub(crate) struct Scene {
    pub(crate) simulator: Simulator,
    pub(crate) container: Container,
    pub(crate) settings: Settings,
    api: IngestionApi,
    rows: TempDir,
}

impl Scene {
    pub(crate) async fn new(api: IngestionApi, seed: u64, name: &str) -> Self {
        let rows = temporary_folder();
        let config = tenant_with_rule(seed, EVENTS);
        let config = Config { rows_dir: Some(rows.path().to_owned()), ..config };
        let simulator = Simulator::start(config).await.unwrap();
        let azurite = Azurite::shared();
        let name = format!("{name}-{api:?}").to_lowercase();
        let settings = Settings::in_storage(&simulator, &azurite.connection_string(), &name);
        let settings = match api {
            IngestionApi::DataCollector => settings,
            IngestionApi::LogsIngestion => settings.by_logs_ingestion(&simulator),
        };
        Self { container: azurite.container(&name), simulator, settings, api, rows }
    }

    /// The accepted health rows of this type, `run` or `hour`, with field names without the suffix.
    pub(crate) async fn reported(&self, kind: &str) -> Vec<Map<String, Value>> {
        // Every row accepted so far is in the file after this call.
        self.simulator.report().await;
        let rows = accepted_rows(self.rows.path(), "CiscoDuoHealth_CL").into_iter();
        let rows = rows.map(|row| self.named(row));
        rows.filter(|row| row["record_type"] == kind).collect()
    }

    fn named(&self, row: Value) -> Map<String, Value> {
        let Value::Object(row) = row else { panic!("a row is an object: {row}") };
        let name = |name: String| match (self.api, name.rsplit_once('_')) {
            (IngestionApi::LogsIngestion, Some((name, "s" | "d" | "t"))) => name.to_owned(),
            _ => name,
        };
        row.into_iter().map(|(key, value)| (name(key), value)).collect()
    }
}

/// The number of rows per log.
pub(crate) fn by_log(rows: &[Map<String, Value>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let log = row["eventtype"].as_str().unwrap().to_owned();
        *counts.entry(log).or_default() += 1;
    }
    counts
}

/// The number of events in these rows.
pub(crate) fn events(rows: &[Map<String, Value>]) -> u64 {
    rows.iter().filter_map(|row| row["events"].as_u64()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_sent_for_each_change_and_every_15_minutes() {
    for api in BOTH_APIS {
        let scene = Scene::new(api, 61, "health-change").await;
        let mut host = FunctionsHost::start(&scene.settings).await;
        host.catch_up(5).await;
        let first = scene.reported("run").await;
        assert_eq!(by_log(&first).len(), 6, "{first:#?}");
        assert_eq!(events(&first), EVENTS * 6);
        // Without a change, no row is sent.
        for _ in 0..3 {
            assert!(host.fire().await.is_caught_up());
        }
        assert_eq!(scene.reported("run").await.len(), first.len());

        // The last row of one log was sent 15 minutes ago.
        host.kill().await;
        scene
            .container
            .change("127.0.0.1/self/telephony/health.json", |health| {
                let reported_at = health["reported_at"].as_str().unwrap();
                let reported_at = duo_sentinel::model::Millis::parse(reported_at).unwrap();
                health["reported_at"] = (reported_at - QUARTER).to_string().into();
            })
            .await;
        host.restart().await;
        for _ in 0..2 {
            assert!(host.fire().await.is_caught_up());
        }
        let rows = scene.reported("run").await;
        assert_eq!(by_log(&rows[first.len()..]), [("telephony".to_owned(), 1)].into());
        assert_eq!(events(&rows), EVENTS * 6, "events were counted twice");

        // The state of one log changes.
        let forbidden = Fault::always(Target::Duo(LogType::Activity), FaultKind::Forbidden);
        scene.simulator.faults().push(forbidden);
        for _ in 0..3 {
            host.fire().await.assert_failed();
        }
        let [.., changed] = &scene.reported("run").await[rows.len()..] else {
            panic!("no row about the change")
        };
        assert_eq!(scene.reported("run").await.len(), rows.len() + 1);
        for (field, value) in [
            ("eventtype", Value::from("activity")),
            ("outcome", "failed".into()),
            ("error", "duo_forbidden".into()),
            ("http_status", 403.into()),
        ] {
            assert_eq!(changed[field], value, "{changed:#?}");
        }
        let words = Value::Object(changed.clone()).to_string();
        assert!(words.contains("Grant read log") && !words.contains("Access forbidden"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_health_rows_are_off_none_is_sent_and_the_status_works() {
    for api in BOTH_APIS {
        let scene = Scene::new(api, 62, "health-off").await;
        let settings = scene.settings.clone().with("CISCO_DUO_HEALTH", "off");
        let host = FunctionsHost::start(&settings).await;
        host.catch_up(5).await;
        assert!(host.fire().await.is_caught_up());
        let counts = scene.simulator.counts();
        let rows = match api {
            IngestionApi::DataCollector => counts.log_analytics.rows,
            IngestionApi::LogsIngestion => counts.logs_ingestion.rows,
        };
        let tables: Vec<&String> = rows.keys().collect();
        assert_eq!(tables, ["CiscoDuo_CL"]);
        assert_eq!(events_in(&rows), EVENTS * 6);
        let status = json(&host.address()).await;
        let mut agreeing = 0;
        for log in status["logs"].as_array().unwrap() {
            assert_eq!(log["state"], "working", "{log:#}");
            assert_eq!(log["activity"]["events"], EVENTS, "{log:#}");
            for mark in ["verified", "verified_late", "count_matched"] {
                agreeing += log["completeness"][mark].as_u64().unwrap();
            }
        }
        // Only the logs whose events Duo counts.
        assert!(agreeing >= 3 * 4, "{agreeing}");
        assert_eq!(status["check"]["errors"].as_array().unwrap().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_health_is_replaced_and_that_of_a_later_release_is_kept() {
    let scene = Scene::new(IngestionApi::DataCollector, 63, "health-damaged").await;
    let mut host = FunctionsHost::start(&scene.settings).await;
    host.catch_up(5).await;
    host.kill().await;
    let of = |log: &str| format!("127.0.0.1/self/{log}/health.json");
    scene.container.write(&of("telephony"), "{\"version\":1,\"hours\":{").await;
    let newer = "{\"version\":9,\"min_reader\":9,\"hours\":\"of a later release\"}";
    scene.container.write(&of("activity"), newer).await;
    let (runs, hours) = (scene.reported("run").await.len(), scene.reported("hour").await.len());
    host.restart().await;
    for _ in 0..4 {
        let invocation = host.fire().await;
        assert!(invocation.is_caught_up(), "{:#}", invocation.response);
    }
    let stored = scene.container.json(&of("telephony")).await;
    assert_eq!(stored["current"]["outcome"], "caught_up", "{stored:#}");
    let stored = scene.container.read(&of("activity")).await.unwrap();
    assert_eq!(stored, newer.as_bytes());
    // Rows are sent again for the log with damaged health, and none for the other.
    let runs = by_log(&scene.reported("run").await[runs..]);
    assert_eq!(runs, [("activity".to_owned(), 1), ("telephony".to_owned(), 1)].into());
    let hours = by_log(&scene.reported("hour").await[hours..]);
    // One more hour may have become due.
    let again = hours.get("activity").copied().unwrap_or_default();
    assert!(again <= 1, "{hours:#?}");
    assert!((3..=7).contains(&hours["telephony"]), "{hours:#?}");
    let status = json(&host.address()).await;
    let state = |number: usize| status["logs"][number]["state"].as_str().unwrap();
    assert_eq!((state(2), state(5)), ("working", "unreadable"));
}
