//! Unmapped fields on the Data Collector API: however many Duo adds, few become columns.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use simulator::{Config, IngestionApi, LogType, Simulator};

use crate::common::{FunctionsHost, Settings, assert_nothing_lost, temporary_folder, tenant};

/// The columns of new fields in the table.
async fn new_columns(simulator: &Simulator) -> BTreeSet<String> {
    let table = simulator.table(IngestionApi::DataCollector, "CiscoDuo_CL").await.unwrap();
    assert!(table.left_out().is_empty(), "{:?}", table.left_out());
    let columns = table.columns().keys();
    columns.filter(|name| name.starts_with("new_field_")).cloned().collect()
}

/// Number of rows whose new field is in `AdditionalFields`.
async fn additional(simulator: &Simulator) -> usize {
    let table = simulator.table(IngestionApi::DataCollector, "CiscoDuo_CL").await.unwrap();
    let rows = table.rows().iter().filter_map(|row| row.get("AdditionalFields_s"));
    rows.filter(|text| text.as_str().unwrap().contains("\"new_field_")).count()
}

fn stored_columns(folder: &Path, log: LogType) -> BTreeSet<String> {
    let file = folder.join(format!("127.0.0.1/self/{log}/fields.json"));
    let fields: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    serde_json::from_value(fields["columns"].clone()).unwrap()
}

/// Collects in two processes, the second one after half of the events.
async fn collect(config: Config, folder: &Path, logs: &str) -> (Simulator, BTreeSet<String>) {
    let mut config = Config { keep_tables: true, ..config };
    config.volumes.retain(|log, _| logs.contains(log.name()));
    let simulator = Simulator::start(config).await.unwrap();
    let settings = Settings::in_folder(&simulator, folder).with("CISCO_DUO_LOG_TYPES", logs);
    let until_the_middle = settings.clone().with("CISCO_DUO_WINDOW_DELAY_SECONDS", "10200");
    let mut host = FunctionsHost::start(&until_the_middle).await;
    host.catch_up(5).await;
    host.kill().await;
    let report = simulator.report().await;
    assert!(report.delivered() > 0, "{report:#?}");
    let first = new_columns(&simulator).await;
    FunctionsHost::start(&settings).await.catch_up(5).await;
    // Every value of every event is in its row.
    assert_nothing_lost(&simulator, 0).await;
    (simulator, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_new_fields_20_become_columns_in_all_runs_and_processes() {
    let folder = temporary_folder();
    let config = Config { new_fields: 1_000, max_limit: 1_000, ..tenant(72, 2_500) };
    let (simulator, first) = collect(config, folder.path(), "telephony").await;
    assert_eq!(first.len(), 20, "{first:?}");
    assert_eq!(new_columns(&simulator).await, first);
    let stored = stored_columns(folder.path(), LogType::Telephony);
    assert!(first.is_subset(&stored) && stored.len() == 20, "{stored:?}");
    let moved = additional(&simulator).await;
    assert!((2_300..2_500).contains(&moved), "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_log_has_columns_of_its_own_and_loses_nothing() {
    let folder = temporary_folder();
    let config = Config { new_fields: 1_000, ..tenant(73, 120) };
    let all = LogType::ALL.map(LogType::name).join(",");
    let (simulator, first) = collect(config, folder.path(), &all).await;
    let now = new_columns(&simulator).await;
    assert!(first.is_subset(&now) && (20..=120).contains(&now.len()), "{now:?}");
    for log in LogType::ALL {
        assert!(stored_columns(folder.path(), log).len() <= 20, "{log}");
    }
    assert!(additional(&simulator).await >= 6 * 60);
}
