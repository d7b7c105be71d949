//! Columns declared by a stream, and the time of a row.

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::ColumnType;

use super::{collect, ingest, rows, start};

#[tokio::test]
async fn logs_ingestion_stores_declared_columns_with_their_declared_type() {
    use ColumnType::{Boolean, DateTime, Dynamic, Real, String};
    let columns = [
        ("TimeGenerated", DateTime),
        ("result_s", String),
        ("timestamp_d", Real),
        ("isotimestamp_t", DateTime),
        ("from_new_user_b", Boolean),
        ("Rest", Dynamic),
        ("never_s", String),
    ];
    let caller = start(&columns).await;
    let sent = [
        json!({
            "result_s": "success", "timestamp_d": 1_581_620_180, "from_new_user_b": true,
            "isotimestamp_t": "2020-02-13T18:56:20.351346+00:00", "Rest": {"a": [1, {"b": null}]},
        }),
        // Values are not flattened or suffixed, and those that do not fit are null.
        json!({"result": "success", "user": {"name": "ada"}, "timestamp_d": "soon", "result_s": null}),
        json!({"result_s": "é".repeat(40_000), "Rest": "text"}),
    ];
    let table = ingest(&caller, &sent).await;
    let expected = [
        json!({
            "result_s": "success", "timestamp_d": 1_581_620_180.0, "from_new_user_b": true,
            "isotimestamp_t": "2020-02-13T18:56:20.3513460Z", "Rest": {"a": [1, {"b": null}]},
        }),
        json!({}),
        json!({"result_s": "é".repeat(32_000), "Rest": "text"}),
    ];
    assert_eq!(rows(&table), expected);
    // All declared columns exist, with or without values.
    assert_eq!(table.columns().len(), 8);
    assert_eq!(table.columns()["never_s"], String);
    let left_out: Vec<_> = table.left_out().keys().collect();
    assert_eq!(left_out, ["result", "user"]);
    assert_eq!(caller.simulator.counts().logs_ingestion.values_cut, 1);
}

#[tokio::test]
async fn an_old_or_future_time_is_replaced_by_the_time_of_receipt_in_both_apis() {
    let columns = [("TimeGenerated", ColumnType::DateTime)];
    let caller = start(&columns).await;
    let now = caller.simulator.clock().now();
    let at = |offset: TimeDelta| (now + offset).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let minute = TimeDelta::minutes(1);
    let kept = [at(minute - TimeDelta::days(2)), at(TimeDelta::days(1) - minute)];
    let replaced = [at(-minute - TimeDelta::days(2)), at(TimeDelta::days(1) + minute)];
    let times: Vec<_> = kept.iter().chain(&replaced).collect();
    let rows_of =
        |field: &str| -> Vec<Value> { times.iter().map(|time| json!({field: time})).collect() };
    for row in rows_of("event_time") {
        let request = caller.post(&format!("[{row}]"));
        let response = request.header("time-generated-field", "event_time").send().await;
        assert_eq!(response.unwrap().status().as_u16(), 200);
    }
    let collected = collect(&caller, &[json!({"event_time": kept[0]})]).await;
    let ingested =
        [rows_of("TimeGenerated"), vec![json!({}), json!({"TimeGenerated": "?"})]].concat();
    let ingested = ingest(&caller, &ingested).await;
    for (table, api) in [(&collected, "collected"), (&ingested, "ingested")] {
        let times: Vec<_> = table.rows().iter().map(|row| &row["TimeGenerated"]).collect();
        let received: Vec<_> = table.rows().iter().map(|row| &row["_TimeReceived"]).collect();
        for (found, sent) in times.iter().zip(&kept) {
            assert_eq!(**found, format!("{}.0000000Z", &sent[..19]));
        }
        // Without the header or a time, the time of receipt is used.
        assert_eq!(times[2..], received[2..], "{api}");
        assert!(times.len() >= 5);
    }
    // The field itself is a column, too.
    assert_eq!(collected.columns()["event_time_t"], ColumnType::DateTime);
}
