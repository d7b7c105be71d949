//! Verification of deliveries through the Logs Ingestion API.

use serde_json::{Map, Value, json};
use simulator::{Config, LogType};

use crate::caller::Caller;
use crate::flat::{of, start};
use crate::tenant::roomy;

async fn ingest(caller: &Caller, rows: &[Map<String, Value>]) {
    let token = caller.token().await;
    for some in rows.chunks(200) {
        let body = serde_json::to_string(some).unwrap();
        let response = caller.ingest(&token, &body).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 204);
    }
}

#[tokio::test]
async fn missing_altered_and_unknown_rows_are_reported() {
    let (caller, all) = start(roomy(60)).await;
    let mut rows = of(&all, LogType::Authentication);
    rows.truncate(50);
    let set = |row: &mut Map<String, Value>, name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    set(&mut rows[1], "result_s", json!("xsuccess"));
    rows[2].remove("trusted_endpoint_status_s");
    set(&mut rows[3], "akey_s", json!("added"));
    set(&mut rows[4], "timestamp_d", json!("soon"));
    set(&mut rows[5], "unheard_of_s", json!("x"));
    set(&mut rows[6], "ingest_kind_s", json!("new"));
    rows[7].remove("ingest_batch_s");
    set(&mut rows[8], "event_uid_s", json!("ABC"));
    rows[9].entry("AdditionalFields").or_insert(json!({}))["invented"] = json!(1);
    let undashed = rows[10]["txid_g"].as_str().unwrap().replace('-', "");
    set(&mut rows[10], "txid_g", json!(undashed));
    set(&mut rows[11], "alias_s", json!("x".repeat(70_000)));
    set(&mut rows[12], "truncated_fields_s", json!("result"));
    set(&mut rows[13], "user_groups_s", json!("[\"Another\"]"));
    rows[14].remove("isotimestamp_t");
    ingest(&caller, &rows).await;
    let report = caller.simulator.report().await;
    let problems: Vec<_> =
        report.first_problems.iter().map(|text| text.split_once(": ").unwrap().1).collect();
    let expected = [
        "result_s differs",
        "trusted_endpoint_status_s differs",
        "akey_s (added) differs",
        "the value of timestamp_d does not fit it, and was dropped",
        "unheard_of_s is not declared, and was dropped",
        "ingest_kind is none of live, late, update, backfill",
        "ingest_batch is absent",
        "event_uid is not 40 lower-case hexadecimal digits",
        "invented differs",
        "txid_g differs",
        "alias_s is larger than the service keeps, and was truncated",
        "result_s differs",
        "user_groups_s differs",
        "isotimestamp_t differs",
    ];
    assert_eq!(problems, expected);
    assert_eq!((report.altered_rows, report.unknown_rows), (14, 0));
    let log = &report.logs[&LogType::Authentication];
    assert_eq!((log.delivered, log.missing, log.duplicates), (50, 10, 0));
    // A record without an identifier is matched by its columns, so an altered one is unknown.
    let mut rows = of(&all, LogType::Administrator);
    rows.truncate(2);
    set(&mut rows[0], "object_s", json!("another"));
    rows.push(Map::from_iter([("result_s".to_owned(), json!("success"))]));
    ingest(&caller, &rows).await;
    let report = caller.simulator.report().await;
    assert_eq!((report.altered_rows, report.unknown_rows), (14, 2));
    assert_eq!(report.logs[&LogType::Administrator].delivered, 1);
}

#[tokio::test]
async fn text_above_64_kilobytes_may_be_truncated_if_reported() {
    let config = Config { oversized_per_mille: 1_000, oversized_bytes: 120_000, ..roomy(20) };
    let (caller, all) = start(config).await;
    let mut rows = of(&all, LogType::Authentication);
    let whole = "\u{e9}x".repeat(40_000);
    let cases = [(63_999, true), (63_999, false), (32_001, true), (whole.len(), false)];
    for (row, (bytes, named)) in rows.iter_mut().zip(cases) {
        row.insert("alias_s".to_owned(), whole[..bytes].into());
        if named {
            row.insert("truncated_fields_s".to_owned(), "alias".into());
        }
    }
    ingest(&caller, &rows[..4]).await;
    let report = caller.simulator.report().await;
    assert_eq!(report.altered_rows, 3, "{:?}", report.first_problems);
    assert!(report.first_problems[2].ends_with("and was truncated"));
    assert_eq!(caller.simulator.counts().logs_ingestion.values_cut, 1);
}
