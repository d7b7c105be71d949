//! A connector that makes the columns itself, as the Logs Ingestion API wants it, written by hand from the
//! facts: what has which suffix is known by name here, not found out.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use simulator::{Column, ColumnType, LogType, StreamDeclaration};

use crate::caller::row;

/// Fields that are GUIDs: facts A6.
const GUIDS: [&str; 5] = [
    "txid",
    "activity_id",
    "telephony_id",
    "surfaced_auth_txid",
    "trusted_session_info_trusted_session_uuid",
];

/// Fields that are moments, where they can be read as such.
const MOMENTS: [&str; 4] = ["isotimestamp", "ts", "event_time", "surfaced_auth_isotimestamp"];

/// Columns that are not declared: too long for that (facts D2), or new to everyone.
fn undeclared(name: &str) -> bool {
    name.len() > 45 || name.starts_with("new_signal")
}

/// The row of a record with a column for each of its values.
fn columns(log: LogType, record: &str, copy: usize) -> Map<String, Value> {
    let row: Value = serde_json::from_str(&row(log, record, copy)).unwrap();
    let mut columns = Map::new();
    walk("", &row, &mut columns);
    columns
}

fn walk(path: &str, value: &Value, columns: &mut Map<String, Value>) {
    let mut put = |suffix: &str, value: Value| {
        let before = columns.insert(format!("{path}{suffix}"), value);
        assert!(before.is_none(), "{path} twice");
    };
    match value {
        Value::Null => {}
        Value::Bool(_) => put("_b", value.clone()),
        Value::Number(_) => put("_d", value.clone()),
        Value::Array(_) => put("_s", value.to_string().into()),
        Value::String(text) if MOMENTS.contains(&path) && !text.contains(' ') => {
            put("_t", value.clone());
        }
        Value::String(_) if GUIDS.contains(&path) => put("_g", value.clone()),
        Value::String(_) => put("_s", value.clone()),
        Value::Object(members) => {
            for (name, value) in members {
                let joined = if path.is_empty() { String::new() } else { format!("{path}_") };
                walk(&format!("{joined}{name}"), value, columns);
            }
        }
    }
}

/// The row as the stream of [`declaration`] takes it.
pub(crate) fn flat_row(log: LogType, record: &str, copy: usize) -> Map<String, Value> {
    let (rest, mut row): (Map<_, _>, Map<_, _>) =
        columns(log, record, copy).into_iter().partition(|(name, _)| undeclared(name));
    if !rest.is_empty() {
        let plain = |name: String| name[..name.len() - 2].to_owned();
        let rest: Map<_, _> = rest.into_iter().map(|(name, it)| (plain(name), it)).collect();
        row.insert("AdditionalFields".to_owned(), rest.into());
    }
    row
}

/// A stream with a column for everything in these records that can be declared.
pub(crate) fn declaration(records: &[(LogType, String)]) -> StreamDeclaration {
    let mut names = BTreeSet::from(["truncated_fields_s".to_owned()]);
    for (log, record) in records {
        names.extend(columns(*log, record, 0).into_iter().map(|(name, _)| name));
    }
    let column = |name: String| {
        let column_type = match &name[name.len() - 2..] {
            "_d" => "real",
            "_b" => "boolean",
            "_t" => "datetime",
            _ => "string",
        };
        json!({"name": name, "type": column_type})
    };
    let mut columns: Vec<_> = names.into_iter().filter(|it| !undeclared(it)).map(column).collect();
    columns.push(json!({"name": "TimeGenerated", "type": "datetime"}));
    columns.push(json!({"name": "AdditionalFields", "type": "dynamic"}));
    let declared = json!({"columns": columns});
    let stream = StreamDeclaration::from_json("Custom-CiscoDuo", "CiscoDuo_CL", &declared).unwrap();
    let dynamic = Column::new("AdditionalFields", ColumnType::Dynamic);
    assert!(stream.columns().contains(&dynamic));
    stream
}
