//! What the judge makes of good and bad deliveries.

use reqwest::StatusCode;
use simulator::{Config, LogType};

use crate::caller::{Caller, row};
use crate::tenant::{roomy, window};

/// A tenant and the rows of its authentication events.
async fn start(config: Config) -> (Caller, Vec<String>) {
    let (caller, log) = (Caller::start(config).await, LogType::Authentication);
    let records = caller.records(log, &window(&caller, "limit=1000&", "")).await;
    let rows = records.iter().map(|record| row(log, record, 0)).collect();
    (caller, rows)
}

#[tokio::test]
async fn the_judge_sees_what_is_missing_altered_or_invented() {
    let (caller, mut rows) = start(roomy(60)).await;
    rows.truncate(50);
    let mut change = |place: usize, old: &str, new: &str| {
        assert!(rows[place].contains(old), "{old} in {}", rows[place]);
        rows[place] = rows[place].replace(old, new);
    };
    change(1, "\"result\":\"", "\"result\":\"x");
    change(2, "\"ingest_kind\":\"live\"", "\"ingest_kind\":\"new\"");
    change(3, "\"host\":\"127.0.0.1\"", "\"host\":\"elsewhere\"");
    change(4, "\"timestamp\":1", "\"timestamp\":2");
    change(5, "\"result\":", "\"another\":");
    change(6, "\"host\":", "\"host\":\"127.0.0.1\",\"host\":");
    rows.push("{\"eventtype\":\"activity\",\"activity_id\":\"none\"}".to_owned());
    assert_eq!(caller.deliver(&rows).await.status(), StatusCode::OK);
    let report = caller.simulator.report().await;
    let problems = &report.first_problems;
    let expected = [
        "result_s differs",
        "ingest_kind is none of live, late, backfill",
        "host is not the API host name",
        "timestamp_d differs",
        "result_s differs",
        "host_s occurs twice",
        "a row that says it is of activity is no event",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.ends_with(expected), "{problem}: not {expected}");
    }
    assert_eq!((report.altered_rows, report.unknown_rows), (6, 1), "{problems:?}");
    let log = &report.logs[&LogType::Authentication];
    assert_eq!((log.delivered, log.missing), (50, 10));
}

#[tokio::test]
async fn a_text_of_more_than_32_kilobytes_may_be_cut_if_that_is_said() {
    let config = Config { oversized_per_mille: 1_000, oversized_bytes: 60_000, ..roomy(20) };
    let (caller, mut rows) = start(config).await;
    let whole = "\u{e9}x".repeat(20_000);
    let cases = [(31_998, "alias"), (31_998, "result"), (30_000, "alias"), (whole.len(), "alias")];
    for (row, (bytes, named)) in rows.iter_mut().zip(cases) {
        *row = row.replace(&whole, &whole[..bytes]);
        *row = format!("{{\"truncated_fields\":\"{named}\",{}", &row[1..]);
    }
    assert_eq!(caller.deliver(&rows[..4]).await.status(), StatusCode::OK);
    let report = caller.simulator.report().await;
    assert_eq!(report.altered_rows, 3, "{:?}", report.first_problems);
    assert!(report.first_problems[2].ends_with("and was cut"));
    assert_eq!(caller.simulator.calls().log_analytics.values_cut, 1);
}
