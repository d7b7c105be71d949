//! Verification of valid and invalid deliveries.

use reqwest::StatusCode;
use simulator::LogType;

use crate::caller::{Caller, row};
use crate::tenant::{roomy, window};

#[tokio::test]
async fn missing_altered_and_unknown_rows_are_reported() {
    let (caller, log) = (Caller::start(roomy(60)).await, LogType::Authentication);
    let records = caller.records(log, &window(&caller, "limit=1000&", "")).await;
    let mut rows: Vec<String> = records[..50].iter().map(|record| row(log, record, 0)).collect();
    let mut change = |row: usize, old: &str, new: &str| {
        assert!(rows[row].contains(old), "{old} in {}", rows[row]);
        rows[row] = rows[row].replace(old, new);
    };
    change(1, "\"result\":\"", "\"result\":\"x");
    change(2, "\"ingest_kind\":\"live\"", "\"ingest_kind\":\"new\"");
    change(3, "\"host\":\"127.0.0.1\"", "\"host\":\"elsewhere\"");
    change(4, "\"timestamp\":1", "\"timestamp\":2");
    change(5, "\"result\":", "\"another\":");
    change(6, "\"host\":", "\"host\":\"127.0.0.1\",\"host\":");
    change(7, "\"ingest_kind\":\"live\"", "\"ingest_kind\":\"update\"");
    rows.push("{\"eventtype\":\"activity\",\"activity_id\":\"none\"}".to_owned());
    assert_eq!(caller.deliver(&rows).await.status(), StatusCode::OK);
    let report = caller.simulator.report().await;
    let problems = &report.first_problems;
    let expected = [
        "result_s differs",
        "ingest_kind is none of live, late, update, backfill",
        "host is not the API host name",
        "timestamp_d differs",
        "result_s differs",
        "host_s occurs twice",
        "only an update has event_replaces",
        "a row with the log activity is not an event",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.ends_with(expected), "{problem}: not {expected}");
    }
    assert_eq!((report.altered_rows, report.unknown_rows), (7, 1), "{problems:?}");
    let log = &report.logs[&LogType::Authentication];
    assert_eq!((log.delivered, log.missing), (50, 10));
}
