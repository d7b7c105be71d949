//! What the real connector sends by either api, as the simulated services store it: all its columns are known, every query
//! runs on it, function, alerts and coverage make the same of both, and the bridge makes a row of each event.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use simulator::{ColumnType, IngestionApi, Simulator, Table};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};
use crate::content::bridge;
use crate::content::coverage::asked_between;
use crate::content::schema::{Columns, HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Row, World};

const EVENTS_OF_A_LOG: u64 = 40;

/// Fields that the simulated Duo invents, because Duo may add some at any time.
const INVENTED: [&str; 3] =
    ["new_signal_", "trusted_session_info_session_serial", "trusted_session_info_session_drift"];

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
    let of = async |api| {
        let events = simulator.table(api, TABLE).await.unwrap();
        [events, simulator.table(api, HEALTH_TABLE).await.unwrap()]
    };
    [of(IngestionApi::DataCollector).await, of(IngestionApi::LogsIngestion).await]
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

/// The columns of a table that are not known, or not by their type.
fn strange<'a>(table: &'a Table, columns: &Columns) -> Vec<&'a String> {
    let kind = |kind: &ColumnType| match kind {
        ColumnType::Boolean => "bool",
        ColumnType::Guid => "string",
        other => other.name(),
    };
    let is_invented = |name: &str| INVENTED.iter().any(|invented| name.starts_with(invented));
    let own = table.columns().iter().filter(|(name, _)| !name.starts_with('_'));
    let strange = own.filter(|(name, of)| columns.get(*name).is_none_or(|known| known != kind(of)));
    strange.map(|(name, _)| name).filter(|name| !is_invented(name)).collect()
}

/// A value to compare: JSON in a text as what it says, for its blanks may differ; an empty text as nothing.
fn plain(value: Value) -> Value {
    match value.as_str() {
        Some("") => Value::Null,
        Some(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

/// What the function adds to the rows of a table, by the event. Every other query runs on them, too.
fn given(
    content: &Content,
    table: &Table,
    columns: &Columns,
    schema: &Schema,
) -> BTreeMap<String, Row> {
    assert_eq!(strange(table, columns), [""; 0]);
    let function = Query::of_a_test("CiscoDuo");
    let mut queries = vec![&function];
    queries.extend(content.rules.iter().chain(&content.hunting).chain(&content.tiles));
    let answers = tools::run(&content.function, columns, &[(rows(table, columns), queries)]);
    // One that does not run fails here, with its name.
    let given: usize = answers[0].iter().map(|answer| answer.rows().len()).sum();
    assert!(given >= table.rows().len(), "{given} rows");
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
async fn function_bridge_alerts_and_coverage_take_what_the_connector_sends_by_either_api() {
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
    // Among them those that stand in a column on the one api only.
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

/// How many hours lack an event.
fn incomplete(covered: &[Row]) -> usize {
    covered.iter().filter(|row| row["Verdict"] == "fewer stored than delivered").count()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The alerts and the coverage say the same of what the connector tells by either api.
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
        assert_eq!(strange(health, schema.health()), [""; 0]);
    }

    let sent = by_rule.1.iter().filter_map(|row| row["TimeGenerated"].as_str());
    let last: DateTime<Utc> = sent.max().unwrap().parse().unwrap();
    let hours: BTreeSet<&str> =
        by_key.1.iter().filter_map(|row| row.get("hour_t")?.as_str()).collect();
    let coverage =
        asked_between(&content.functions[1], hours.first().unwrap(), hours.last().unwrap());
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
        let (coverage, of_tiles) = answers[alerts..].split_first().unwrap();
        assert!(of_tiles.iter().all(|tile| !tile.rows().is_empty()), "{of_tiles:?}");
        let covered = coverage.rows();
        assert!(covered.len() > 20, "{covered:?}");
        assert_eq!(incomplete(covered), 0, "{covered:#?}");
        let whole: u64 = covered.iter().map(|row| row["Stored"].as_u64().unwrap()).sum();
        assert!(whole > 100, "{whole} events lie in these hours");

        // One event is taken away from an hour that was delivered whole; until an hour later it might still arrive.
        let full = covered
            .iter()
            .find(|row| row["Stored"].as_f64() == row["Delivered"].as_f64() && row["Stored"] != 0);
        let full = full.unwrap();
        let hour = &full["Hour"].as_str().unwrap()[..13];
        let mut poorer = World { now: at(120), ..world.clone() };
        let taken_away = poorer.events.iter().position(|row| {
            let time = row["event_time_t"].as_str().unwrap();
            row["eventtype_s"] == full["Log"] && time.starts_with(hour)
        });
        poorer.events.remove(taken_away.unwrap());
        let answers = tools::run_in(&schema.all(), &[(poorer, queries[alerts..=alerts].to_vec())]);
        assert_eq!(incomplete(answers[0][0].rows()), 1, "{full:?}");
    }
}
