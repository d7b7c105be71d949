//! What the judge makes of deliveries through the Logs Ingestion API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use simulator::{Config, LogType, LogsIngestionConfig};

use crate::caller::Caller;
use crate::flat::{declaration, flat_row};
use crate::tenant::{all_records, roomy};

/// A tenant with a stream that declares what its events have, and the events.
async fn start(config: Config) -> (Caller, Vec<(LogType, String)>) {
    let scout = Caller::start(config.clone()).await;
    let records = all_records(&scout).await;
    let logs_ingestion = LogsIngestionConfig {
        streams: vec![declaration(&records)],
        ..LogsIngestionConfig::default()
    };
    let config = Config { logs_ingestion, ..config };
    (Caller::start(config).await, records)
}

fn rows_of(records: &[(LogType, String)]) -> Vec<Map<String, Value>> {
    let mut copies = BTreeMap::new();
    let row = |(log, record): &(LogType, String)| {
        let copy: &mut usize = copies.entry(record.clone()).or_default();
        *copy += 1;
        flat_row(*log, record, *copy - 1)
    };
    records.iter().map(row).collect()
}

async fn ingest(caller: &Caller, rows: &[Map<String, Value>]) {
    let token = caller.token().await;
    for some in rows.chunks(200) {
        let body = serde_json::to_string(some).unwrap();
        let answer = caller.ingest(&token, &body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 204);
    }
}

#[tokio::test]
async fn the_judge_sees_what_is_missing_altered_or_invented() {
    let (caller, records) = start(roomy(60)).await;
    let of = |log| {
        let records = records.iter().filter(move |record| record.0 == log);
        rows_of(&records.cloned().collect::<Vec<_>>())
    };
    let mut rows = of(LogType::Authentication);
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
        "ingest_kind is none of live, late, backfill",
        "ingest_batch is absent",
        "event_uid is not 40 lower-case hexadecimal digits",
        "invented differs",
        "txid_g differs",
        "alias_s is larger than the service keeps, and was cut",
        "result_s differs",
        "user_groups_s differs",
        "isotimestamp_t differs",
    ];
    assert_eq!(problems, expected);
    assert_eq!((report.altered_rows, report.unknown_rows), (14, 0));
    let log = &report.logs[&LogType::Authentication];
    assert_eq!((log.delivered, log.missing, log.duplicates), (50, 10, 0));
    // A record without an identifier is matched by its columns, so an altered one is unknown.
    let mut rows = of(LogType::Administrator);
    rows.truncate(2);
    set(&mut rows[0], "object_s", json!("another"));
    rows.push(Map::from_iter([("result_s".to_owned(), json!("success"))]));
    ingest(&caller, &rows).await;
    let report = caller.simulator.report().await;
    assert_eq!((report.altered_rows, report.unknown_rows), (14, 2));
    assert_eq!(report.logs[&LogType::Administrator].delivered, 1);
}

#[tokio::test]
async fn a_text_of_more_than_64_kilobytes_may_be_cut_if_that_is_said() {
    let config = Config { oversized_per_mille: 1_000, oversized_bytes: 120_000, ..roomy(20) };
    let (caller, records) = start(config).await;
    let mut rows = rows_of(&records);
    rows.retain(|row| row["eventtype_s"] == "authentication");
    let whole = rows[0]["alias_s"].as_str().unwrap().to_owned();
    assert!(whole.len() > 100_000);
    let cut = |row: &mut Map<String, Value>, bytes: usize, named: bool| {
        let text = row["alias_s"].as_str().unwrap()[..bytes].to_owned();
        row.insert("alias_s".to_owned(), text.into());
        if named {
            row.insert("truncated_fields_s".to_owned(), "alias".into());
        }
    };
    cut(&mut rows[0], 63_999, true);
    cut(&mut rows[1], 63_999, false);
    cut(&mut rows[2], 32_001, true);
    ingest(&caller, &rows[..4]).await;
    let report = caller.simulator.report().await;
    assert_eq!(report.altered_rows, 3, "{:?}", report.first_problems);
    assert!(report.first_problems[2].ends_with("and was cut"));
    assert_eq!(caller.simulator.calls().logs_ingestion.values_cut, 1);
}
