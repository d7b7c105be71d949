//! The same events by both roads make the same table.

use std::collections::BTreeSet;

use simulator::{Config, Road, Simulator, Table, TableStart};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};

/// Columns that differ from call to call, and what has no column of its own.
const PER_CALL: [&str; 3] = ["TimeGenerated", "ingest_batch_s", "AdditionalFields"];

/// The tables that the two roads fill from the same events, as far as a table of the Data Collector has columns before.
async fn tables(mut config: Config, start: TableStart) -> (Table, Table, Vec<simulator::Column>) {
    config.tables.kept = true;
    config.tables.start = start;
    let columns = config.logs_ingestion.streams[0].columns().to_vec();
    let simulator = Simulator::start(config).await.unwrap();
    let folders = [temporary_folder(), temporary_folder()];
    let [one, other] =
        folders.each_ref().map(|folder| Settings::in_folder(&simulator, folder.path()));
    for settings in [one, other.by_logs_ingestion(&simulator)] {
        let mut host = FunctionsHost::start(&settings).await;
        host.catch_up(5).await;
        host.stop().await;
    }
    let collected = simulator.table(Road::DataCollector, "CiscoDuo_CL").await;
    let ingested = simulator.table(Road::LogsIngestion, "CiscoDuo_CL").await;
    (collected.unwrap(), ingested.unwrap(), columns)
}

fn differences(one: &Table, other: &Table, columns: &[simulator::Column]) -> Vec<String> {
    one.differences(other, "event_uid_s", columns, &PER_CALL)
}

#[tokio::test]
async fn both_roads_fill_every_declared_column_alike() {
    for start in [TableStart::Empty, TableStart::Declared, TableStart::Migrated] {
        let (collected, ingested, columns) = tables(tenant_with_rule(71, 400), start).await;
        assert_eq!(collected.rows().len(), 2400);
        assert_eq!(ingested.rows().len(), 2400);
        let found = differences(&collected, &ingested, &columns);
        let told: Vec<_> = found.iter().take(20).collect();
        assert!(found.is_empty(), "{start:?}: {} differences: {told:#?}", found.len());
        assert!(columns.len() > 100);
    }
}

#[tokio::test]
async fn what_becomes_a_column_by_itself_on_one_road_is_kept_by_its_name_on_the_other() {
    let (collected, ingested, columns) = tables(tenant_with_rule(74, 300), TableStart::Empty).await;
    let declared: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    // By path, that is without the suffix of the type.
    let made: BTreeSet<String> = collected
        .columns()
        .keys()
        .filter(|name| !declared.contains(name.as_str()) && *name != "_TimeReceived")
        .map(|name| name[..name.len() - 2].to_owned())
        .collect();
    let kept: BTreeSet<String> = ingested
        .rows()
        .iter()
        .filter_map(|row| row.get("AdditionalFields")?.as_object())
        .flat_map(|fields| fields.keys().cloned())
        .collect();
    assert!(made.len() > 10, "{made:?}");
    assert_eq!(made, kept);
}

#[tokio::test]
async fn the_comparison_sees_a_value_that_differs() {
    let (collected, _, columns) = tables(tenant_with_rule(72, 30), TableStart::Declared).await;
    let (_, ingested, _) = tables(tenant_with_rule(73, 30), TableStart::Declared).await;
    assert!(!differences(&collected, &ingested, &columns).is_empty());
}
