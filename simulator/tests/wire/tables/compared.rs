//! Two tables side by side, and one as lines.

use serde_json::{Value, json};
use simulator::{ColumnType, Difference, Road, TablesConfig};

use super::{KEPT, collect, ingest, start, stream};

#[tokio::test]
async fn two_tables_are_compared_column_by_column() {
    use ColumnType::{DateTime, Dynamic, Real, String};
    let columns = [
        ("event_uid_s", String),
        ("name_s", String),
        ("result_s", String),
        ("groups_s", String),
        ("txid_g", String),
        ("timestamp_d", Real),
        ("credits_d", DateTime),
        ("ingest_batch_s", String),
        ("AdditionalFields", Dynamic),
    ];
    let caller = start(KEPT, &columns).await;
    let event = |uid: &str| {
        json!({
            "event_uid": uid, "result": "success", "groups": ["a", {"b": 1}], "name": "",
            "txid": "340A23E323F343D29A7AA0E4B7AB5D1C", "timestamp": 5, "ingest_batch": "one",
        })
    };
    let flat = |uid: &str| {
        json!({
            "event_uid_s": uid, "result_s": "success", "groups_s": "[\"a\", { \"b\":1}]",
            "txid_g": "340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c", "timestamp_d": 5.0,
            "ingest_batch_s": "two",
        })
    };
    let with = |mut row: Value, name: &str, value: Value| {
        row[name] = value;
        row
    };
    let first = [
        event("aa"),
        with(
            event("aa"),
            "result",
            json!("a repetition is not looked at"),
        ),
        event("bb"),
        with(event("cc"), "credits", json!(2)),
        event("dd"),
        json!({"result": "without a key"}),
    ];
    let first = collect(&caller, &first).await;
    let undashed = json!("340a23e323f343d29a7aa0e4b7ab5d1c");
    let second = [
        flat("aa"),
        with(
            with(flat("bb"), "result_s", json!("denied")),
            "txid_g",
            undashed.clone(),
        ),
        flat("cc"),
        flat("ee"),
    ];
    let second = ingest(&caller, &second).await;
    let declared = stream(&columns);
    let found = first.differences(
        &second,
        "event_uid_s",
        declared.columns(),
        &["ingest_batch_s", "AdditionalFields"],
    );
    let value = |key: &str, column: &str, first: Value, second: Value| Difference::Value {
        key: key.to_owned(),
        column: column.to_owned(),
        first,
        second,
    };
    let dashed = json!("340a23e3-23f3-43d2-9a7a-a0e4b7ab5d1c");
    let expected = [
        Difference::Type {
            column: "credits_d".to_owned(),
            first: Real,
            second: DateTime,
        },
        Difference::Keyless {
            first: 1,
            second: 0,
        },
        value("bb", "result_s", json!("success"), json!("denied")),
        value("bb", "txid_g", dashed, undashed),
        value("cc", "credits_d", json!(2.0), Value::Null),
        Difference::OnlyInFirst {
            key: "dd".to_owned(),
        },
        Difference::OnlyInSecond {
            key: "ee".to_owned(),
        },
    ];
    assert_eq!(found, expected);
    assert_eq!(
        first
            .differences(&first, "event_uid_s", declared.columns(), &[])
            .len(),
        1
    );
    let batches = first.differences(&second, "event_uid_s", declared.columns(), &[]);
    assert_eq!(batches.len(), expected.len() + 3);
}

#[tokio::test]
async fn rows_are_written_as_json_lines() {
    let caller = start(KEPT, &[]).await;
    let table = collect(&caller, &[json!({"b": 1}), json!({"a": "line\nbreak"})]).await;
    let mut out = Vec::new();
    table.write_json_lines(&mut out).unwrap();
    let text = std::string::String::from_utf8(out).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["b_d"], &lines[1]["a_s"]),
        (&json!(1.0), &json!("line\nbreak"))
    );
    // Nothing is kept unless that was asked for.
    let caller = start(TablesConfig::default(), &[]).await;
    caller.post("[{\"a\":1}]").send().await.unwrap();
    assert!(
        caller
            .simulator
            .table(Road::DataCollector, "CiscoDuo_CL")
            .await
            .is_none()
    );
}
