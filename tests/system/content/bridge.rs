//! The bridge to Microsoft's newer tables: transformations of the same stream, in the part of KQL that a data collection
//! rule takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::content::events::{Events, LOGS};
use crate::content::flatten::IngestionApi;
use crate::content::schema::{Columns, Schema};
use crate::content::sources::Query;
use crate::content::tools::{self, Row};

/// The table of each log that has one.
const TABLES: [(&str, &str); 3] = [
    ("authentication", "DuoAuthentication_CL"),
    ("activity", "DuoActivity_CL"),
    ("telephony", "DuoTelephony_CL"),
];

/// What a transformation may use of what occurs here or is easily written by mistake.
/// <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-transformations-kql>
const OPERATORS: &str = "extend project where parse project-away project-rename";
const FUNCTIONS: &str = "case columnifexists datetime_add extract iif isempty isnotempty isnotnull isnull max_of min_of \
    now pack pack_array parse_json split strcat strlen substring tobool todatetime toint toreal tostring";

/// Whether a word is among those of a text.
fn is_among(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

fn folder() -> String {
    format!("{}/sentinel/bridge", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn transformations() -> Vec<Query> {
    let read = |table: &str| {
        let text = std::fs::read_to_string(format!("{}/{table}.kql", folder())).unwrap();
        Query { name: format!("bridge/{table}"), ..Query::of_a_test(&text) }
    };
    TABLES.iter().map(|(_, table)| read(table)).collect()
}

/// The columns of Microsoft's tables.
fn tables() -> BTreeMap<String, Columns> {
    let text = std::fs::read_to_string(format!("{}/tables.json", folder())).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The text without comments.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_transformation_gives_the_columns_of_its_table() {
    let (schema, queries, tables) = (Schema::read(), transformations(), tables());
    let answers =
        tools::check_transformations(schema.declared(), &queries.iter().collect::<Vec<_>>());
    for answer in &answers {
        // The query language has a newer name for it, which no transformation knows.
        let of_pack = "The function 'pack' is deprecated; use 'bag_pack' instead.";
        let mut problems = answer.problems.iter();
        let problem = problems.find(|problem| !problem.ends_with(of_pack));
        assert_eq!(problem, None, "{}", answer.name);
        let table = answer.name.trim_start_matches("bridge/");
        assert_eq!(answer.columns, tables[table], "{table}");
    }
    assert_eq!(answers.len(), tables.len());
}

#[test]
fn a_transformation_keeps_to_what_a_rule_takes_and_to_the_rows_of_its_log() {
    for ((log, table), query) in TABLES.iter().zip(transformations()) {
        let code = code(&query.text);
        let begin = format!("source\n| where eventtype_s == \"{log}\" and ");
        assert!(code.starts_with(&begin), "{table}");
        for operator in code.split("\n| ").skip(1) {
            let operator = operator.split_whitespace().next().unwrap();
            assert!(is_among(OPERATORS, operator), "{table}: no transformation has {operator}");
        }
        // A word before a bracket is a function, except for the operators that join conditions.
        let words = code.split('(').rev().skip(1).filter_map(|before| {
            let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let word = before.rsplit(|character| !part(character)).next();
            word.filter(|word| !word.is_empty() && !["and", "or", "where"].contains(word))
        });
        let functions: BTreeSet<&str> = words.collect();
        for function in &functions {
            assert!(is_among(FUNCTIONS, function), "{table}: no transformation has {function}()");
        }
        assert!(!functions.is_empty(), "{table}");
        assert!(
            !code.contains("dynamic("),
            "{table}: dynamic literals are written with parse_json"
        );
    }
}

/// Rows of every log as the connector sends them: two ordinary ones, late and of a backfill, and those that differ.
fn rows() -> Vec<Row> {
    let mut count = 0;
    let mut rows = Vec::new();
    let mut add = |events: Value| {
        let events: Events = serde_json::from_value(events).unwrap();
        rows.extend(events.rows(&mut count, |_| IngestionApi::LogsIngestion));
    };
    for log in LOGS {
        add(json!({"log": log, "minutes_ago": 60, "kind": "late"}));
    }
    add(json!({"log": "authentication", "minutes_ago": 61, "kind": "backfill", "fields": {
            "adaptive_trust_assessments": null, "passport_assessment": null, "isotimestamp": null, "email": null,
            "application": {"destination_app_name": "Wiki"}, "access_device": null}}));
    add(
        json!({"log": "activity", "minutes_ago": 62, "fields": {"action": "group_update", "outcome": null, "actor": null,
            "access_device": null, "application": null, "target": null,
            "old_target": {"key": "DGFAKE00000000000001", "name": "Staff", "type": "group", "details": "{\"status\":\"active\"}"}}}),
    );
    for log in LOGS {
        rows.push(
            json!({"eventtype_s": log, "raw_record_s": "[1]", "event_uid_s": "f"})
                .as_object()
                .unwrap()
                .clone(),
        );
    }
    for row in &mut rows {
        // The table keeps it beside each row; a stream has no such thing.
        row.remove("ingested_at");
    }
    rows
}

/// Without what is empty; values of dynamic columns, which come as text, as what they say.
fn plain(row: &Row, columns: &Columns) -> Value {
    row.iter()
        .filter(|(_, value)| !value.is_null() && *value != "")
        .map(|(name, value)| match value.as_str() {
            Some(text) if columns[name] == "dynamic" => {
                (name.clone(), serde_json::from_str(text).unwrap())
            }
            _ => (name.clone(), value.clone()),
        })
        .filter(|(_, value)| !value.is_null())
        .collect()
}

#[test]
fn a_transformation_makes_of_each_row_of_its_log_what_the_table_has() {
    let expected: BTreeMap<String, Vec<Value>> =
        serde_json::from_str(include_str!("bridge.json")).unwrap();
    let (schema, queries, tables) = (Schema::read(), transformations(), tables());
    let rows = rows();
    let answers = tools::transform(schema.declared(), &rows, &queries.iter().collect::<Vec<_>>());
    for ((_, table), answer) in TABLES.iter().zip(&answers) {
        let columns = &tables[*table];
        let given: Vec<Value> = answer.rows().iter().map(|row| plain(row, columns)).collect();
        assert_eq!(given, expected[*table], "{table}");
    }
}
