//! The rows that the connector really sends: all their columns are known, and every query runs on them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::common::{binary, temporary_folder};
use crate::content::{Content, Query};
use crate::flatten::{Road, flatten};
use crate::say;
use crate::schema::Schema;
use crate::tools::{self, NOW, Row};

const EVENTS: usize = 600;

/// Fields that the simulator invents, because Duo may add some at any time.
const INVENTED: [&str; 3] = [
    "new_signal_",
    "trusted_session_info_session_serial",
    "trusted_session_info_session_drift",
];

fn rows() -> Vec<Map<String, Value>> {
    let folder = temporary_folder();
    let output = Command::new(binary())
        .args(["demo", "--events", &EVENTS.to_string(), "--folder", "demo"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = std::fs::read_to_string(folder.path().join("demo/rows/CiscoDuo_CL.ndjson")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_query_runs_on_what_the_connector_sends() {
    let (content, columns) = (Content::read(), Schema::read().all());
    let sent = rows();
    let mut stored = Vec::new();
    let mut unknown = BTreeSet::new();
    for row in &sent {
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
        stored.push(row);
    }
    unknown.retain(|column| !INVENTED.iter().any(|invented| column.starts_with(invented)));
    assert!(unknown.is_empty(), "sentinel/schema.json lacks {unknown:?}");

    let each_once =
        Query::of_a_test("CiscoDuo | summarize Rows = count(), Events = dcount(EventUid)");
    // The function itself is in the list: it is run by whatever calls it.
    let mut queries: Vec<&Query> = content
        .rules
        .iter()
        .chain(&content.hunting)
        .chain(&content.tiles)
        .collect();
    queries.insert(0, &each_once);
    let answers = tools::run(&content.function, &columns, &[(stored, queries)]).remove(0);
    let mut list = format!(
        "\nran on {} rows of a demo with {EVENTS} events:",
        sent.len()
    );
    for answer in &answers[1..] {
        write!(
            list,
            "\n  {:<58} {:>4} rows",
            answer.name,
            answer.rows().len()
        )
        .expect("a text grows");
    }
    say(&list);
    assert!(sent.len() > EVENTS, "the demo repeats rows");
    assert_eq!(
        answers[0].rows()[0]["Rows"],
        EVENTS,
        "each event stands once in what the function gives"
    );
}
