//! The function `CiscoDuo`: each event once, and column names that published queries use.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::content::events;
use crate::content::flatten::IngestionApi;
use crate::content::schema::Schema;
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Row};

/// The columns that Microsoft's published content (up to version 3.1.2) uses, with their types.
const PUBLISHED: &str = include_str!("published-names.txt");

fn row(fields: Value) -> Row {
    let Value::Object(mut row) = fields else { panic!("a row is an object") };
    row.entry("TimeGenerated").or_insert(json!("2026-11-23T11:00:00Z"));
    row.entry("ingested_at").or_insert(json!("2026-11-23T11:01:00Z"));
    row
}

/// The result of a query on rows.
fn result(rows: Vec<Row>, text: &str) -> Vec<Row> {
    let (content, schema) = (Content::read(), Schema::read());
    let query = Query::of_a_test(text);
    let results = tools::run(&content.function, &schema.all(), &[(rows, vec![&query])]);
    results[0][0].rows().to_vec()
}

#[test]
fn a_row_that_an_update_replaces_is_not_returned() {
    // Each row: uid, content, replaced content, batch.
    let rows = [
        ("a", "00000001", "", "first"),
        ("a", "00000002", "00000001", "second"),
        ("a", "00000003", "00000002", "third"),
        ("a", "00000009", "", "another event of the id"),
        ("b", "00000001", "", "another event"),
    ];
    let rows = rows.map(|(uid, content, replaces, batch)| {
        row(json!({
            "event_uid_s": uid, "event_content_s": content, "event_replaces_s": replaces,
            "ingest_batch_s": batch,
        }))
    });
    let actual = result(rows.into(), "CiscoDuo | project IngestBatch | order by IngestBatch asc");
    let actual: Vec<&str> = actual.iter().map(|row| row["IngestBatch"].as_str().unwrap()).collect();
    assert_eq!(actual, ["another event", "another event of the id", "third"]);
}

#[test]
fn each_uid_and_content_is_kept_once_as_first_ingested_and_rows_without_a_uid_pass() {
    // Each row: uid, content, batch, time sent and time ingested.
    let rows = [
        ("a", "00000001", "second", "10:00", "10:09"),
        ("a", "00000001", "first", "10:00", "10:01"),
        ("a", "00000001", "third", "09:00", "10:10"),
        ("a", "00000002", "other content", "10:00", "10:05"),
        ("b", "", "only", "11:00", "11:01"),
        ("", "", "without", "11:00", "11:01"),
        ("", "", "without", "11:00", "11:01"),
    ];
    let rows = rows.map(|(uid, content, batch, sent, ingested)| {
        let time = |time: &str| format!("2026-11-23T{time}:00Z");
        row(json!({
            "event_uid_s": uid, "event_content_s": content, "ingest_batch_s": batch,
            "TimeGenerated": time(sent), "ingested_at": time(ingested),
        }))
    });
    let without_column = row(json!({"user_name_s": "ada", "ingest_batch_s": "without"}));
    let rows = rows.into_iter().chain([without_column]).collect();
    let actual = result(rows, "CiscoDuo | summarize Rows = count() by IngestBatch");
    let actual: BTreeMap<&str, u64> = actual
        .iter()
        .map(|row| (row["IngestBatch"].as_str().unwrap(), row["Rows"].as_u64().unwrap()))
        .collect();
    assert_eq!(actual, [("first", 1), ("only", 1), ("other content", 1), ("without", 3)].into());
}

#[test]
fn the_published_columns_exist_whatever_columns_the_table_has() {
    let (content, schema) = (Content::read(), Schema::read());
    let tables = schema.tables();
    let queries = content.functions.iter().collect();
    let results = tools::check(tables.iter().map(|(_, columns)| (columns, &content, &queries)));
    let added = |columns: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let raw = schema.all();
        let own = columns.iter().filter(|(column, _)| !raw.contains_key(*column));
        own.map(|(column, kind)| (column.clone(), kind.clone())).collect()
    };
    let names = added(&results[0][0].columns);
    for line in PUBLISHED.lines() {
        let (name, kind) = line.split_once(' ').unwrap();
        assert_eq!(names.get(name).map(String::as_str), Some(kind), "{name}");
    }
    for ((table, _), result) in tables.iter().zip(&results) {
        assert_eq!(added(&result[0].columns), names, "{table}");
    }
}

#[test]
fn a_table_with_only_a_time_column_returns_its_rows() {
    let content = Content::read();
    let columns = [("TimeGenerated".to_owned(), "datetime".to_owned())].into();
    let query = Query::of_a_test(
        "CiscoDuo | where EventTime == TimeGenerated and isempty(EventType) | count",
    );
    let results = tools::run(&content.function, &columns, &[(vec![row(json!({}))], vec![&query])]);
    assert_eq!(results[0][0].rows()[0]["Count"], 1);
}

#[test]
fn an_event_of_each_log_has_its_time_and_columns() {
    let mut rows = Vec::new();
    for log in events::LOGS {
        for by_another_connector in [false, true] {
            let one = json!({"log": log, "minutes_ago": 60, "by_another_connector": by_another_connector});
            let one: events::Events = serde_json::from_value(one).unwrap();
            let mut count = u32::try_from(rows.len()).unwrap();
            rows.extend(one.rows(&mut count, |_| IngestionApi::DataCollector));
        }
    }
    let query = "CiscoDuo | extend Mine = isnotempty(IngestKind) | project EventType, Mine, EventTime, DstUserName, SrcIpAddr, \
        AdministratorAction, AdministratorName, TrustMonitorType, Phone, HttpUserAgentOriginal";
    let actual = result(rows, query);
    assert_eq!(actual.len(), 12);
    for row in &actual {
        assert_eq!(row["EventTime"], "2026-11-23T11:00:00", "{row:?}");
        let log = row["EventType"].as_str().unwrap();
        let (column, value) = match log {
            "authentication" => ("DstUserName", "ada@example.com"),
            "administrator" | "activity" => ("AdministratorAction", "admin_login"),
            "telephony" => ("Phone", "+15555550100"),
            "offline_enrollment" => {
                ("HttpUserAgentOriginal", "DuoCredProv/4.3.1 (Windows NT 10.0; x64)")
            }
            _ => ("TrustMonitorType", "bypass_status"),
        };
        assert_eq!(row[column], value, "{row:?}");
        if ["administrator", "activity"].contains(&log) {
            assert_eq!(
                (&row["AdministratorName"], &row["SrcIpAddr"]),
                (&json!("Grace Example"), &json!("192.0.2.20")),
                "{row:?}"
            );
        }
    }
}

#[test]
fn a_state_that_arrived_as_a_boolean_is_read_too() {
    let rows = vec![
        row(json!({"event_uid_s": "a", "access_device_is_encryption_enabled_b": false})),
        row(json!({"event_uid_s": "b", "access_device_is_encryption_enabled_s": "false"})),
    ];
    let actual = result(rows, "CiscoDuo | where AccessDvcEncryptionEnabled =~ \"false\" | count");
    assert_eq!(actual[0]["Count"], 2);
}

#[test]
fn every_known_field_without_a_column_is_read_from_additional_fields() {
    let content = Content::read();
    for path in Schema::read().additional_fields() {
        let read = format!("Rest[\"{path}\"]");
        assert!(content.function.contains(&read), "nothing reads {path}");
    }
}

#[test]
fn an_address_is_returned_without_its_port() {
    let forms = [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:50000", "192.0.2.1"),
        ("192.0.2.1 port 50000", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:50000", "2001:db8::1"),
        ("2001:db8::1#50000", "2001:db8::1"),
        ("2001:db8::1 port 50000", "2001:db8::1"),
        ("0.0.0.0", "0.0.0.0"),
        ("unknown", "unknown"),
    ];
    let rows =
        forms.iter().map(|(ip, _)| row(json!({"event_uid_s": ip, "access_device_ip_s": ip})));
    let actual = result(rows.collect(), "CiscoDuo | project EventUid, SrcIpAddr");
    let found: BTreeMap<&str, &str> = actual
        .iter()
        .map(|row| (row["EventUid"].as_str().unwrap(), row["SrcIpAddr"].as_str().unwrap()))
        .collect();
    assert_eq!(found, forms.into());
}
