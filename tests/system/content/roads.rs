//! What the real connector sends by either road, as the simulated services store it: function, alerts and coverage make the
//! same of both, and the bridge makes a row of each event.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use simulator::{Road, Simulator, Table};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};
use crate::content::bridge;
use crate::content::coverage::asked_between;
use crate::content::schema::{Columns, HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Row, World};

const EVENTS_OF_A_LOG: u64 = 40;

/// What differs between two deliveries of one event.
const OF_THE_DELIVERY: [&str; 3] = ["IngestBatch", "IngestionTime", "ingested_at"];

/// The tables that the handler fills by the Data Collector and by Logs Ingestion: of events, and about itself.
async fn tables() -> [[Table; 2]; 2] {
    let mut config = tenant_with_rule(74, EVENTS_OF_A_LOG);
    config.keep_tables = true;
    let simulator = Simulator::start(config).await.unwrap();
    for by_logs_ingestion in [false, true] {
        let folder = temporary_folder();
        let settings = Settings::in_folder(&simulator, folder.path());
        let settings =
            if by_logs_ingestion { settings.by_logs_ingestion(&simulator) } else { settings };
        let mut host = FunctionsHost::start(&settings).await;
        host.catch_up(5).await;
        host.stop().await;
    }
    let of = async |road| {
        let events = simulator.table(road, TABLE).await.unwrap();
        [events, simulator.table(road, HEALTH_TABLE).await.unwrap()]
    };
    [of(Road::DataCollector).await, of(Road::LogsIngestion).await]
}

/// The rows of a table as far as its columns are known: the simulated Duo invents fields.
fn rows(table: &Table, columns: &Columns) -> Vec<Row> {
    let known = |row: &BTreeMap<String, Value>| -> Row {
        let known = row.iter().filter(|(name, _)| columns.contains_key(*name));
        let mut known: Row = known.map(|(name, value)| (name.clone(), value.clone())).collect();
        known.insert("ingested_at".to_owned(), row["_TimeReceived"].clone());
        known
    };
    table.rows().iter().map(known).collect()
}

/// A value to compare: JSON in a text as what it says, for its blanks may differ; an empty text as nothing.
fn plain(value: Value) -> Value {
    match value.as_str() {
        Some("") => Value::Null,
        Some(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

/// What the function adds to the rows of a table, by the event.
fn given(
    content: &Content,
    table: &Table,
    columns: &Columns,
    schema: &Schema,
) -> BTreeMap<String, Row> {
    let query = Query::of_a_test("CiscoDuo");
    let rows = rows(table, columns);
    let answers = tools::run(&content.function, columns, &[(rows, vec![&query])]);
    let raw = schema.all();
    let of_event = |row: &Row| {
        let event = row["EventUid"].as_str().unwrap().to_owned();
        let added = row.iter().filter(|(name, _)| {
            !raw.contains_key(*name) && !OF_THE_DELIVERY.contains(&name.as_str())
        });
        let added = added.map(|(name, value)| (name.clone(), plain(value.clone())));
        (event, added.filter(|(_, value)| !value.is_null()).collect())
    };
    answers[0][0].rows().iter().map(of_event).collect()
}

#[tokio::test]
async fn function_bridge_alerts_and_coverage_take_what_the_connector_sends_by_either_road() {
    let (content, schema) = (Content::read(), Schema::read());
    let stored = tables().await;
    assert_health_agrees(&content, &schema, &stored);
    let [[collected, _], [ingested, _]] = stored;
    let all = given(&content, &collected, &schema.all(), &schema);
    let declared = given(&content, &ingested, schema.declared(), &schema);
    let events = 6 * usize::try_from(EVENTS_OF_A_LOG).unwrap();
    assert_eq!((all.len(), declared.len()), (events, events));
    for (event, one) in &all {
        assert_eq!(Some(one), declared.get(event), "{event}");
    }
    // Among them those that stand in a column on the one road only.
    for name in [
        "TrustLevel",
        "TrustPolicyEnabled",
        "RememberedDeviceTrustReason",
        "SurfacedAuthAccessDeviceLocationCountry",
    ] {
        assert!(all.values().any(|row| row.contains_key(name)), "no {name}");
    }

    let mut rows = rows(&ingested, schema.declared());
    for row in &mut rows {
        row.remove("ingested_at");
    }
    let queries = bridge::transformations();
    let queries: Vec<&Query> = queries.iter().collect();
    let answers = tools::transform(schema.declared(), &rows, &queries);
    let ids = [
        ("txid_g", "TxId", "authentication"),
        ("activity_id_g", "ActivityId", "activity"),
        ("telephony_id_g", "TelephonyId", "telephony"),
    ];
    for ((column, id, log), answer) in ids.iter().zip(&answers) {
        let of_log = rows.iter().filter(|row| row["eventtype_s"] == *log);
        let sent: BTreeSet<&str> = of_log.map(|row| row[*column].as_str().unwrap()).collect();
        let bridged: BTreeSet<&str> =
            answer.rows().iter().map(|row| row[*id].as_str().unwrap()).collect();
        assert_eq!(bridged, sent, "{log}");
        assert_eq!(answer.rows().len(), usize::try_from(EVENTS_OF_A_LOG).unwrap(), "{log}");
    }
}

/// The columns that have a value in some row.
fn filled(rows: &[Row]) -> BTreeSet<&str> {
    let with_value = rows.iter().flatten().filter(|(_, value)| !value.is_null());
    with_value.map(|(column, _)| column.as_str()).collect()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The alerts and the coverage say the same of what the connector tells by either road.
fn assert_health_agrees(content: &Content, schema: &Schema, stored: &[[Table; 2]; 2]) {
    let worlds = stored.each_ref().map(|[events, health]| {
        // The services know no other column than those that are declared.
        assert!(health.left_out().is_empty(), "{:?}", health.left_out());
        (rows(events, &schema.all()), rows(health, schema.health()), health)
    });
    let [by_key, by_rule] = &worlds;
    assert_eq!(filled(&by_key.1), filled(&by_rule.1));
    assert!(
        filled(&by_key.1).is_superset(&["state_s", "hour_t", "lag_seconds_d", "outcome_s"].into())
    );
    for (_, _, health) in &worlds {
        let names = health.columns().keys().filter(|name| !name.starts_with('_'));
        let strange: Vec<&String> =
            names.filter(|name| !schema.health().contains_key(*name)).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }

    let sent = by_rule.1.iter().filter_map(|row| row["TimeGenerated"].as_str());
    let last: DateTime<Utc> = sent.max().unwrap().parse().unwrap();
    let hours: BTreeSet<&str> =
        by_key.1.iter().filter_map(|row| row.get("hour_t")?.as_str()).collect();
    let coverage =
        asked_between(&content.functions[1], hours.first().unwrap(), hours.last().unwrap());
    let mut queries: Vec<&Query> = content.alerts.iter().collect();
    queries.push(&coverage);
    let tiles: Vec<&Query> =
        content.tiles.iter().filter(|tile| tile.text.contains(HEALTH_TABLE)).collect();
    assert_eq!(tiles.len(), 2);
    queries.extend(&tiles);
    let at = |minutes: i64| text(last + TimeDelta::minutes(minutes));
    let worlds: Vec<(World, Vec<&Query>)> = worlds
        .iter()
        .flat_map(|(events, health, _)| [at(5), at(120)].map(|now| (events, health, now)))
        .map(|(events, health, now)| {
            let (events, health) = (events.clone(), health.clone());
            (World { events, health, of_health: schema.health().clone(), now }, queries.clone())
        })
        .collect();
    let answers = tools::run_in(&schema.all(), &worlds);
    for ((world, _), answers) in worlds.iter().zip(&answers) {
        for (alert, answer) in content.alerts.iter().zip(answers) {
            let is_silent = world.now == at(120) && alert.stem() == "no-heartbeat";
            assert_eq!(
                answer.rows().len(),
                usize::from(is_silent),
                "{}: {:?}",
                alert.name,
                answer.rows()
            );
        }
        let (coverage, of_tiles) = answers[content.alerts.len()..].split_first().unwrap();
        assert!(of_tiles.iter().all(|tile| !tile.rows().is_empty()), "{of_tiles:?}");
        let covered = coverage.rows();
        assert!(covered.len() > 20, "{covered:?}");
        let is_stored = |row: &Row| row["Verdict"] != "fewer stored than delivered";
        assert!(covered.iter().all(is_stored), "{covered:#?}");
        let whole: u64 = covered.iter().map(|row| row["Stored"].as_u64().unwrap()).sum();
        assert!(whole > 100, "{whole} events lie in these hours");
    }
}
