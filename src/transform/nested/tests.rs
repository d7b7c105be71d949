use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::MAX_UNMAPPED_COLUMNS;
use crate::model::{IngestionApi, LogType, Record, RowShape};
use crate::transform::Records;
use crate::transform::row::tests::written;

const API: IngestionApi = IngestionApi::DataCollector;
const HOST: &str = "api-x.duosecurity.com";

/// The record, and the columns that it wants besides these.
fn read(columns: &[&str], text: &str) -> (Record, Vec<String>) {
    let columns: BTreeSet<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let mut reader = Records::new(LogType::Authentication, HOST, API).with_columns(&columns);
    let record = reader.read_alone(text);
    (record, reader.wanted_columns().to_vec())
}

/// Duo's part of the row, and the parsed `AdditionalFields`.
fn row(columns: &[&str], text: &str) -> (Value, Value) {
    let (record, _) = read(columns, text);
    let mut row: Value =
        serde_json::from_slice(&written(API, LogType::Authentication, false, &record)).unwrap();
    let row = row.as_object_mut().unwrap();
    let additional = row.remove("AdditionalFields");
    let additional = additional.map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap());
    row.retain(|name, _| {
        let added = ["eventtype", "host", "event_time", "truncated_fields"];
        !name.starts_with("event_") && !name.starts_with("ingest_") && !added.contains(&&**name)
    });
    (Value::Object(row.clone()), additional.unwrap_or_default())
}

#[test]
fn a_record_of_declared_fields_stays_as_duo_sent_it() {
    // A text that looks like a GUID or a time is stored in the text column.
    let text = r#"{"txid":"340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c", "timestamp":1795348501,"alias":"340a23e323f343d29a7aa0e4b7ab5d1c",
        "user":{"name":"2026-11-22T11:55:01Z","groups":["a"],"key":""},"access_device":{"is_password_set":true,"ip":null},
        "surfaced_auth":{"access_device":{"is_encryption_enabled":false}}}"#;
    let (record, wanted) = read(&[], text);
    assert!(matches!(record.shape, RowShape::Object(_)));
    assert_eq!(wanted, [""; 0]);
}

#[test]
fn values_without_a_column_are_moved_with_their_paths() {
    let text = r#"{"moon":{"phase":"full","age":{"days":14}},"reason":"x","new":[1,{"a":null}],"none":null,"access_device":{"is_password_set":true,"tide":false},
        "user":{"name":7}, "empty":"","alias":"\ud800"}"#;
    let (kept, additional) = row(&["moon_phase_s"], &text.replace(r"\ud800", "z"));
    let expected = json!({"moon": {"phase": "full"}, "reason": "x", "access_device": {"is_password_set": "true"}, "alias": "z"});
    assert_eq!(kept, expected);
    let expected = json!({"moon_age_days": 14, "new": [1, {"a": null}], "access_device_tide": false, "user_name": 7});
    assert_eq!(additional, expected);
    let (record, wanted) = read(&["moon_phase_s"], text);
    // A known field of another type would be a column too.
    assert_eq!(
        wanted,
        ["moon_age_days_d", "new_s", "access_device_tide_b", "user_name_d", "empty_s"]
    );
    let unmapped: Vec<&str> = record.unmapped_fields().iter().map(String::as_str).collect();
    assert_eq!(unmapped, ["moon_age_days", "new", "access_device_tide", "user_name"]);
}

#[test]
fn the_type_of_a_value_is_part_of_its_column() {
    let text = r#"{"new":"340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c"}"#;
    assert_eq!(read(&["new_s"], text).1, ["new_g"]);
    assert_eq!(row(&["new_g"], text).1, Value::Null);
    assert_eq!(read(&[], r#"{"new":"2026-11-22T11:55:01Z"}"#).1, ["new_t"]);
}

#[test]
fn only_free_and_possible_columns_are_wanted() {
    let members = (0..100).map(|number| format!("\"new_{number}\":1"));
    let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    let (_, wanted) = read(&["a_s", "b_s"], &text);
    assert_eq!(wanted.len(), MAX_UNMAPPED_COLUMNS - 2);
    assert_eq!((&*wanted[0], &*wanted[17]), ("new_0_d", "new_17_d"));
    let long = "x".repeat(44);
    let deep = format!("{}1{}", "{\"a\":".repeat(20), "}".repeat(20));
    let text = format!(
        r#"{{"event":{{"uid":"x"}},"AdditionalFields":"x","in ner":1,"{long}":1,"é":1,"":1,"1st":1,"deep":{deep}}}"#
    );
    let (record, wanted) = read(&[], &text);
    assert_eq!(wanted, [""; 0]);
    assert_eq!(record.unmapped_fields().len(), 8);
}

#[test]
fn a_reshaped_record_has_the_columns_and_its_identity() {
    let text = r#"{"txid":"a","isotimestamp":"2026-11-22T11:55:01Z","new":1,"access_device":{"is_password_set":true}}"#;
    let (mut record, wanted) = read(&[], text);
    assert_eq!(wanted, ["new_d"]);
    let (alone, _) = read(&["new_d"], text);
    let columns = BTreeSet::from(["new_d".to_owned()]);
    let mut reader = Records::new(LogType::Authentication, HOST, API).with_columns(&columns);
    reader.reshape(&mut record);
    let of = |record: &Record| written(API, LogType::Authentication, false, record);
    assert_eq!(of(&record), of(&alone));
    assert_eq!(record.key, alone.key);
}

#[test]
fn additional_fields_are_limited_and_name_what_is_left_out() {
    let long = "\\\"é".repeat(4_000);
    let text = format!(r#"{{"a":"{long}","b":"{long}","c":"{long}","d":1}}"#);
    let (_, additional) = row(&[], &text);
    assert_eq!(additional.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "d"]);
    let (record, _) = read(&[], &text);
    assert_eq!(record.truncated_fields().collect::<Vec<_>>(), ["b", "c"]);
    let row = written(API, LogType::Authentication, false, &record);
    let row: Value = serde_json::from_slice(&row).unwrap();
    assert!(row["AdditionalFields"].as_str().unwrap().len() <= API.largest_value());
    assert_eq!(row["truncated_fields"], "b,c");
}
