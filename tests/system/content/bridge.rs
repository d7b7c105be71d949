//! The bridge to Microsoft's newer tables: transformations of the same stream, in the subset of KQL
//! that data collection rules support.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::content::events::{Events, LOGS};
use crate::content::flatten::IngestionApi;
use crate::content::schema::{Columns, Schema};
use crate::content::sources::Query;
use crate::content::tools::{self, Row};

/// The tables of the logs that have one.
const TABLES: [(&str, &str); 3] = [
    ("authentication", "DuoAuthentication_CL"),
    ("activity", "DuoActivity_CL"),
    ("telephony", "DuoTelephony_CL"),
];

/// The supported subset of KQL, as far as it is used here or easily confused with it.
/// <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-transformations-kql>
const OPERATORS: &str = "extend project where parse project-away project-rename";
const FUNCTIONS: &str = "case columnifexists datetime_add extract iif isempty isnotempty isnotnull isnull max_of min_of \
    now pack pack_array parse_json split strcat strlen substring tobool todatetime toint toreal tostring";

/// Whether `words` contains `word`.
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
fn a_transformation_returns_the_columns_of_its_table() {
    let (schema, queries, tables) = (Schema::read(), transformations(), tables());
    let results =
        tools::check_transformations(schema.declared(), &queries.iter().collect::<Vec<_>>());
    for result in &results {
        // Transformations do not support `bag_pack`, which replaces `pack` in the query language.
        let of_pack = "The function 'pack' is deprecated; use 'bag_pack' instead.";
        let mut problems = result.problems.iter();
        let problem = problems.find(|problem| !problem.ends_with(of_pack));
        assert_eq!(problem, None, "{}", result.name);
        let table = result.name.trim_start_matches("bridge/");
        assert_eq!(result.columns, tables[table], "{table}");
    }
    assert_eq!(results.len(), tables.len());
}

#[test]
fn a_transformation_uses_supported_kql_and_only_the_rows_of_its_log() {
    for ((log, table), query) in TABLES.iter().zip(transformations()) {
        let code = code(&query.text);
        let begin = format!("source\n| where eventtype_s == \"{log}\" and ");
        assert!(code.starts_with(&begin), "{table}");
        for operator in code.split("\n| ").skip(1) {
            let operator = operator.split_whitespace().next().unwrap();
            assert!(is_among(OPERATORS, operator), "{table}: {operator} is not supported");
        }
        // A word before a bracket is a function, except for `and`, `or` and `where`.
        let words = code.split('(').rev().skip(1).filter_map(|before| {
            let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let word = before.rsplit(|character| !part(character)).next();
            word.filter(|word| !word.is_empty() && !["and", "or", "where"].contains(word))
        });
        let functions: BTreeSet<&str> = words.collect();
        for function in &functions {
            assert!(is_among(FUNCTIONS, function), "{table}: {function}() is not supported");
        }
        assert!(!functions.is_empty(), "{table}");
        assert!(
            !code.contains("dynamic("),
            "{table}: dynamic literals are written with parse_json"
        );
    }
}

/// Rows of every log as the connector sends them: ordinary, late, backfilled and unusual ones.
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
        // The table has this column, but the stream does not.
        row.remove("ingested_at");
    }
    rows
}

/// The row without empty values; values of dynamic columns, which are text, are parsed.
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
fn a_transformation_returns_the_expected_row_for_each_row_of_its_log() {
    let expected: BTreeMap<String, Vec<Value>> =
        serde_json::from_str(include_str!("bridge.json")).unwrap();
    let (schema, queries, tables) = (Schema::read(), transformations(), tables());
    let rows = rows();
    let results = tools::transform(schema.declared(), &rows, &queries.iter().collect::<Vec<_>>());
    for ((_, table), result) in TABLES.iter().zip(&results) {
        let columns = &tables[*table];
        let actual: Vec<Value> = result.rows().iter().map(|row| plain(row, columns)).collect();
        assert_eq!(actual, expected[*table], "{table}");
    }
}
