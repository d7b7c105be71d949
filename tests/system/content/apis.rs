//! Rows of the connector through both APIs, as the simulated services store them: all columns are
//! known, every query runs, results agree, and the bridge returns one row per event.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use simulator::{ColumnType, IngestionApi, Simulator, Table};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};
use crate::content::bridge;
use crate::content::coverage::for_hours;
use crate::content::schema::{Columns, HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Row, World};

const EVENTS_PER_LOG: u64 = 40;

/// Fields that the simulated Duo invents, because Duo may add fields at any time.
const INVENTED: [&str; 3] =
    ["new_signal_", "trusted_session_info_session_serial", "trusted_session_info_session_drift"];

/// Columns that differ between two deliveries of one event.
const DELIVERY_COLUMNS: [&str; 3] = ["IngestBatch", "IngestionTime", "ingested_at"];

/// Event and health tables filled through the Data Collector and the Logs Ingestion API.
async fn tables() -> [[Table; 2]; 2] {
    let mut config = tenant_with_rule(74, EVENTS_PER_LOG);
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
    let of = async |api| {
        let events = simulator.table(api, TABLE).await.unwrap();
        [events, simulator.table(api, HEALTH_TABLE).await.unwrap()]
    };
    [of(IngestionApi::DataCollector).await, of(IngestionApi::LogsIngestion).await]
}

/// The rows of a table without invented fields.
fn rows(table: &Table, columns: &Columns) -> Vec<Row> {
    let known = |row: &BTreeMap<String, Value>| -> Row {
        let known = row.iter().filter(|(name, _)| columns.contains_key(*name));
        let mut known: Row = known.map(|(name, value)| (name.clone(), value.clone())).collect();
        known.insert("ingested_at".to_owned(), row["_TimeReceived"].clone());
        known
    };
    table.rows().iter().map(known).collect()
}

/// The columns of a table that are unknown or of the wrong type.
fn unexpected<'a>(table: &'a Table, columns: &Columns) -> Vec<&'a String> {
    let kind = |kind: &ColumnType| match kind {
        ColumnType::Boolean => "bool",
        ColumnType::Guid => "string",
        other => other.name(),
    };
    let is_invented = |name: &str| INVENTED.iter().any(|invented| name.starts_with(invented));
    let own = table.columns().iter().filter(|(name, _)| !name.starts_with('_'));
    let unexpected =
        own.filter(|(name, of)| columns.get(*name).is_none_or(|known| known != kind(of)));
    unexpected.map(|(name, _)| name).filter(|name| !is_invented(name)).collect()
}

/// A comparable value: JSON text is parsed, since its whitespace may differ; empty text is null.
fn plain(value: Value) -> Value {
    match value.as_str() {
        Some("") => Value::Null,
        Some(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

/// The columns that the function adds to rows, by event. Also runs every other query.
fn added_columns(
    content: &Content,
    table: &Table,
    columns: &Columns,
    schema: &Schema,
) -> BTreeMap<String, Row> {
    assert_eq!(unexpected(table, columns), [""; 0]);
    let function = Query::of_a_test("CiscoDuo");
    let mut queries = vec![&function];
    queries.extend(content.rules.iter().chain(&content.hunting).chain(&content.tiles));
    let results = tools::run(&content.function, columns, &[(rows(table, columns), queries)]);
    // A query that fails to run fails here, with its name.
    let total: usize = results[0].iter().map(|result| result.rows().len()).sum();
    assert!(total >= table.rows().len(), "{total} rows");
    let raw = schema.all();
    let of_event = |row: &Row| {
        let event = row["EventUid"].as_str().unwrap().to_owned();
        let added = row.iter().filter(|(name, _)| {
            !raw.contains_key(*name) && !DELIVERY_COLUMNS.contains(&name.as_str())
        });
        let added = added.map(|(name, value)| (name.clone(), plain(value.clone())));
        (event, added.filter(|(_, value)| !value.is_null()).collect())
    };
    results[0][0].rows().iter().map(of_event).collect()
}

#[tokio::test]
async fn function_bridge_alerts_and_coverage_agree_for_both_apis() {
    let (content, schema) = (Content::read(), Schema::read());
    let stored = tables().await;
    assert_health_agrees(&content, &schema, &stored);
    let [[collected, _], [ingested, _]] = stored;
    let all = added_columns(&content, &collected, &schema.all(), &schema);
    let declared = added_columns(&content, &ingested, schema.declared(), &schema);
    let events = 6 * usize::try_from(EVENTS_PER_LOG).unwrap();
    assert_eq!((all.len(), declared.len()), (events, events));
    for (event, one) in &all {
        assert_eq!(Some(one), declared.get(event), "{event}");
    }
    // These include fields that are a column through one API only.
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
    let results = tools::transform(schema.declared(), &rows, &queries);
    let ids = [
        ("txid_g", "TxId", "authentication"),
        ("activity_id_g", "ActivityId", "activity"),
        ("telephony_id_g", "TelephonyId", "telephony"),
    ];
    for ((column, id, log), result) in ids.iter().zip(&results) {
        let of_log = rows.iter().filter(|row| row["eventtype_s"] == *log);
        let sent: BTreeSet<&str> = of_log.map(|row| row[*column].as_str().unwrap()).collect();
        let bridged: BTreeSet<&str> =
            result.rows().iter().map(|row| row[*id].as_str().unwrap()).collect();
        assert_eq!(bridged, sent, "{log}");
        assert_eq!(result.rows().len(), usize::try_from(EVENTS_PER_LOG).unwrap(), "{log}");
    }
}

/// The columns that have a value in some row.
fn filled(rows: &[Row]) -> BTreeSet<&str> {
    let with_value = rows.iter().flatten().filter(|(_, value)| !value.is_null());
    with_value.map(|(column, _)| column.as_str()).collect()
}

/// The number of hours that lack an event.
fn incomplete(covered: &[Row]) -> usize {
    covered.iter().filter(|row| row["Verdict"] == "fewer stored than delivered").count()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Alerts and coverage have the same results for rows through either API.
fn assert_health_agrees(content: &Content, schema: &Schema, stored: &[[Table; 2]; 2]) {
    let worlds = stored.each_ref().map(|[events, health]| {
        // The services store no column that is not declared.
        assert!(health.left_out().is_empty(), "{:?}", health.left_out());
        (rows(events, &schema.all()), rows(health, schema.health()), health)
    });
    let [by_key, by_rule] = &worlds;
    assert_eq!(filled(&by_key.1), filled(&by_rule.1));
    assert!(
        filled(&by_key.1).is_superset(&["state_s", "hour_t", "lag_seconds_d", "outcome_s"].into())
    );
    for (_, _, health) in &worlds {
        assert_eq!(unexpected(health, schema.health()), [""; 0]);
    }

    let sent = by_rule.1.iter().filter_map(|row| row["TimeGenerated"].as_str());
    let last: DateTime<Utc> = sent.max().unwrap().parse().unwrap();
    let hours: BTreeSet<&str> =
        by_key.1.iter().filter_map(|row| row.get("hour_t")?.as_str()).collect();
    let coverage = for_hours(&content.functions[1], hours.first().unwrap(), hours.last().unwrap());
    let mut queries: Vec<&Query> = content.alerts.iter().collect();
    let alerts = queries.len();
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
    let results = tools::run_in(&schema.all(), &worlds);
    for ((world, _), results) in worlds.iter().zip(&results) {
        for (alert, result) in content.alerts.iter().zip(results) {
            let is_silent = world.now == at(120) && alert.stem() == "no-heartbeat";
            assert_eq!(
                result.rows().len(),
                usize::from(is_silent),
                "{}: {:?}",
                alert.name,
                result.rows()
            );
        }
        let (coverage, tiles) = results[alerts..].split_first().unwrap();
        assert!(tiles.iter().all(|tile| !tile.rows().is_empty()), "{tiles:?}");
        let covered = coverage.rows();
        assert!(covered.len() > 20, "{covered:?}");
        assert_eq!(incomplete(covered), 0, "{covered:#?}");
        let whole: u64 = covered.iter().map(|row| row["Stored"].as_u64().unwrap()).sum();
        assert!(whole > 100, "{whole} events in these hours");

        // Remove one event from a complete hour; until an hour later it could still arrive.
        let full = covered
            .iter()
            .find(|row| row["Stored"].as_f64() == row["Delivered"].as_f64() && row["Stored"] != 0);
        let full = full.unwrap();
        let hour = &full["Hour"].as_str().unwrap()[..13];
        let mut reduced = World { now: at(120), ..world.clone() };
        let removed = reduced.events.iter().position(|row| {
            let time = row["event_time_t"].as_str().unwrap();
            row["eventtype_s"] == full["Log"] && time.starts_with(hour)
        });
        reduced.events.remove(removed.unwrap());
        let results = tools::run_in(&schema.all(), &[(reduced, queries[alerts..=alerts].to_vec())]);
        assert_eq!(incomplete(results[0][0].rows()), 1, "{full:?}");
    }
}
