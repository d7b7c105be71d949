//! The rows that the connector really sends: all their columns are known, and every query runs on them.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::common::{binary, temporary_folder};
use crate::content::coverage::asked_between;
use crate::content::flatten::{Road, flatten};
use crate::content::schema::{Columns, HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, NOW, Row, World};

const EVENTS: usize = 600;

/// Fields that the simulator invents, because Duo may add some at any time.
const INVENTED: [&str; 3] =
    ["new_signal_", "trusted_session_info_session_serial", "trusted_session_info_session_drift"];

/// What a demo sends to a table, as it sends it.
type Sent = Vec<Map<String, Value>>;

/// Events, and rows about the connector itself.
static DEMO: LazyLock<[Sent; 2]> = LazyLock::new(rows);

fn rows() -> [Sent; 2] {
    let folder = temporary_folder();
    let output = Command::new(binary())
        .args(["demo", "--events", &EVENTS.to_string(), "--folder", "demo"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    [TABLE, HEALTH_TABLE].map(|table| {
        let file = folder.path().join(format!("demo/rows/{table}.ndjson"));
        let text = std::fs::read_to_string(file).unwrap();
        let rows = text.lines().map(serde_json::from_str);
        rows.collect::<Result<_, _>>().unwrap()
    })
}

/// A row as the Data Collector API stores it, as far as its columns are known; the others are put into `unknown`.
fn stored(row: &Map<String, Value>, columns: &Columns, unknown: &mut BTreeSet<String>) -> Row {
    let mut row: Row = flatten(row, Road::DataCollector);
    row.retain(|column, value| {
        let known = columns.get(column).is_some_and(|kind| match kind.as_str() {
            "real" => value.is_number(),
            "bool" => value.is_boolean(),
            _ => value.is_string(),
        });
        if !known {
            unknown.insert(column.clone());
        }
        known
    });
    row.insert("TimeGenerated".to_owned(), json!(NOW));
    row.insert("ingested_at".to_owned(), json!(NOW));
    row
}

#[test]
fn every_query_runs_on_what_the_connector_sends() {
    let (content, columns) = (Content::read(), Schema::read().all());
    let sent = &DEMO[0];
    let mut unknown = BTreeSet::new();
    let stored: Vec<Row> = sent.iter().map(|row| stored(row, &columns, &mut unknown)).collect();
    unknown.retain(|column| !INVENTED.iter().any(|invented| column.starts_with(invented)));
    assert!(unknown.is_empty(), "sentinel/schema.json lacks {unknown:?}");

    let each_once =
        Query::of_a_test("CiscoDuo | summarize Rows = count(), Events = dcount(EventUid)");
    // The function itself is in the list: it is run by whatever calls it.
    let mut queries: Vec<&Query> =
        content.rules.iter().chain(&content.hunting).chain(&content.tiles).collect();
    queries.insert(0, &each_once);
    let answers = tools::run(&content.function, &columns, &[(stored, queries)]).remove(0);
    for answer in &answers {
        answer.rows();
    }
    assert!(sent.len() > EVENTS, "the demo repeats rows");
    assert_eq!(
        answers[0].rows()[0]["Rows"],
        EVENTS,
        "each event stands once in what the function gives"
    );
}

#[test]
fn the_hours_of_a_demo_are_covered_until_an_event_is_taken_away() {
    let (content, schema) = (Content::read(), Schema::read());
    let mut unknown = BTreeSet::new();
    let mut of = |sent: &Sent, columns: &Columns| -> Vec<Row> {
        sent.iter().map(|row| stored(row, columns, &mut unknown)).collect()
    };
    let (health, events) = (of(&DEMO[1], schema.health()), of(&DEMO[0], &schema.all()));
    unknown.retain(|column| schema.health().contains_key(column));
    assert!(unknown.is_empty(), "{unknown:?} have other types");
    let hours: BTreeSet<&str> =
        health.iter().filter_map(|row| row.get("hour_t")?.as_str()).collect();
    let (first, last) = (hours.first().unwrap(), hours.last().unwrap());
    let query = asked_between(&content.functions[1], first, last);
    let verdicts = |events: Vec<Row>| -> Vec<Row> {
        let of_health = schema.health().clone();
        let now = "2100-01-01T00:00:00Z".to_owned();
        let world = World { events, health: health.clone(), of_health, now };
        tools::run_in(&schema.all(), &[(world, vec![&query])])[0][0].rows().to_vec()
    };
    let missing = |rows: &[Row]| -> usize {
        rows.iter().filter(|row| row["Verdict"] == "fewer stored than delivered").count()
    };
    let all = verdicts(events.clone());
    let total: u64 = all.iter().map(|row| row["Stored"].as_u64().unwrap()).sum();
    assert!(all.len() > 100 && total > 500, "{} hours, {total} events", all.len());
    assert_eq!(missing(&all), 0, "{all:#?}");
    assert!(
        all.iter().all(|row| row["Verdict"] != "gap" && row["Verdict"] != "unknown"),
        "{all:#?}"
    );
    // One event of an hour that was delivered whole.
    let full = all
        .iter()
        .find(|row| row["Stored"].as_f64() == row["Delivered"].as_f64() && row["Stored"] != 0);
    let full = full.unwrap();
    let hour = &full["Hour"].as_str().unwrap()[..13];
    let taken_away = events.iter().find(|row| {
        row["eventtype_s"] == full["Log"] && row["event_time_t"].as_str().unwrap().starts_with(hour)
    });
    let taken_away = taken_away.unwrap()["event_uid_s"].clone();
    let rest = events.into_iter().filter(|row| row["event_uid_s"] != taken_away).collect();
    assert_eq!(missing(&verdicts(rest)), 1);
}
