use serde_json::{Value, json};

use crate::model::{IngestionApi, LogType, Record};
use crate::schema::{self, ADDITIONAL_FIELDS};
use crate::transform::row::tests::written;
use crate::transform::{RowLimits, read_record};

const HOST: &str = "api-x.duosecurity.com";
const API: IngestionApi = IngestionApi::LogsIngestion;
/// Columns of every row.
const ADDED: [&str; 7] = [
    "eventtype_s",
    "host_s",
    "event_uid_s",
    "event_content_s",
    "ingest_kind_s",
    "ingest_batch_s",
    "TimeGenerated",
];

fn record(text: &str) -> Record {
    read_record(LogType::Authentication, HOST, API, text)
}

/// The row of a record, checked for valid JSON, size, and declared columns.
fn row_of(record: &Record, is_dated_by_event: bool) -> Value {
    let out = written(API, LogType::Authentication, is_dated_by_event, record);
    let row: Value =
        serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {out:?}"));
    for name in row.as_object().unwrap().keys() {
        let is_declared = schema::columns().iter().any(|column| column.name == *name);
        assert!(is_declared, "{name} is not a column");
    }
    row
}

fn row(text: &str) -> Value {
    row_of(&record(text), false)
}

/// The columns filled by Duo's fields.
fn filled(text: &str) -> Value {
    let mut row = row(text);
    let columns = row.as_object_mut().unwrap();
    columns.retain(|name, _| !ADDED.contains(&name.as_str()) && name != "event_time_t");
    row
}

#[test]
fn values_are_stored_in_the_columns_that_the_data_collector_api_would_create() {
    let text = r#"{"txid":"340a23e323f34e9d9a1d2b1f0a7c9b11","isotimestamp":"2026-11-22T11:55:01.234567+00:00",
        "timestamp":1795348501,"result":"success","alias":"","email":null,
        "user":{"name":"Zo\u00eb \"Z\"","groups":["a","b \"c\""],"key":"DU1"},
        "access_device":{"ip":"192.0.2.1","location":{"city":"Ann Arbor"},"is_password_set":true,"security_agents":[]}}"#;
    assert_eq!(
        filled(text),
        json!({
            "txid_g": "340a23e3-23f3-4e9d-9a1d-2b1f0a7c9b11",
            "isotimestamp_t": "2026-11-22T11:55:01.234567+00:00",
            "timestamp_d": 1_795_348_501,
            "result_s": "success",
            "user_name_s": "Zoë \"Z\"",
            "user_groups_s": r#"["a","b \"c\""]"#,
            "user_key_s": "DU1",
            "access_device_ip_s": "192.0.2.1",
            "access_device_location_city_s": "Ann Arbor",
            "access_device_is_password_set_s": "true",
            "access_device_security_agents_s": "[]",
        })
    );
}

#[test]
fn a_text_is_converted_to_the_type_of_the_column() {
    assert_eq!(
        filled(r#"{"from_new_user":"True","low_risk_ip":false,"credits":"5","timestamp":"1e3"}"#),
        json!({"from_new_user_b": true, "low_risk_ip_b": false, "credits_d": 5, "timestamp_d": 1e3})
    );
}

#[test]
fn a_value_without_a_column_is_stored_by_path_and_reported() {
    let text = r#"{"new":{"deep":[1,{"x":"y"}],"text":"t","none":null,"nothing":""},"txid":"no guid","credits":"many",
        "result":7,"from_new_user":2,"isotimestamp":"yesterday","reason":"r"}"#;
    let row = filled(text);
    assert_eq!(row["reason_s"], "r");
    assert_eq!(
        row[ADDITIONAL_FIELDS],
        json!({
            "new_deep": [1, {"x": "y"}],
            "new_text": "t",
            "txid": "no guid",
            "credits": "many",
            "result": 7,
            "from_new_user": 2,
            "isotimestamp": "yesterday",
        })
    );
    assert_eq!(row.as_object().unwrap().len(), 2, "{row}");
    let record = record(text);
    assert!(!record.is_truncated());
    assert_eq!(
        record.unmapped_fields(),
        ["new_deep", "new_text", "txid", "credits", "result", "from_new_user", "isotimestamp"]
    );
}

#[test]
fn values_with_the_same_column_name_are_all_kept() {
    let text = r#"{"user_name":"flat","user":{"name":"deep"},"odd":1,"odd":2}"#;
    let row = filled(text);
    assert_eq!(row["user_name_s"], "flat");
    assert_eq!(row[ADDITIONAL_FIELDS], json!({"user_name": "deep", "odd": 1, "odd'2": 2}));
}

#[test]
fn the_added_columns_have_the_suffixes_of_their_types() {
    let text = r#"{"txid":"a","isotimestamp":"2026-11-22T11:55:01.234567+00:00"}"#;
    let sent = row(text);
    for name in ADDED {
        assert!(sent[name].is_string(), "{name} in {sent}");
    }
    assert_eq!(sent["eventtype_s"], "authentication");
    assert_eq!(sent["host_s"], HOST);
    assert_eq!(sent["event_time_t"], "2026-11-22T11:55:01.234567Z");
    assert_eq!(sent["TimeGenerated"], "2026-11-22T12:00:00.000Z");
    let happened = row_of(&record(text), true);
    assert_eq!(happened["TimeGenerated"], "2026-11-22T11:55:01.234567Z");
    // A row without an event time has the time of sending; Azure Monitor would choose one.
    let timeless = row_of(&record("{}"), true);
    assert_eq!(timeless["TimeGenerated"], "2026-11-22T12:00:00.000Z");
}

#[test]
fn a_record_that_is_not_an_object_is_one_text() {
    for text in ["\"text \\\" \\u0001\"", "[1,2]", r#"{"host":"mine"}"#] {
        let row = filled(text);
        assert_eq!(row, json!({"raw_record_s": text}));
        assert!(record(text).unmapped_fields().is_empty());
    }
    assert_eq!(filled("{}"), json!({}));
}

#[test]
fn a_value_that_is_too_large_is_truncated_or_omitted_and_named() {
    let long = "é".repeat(40_000);
    let array = format!("[{}1]", "\"a\",".repeat(20_000));
    let text = format!(
        r#"{{"reason":"{long}","user":{{"groups":{array}}},"new":"{long}","other":{array}}}"#
    );
    let record = record(&text);
    let cut: Vec<&str> = record.truncated_fields().collect();
    // Neither unmapped field fits into `AdditionalFields`.
    assert_eq!(cut, ["reason", "user_groups", "new", "other"]);
    let row = filled(&text);
    assert_eq!(row["reason_s"], "é".repeat(32_000));
    assert_eq!(row["user_groups_s"], array[..64_000]);
    assert_eq!(row["truncated_fields_s"], "reason,user_groups,new,other");
    assert_eq!(row.get(ADDITIONAL_FIELDS), None);
    assert_eq!(record.unmapped_fields(), ["new", "other"]);
}

#[test]
fn unmapped_fields_never_exceed_the_column_limit() {
    let fields: Vec<String> =
        (0..9000).map(|number| format!(r#""n{number}":"0123456789""#)).collect();
    let text = format!("{{{}}}", fields.join(","));
    let record = record(&text);
    let row = row_of(&record, false);
    let kept = row[ADDITIONAL_FIELDS].to_string().len();
    assert!((60_000..=64_002).contains(&kept), "{kept} bytes");
    assert!(record.is_truncated());
    assert_eq!(record.unmapped_fields().len(), 9000);
}

#[test]
fn a_row_is_never_larger_than_a_request() {
    let long = "x".repeat(60_000);
    let fields: Vec<String> = schema::columns()
        .iter()
        .filter_map(|column| match &column.source {
            schema::Source::Duo { path, .. } if !path.contains('.') => {
                Some(format!(r#""{path}":"{long}""#))
            }
            _ => None,
        })
        .collect();
    let text = format!("{{{}}}", fields.join(","));
    assert!(text.len() > 2 * API.largest_row());
    let record = record(&text);
    let row = row_of(&record, false).to_string();
    assert!(record.row_bytes <= API.largest_row());
    assert!(row.len() > API.largest_row() / 8, "{} bytes are too few", row.len());
    assert!(record.is_truncated());
}

#[test]
fn a_record_may_have_a_name_thousands_of_times() {
    // The time must be linear in the number of names, or the test would not end.
    let text = format!("{{{}}}", vec![r#""x":1"#; 50_000].join(","));
    let row = row(&text);
    let kept = row[ADDITIONAL_FIELDS].as_object().unwrap();
    assert!(kept.len() > 5000);
    assert!(kept.contains_key("x") && kept.contains_key("x'2") && kept.contains_key("x'3"));
    let text = r#"{"x":1,"x'2":2,"x":3,"x'2":4}"#;
    let kept = &filled(text)[ADDITIONAL_FIELDS];
    assert_eq!(kept.as_object().unwrap().len(), 4, "{kept}");
}

#[test]
fn a_number_that_fits_no_column_is_kept_unparsed() {
    let digits = "7".repeat(2_000_000);
    let text = format!(r#"{{"credits":{digits},"timestamp":"{digits}","reason":"r"}}"#);
    let record = record(&text);
    let row = row_of(&record, false);
    assert!(record.row_bytes <= API.largest_row());
    assert_eq!(row["reason_s"], "r");
    assert!(row["credits_d"].is_null() && row["timestamp_d"].is_null());
    assert!(record.is_truncated());
    let (text, column) = (r#"{"credits":1e999}"#, r#""AdditionalFields":{"credits":1e999}"#);
    let record = self::record(text);
    assert_eq!(record.unmapped_fields(), ["credits"]);
    let row = written(API, LogType::Authentication, false, &record);
    assert!(String::from_utf8_lossy(&row).contains(column));
}

#[test]
fn nested_objects_are_flattened_and_truncated_to_the_same_depth() {
    let long = "x".repeat(70_000);
    for depth in 1..40 {
        let (begin, end) = (r#"{"":"#.repeat(depth), "}".repeat(depth));
        let text = format!(r#"{begin}{{"reason":"{long}"}}{end}"#);
        let record = record(&text);
        let row = row_of(&record, false);
        let kept = row.get("reason_s").and_then(Value::as_str);
        assert!(kept.is_none_or(|kept| kept.len() <= 64_000), "{depth}");
        assert!(record.is_truncated());
    }
}

#[test]
fn names_and_texts_may_be_invalid_unicode() {
    let text = r#"{"x":{"\ud800":1},"user":{"name":"\ud800"},"a\"b":2}"#;
    let record = record(text);
    assert_eq!(record.unmapped_fields(), ["x_\u{fffd}\u{fffd}\u{fffd}", "a\"b"]);
    let without = text.replace("\\ud800", "y");
    assert_eq!(filled(&without)[ADDITIONAL_FIELDS], json!({"x_y": 1, "a\"b": 2}));
}

#[test]
fn objects_beyond_the_maximum_depth_are_kept_unchanged() {
    let deep = format!("{}1{}", "{\"a\":".repeat(3000), "}".repeat(3000));
    let record = record(&deep);
    assert_eq!(record.unmapped_fields().len(), 1);
    assert!(record.row_bytes < API.largest_row());
}

#[test]
fn values_are_truncated_to_the_given_limit() {
    let text = r#"{"reason":"0123456789","txid":"340a23e323f34e9d9a1d2b1f0a7c9b11"}"#;
    let limits = RowLimits { largest_value: 5, ..RowLimits::from(API) };
    let record = read_record(LogType::Authentication, HOST, limits, text);
    let row = row_of(&record, false);
    assert_eq!(row["reason_s"], "01234");
}

#[test]
fn known_undeclared_fields_are_kept_as_text_and_not_reported_as_unmapped() {
    let text = r#"{"surfaced_auth":{"access_device":{"is_encryption_enabled":true,"is_firewall_enabled":"unknown",
        "location":{"country":"US"}}},"new":1}"#;
    assert_eq!(
        filled(text)[ADDITIONAL_FIELDS],
        json!({
            "surfaced_auth_access_device_is_encryption_enabled": "true",
            "surfaced_auth_access_device_is_firewall_enabled": "unknown",
            "surfaced_auth_access_device_location_country": "US",
            "new": 1,
        })
    );
    let record = record(text);
    assert_eq!(record.unmapped_fields(), ["new"]);
}

#[test]
fn a_name_may_have_escapes() {
    let text = r#"{"res\u0075lt":"r","user":{"\u006eame":"n"},"x":{"a\"":1}}"#;
    let row = filled(text);
    assert_eq!((&row["result_s"], &row["user_name_s"]), (&json!("r"), &json!("n")));
    assert_eq!(row[ADDITIONAL_FIELDS], json!({"x_a\"": 1}));
}
