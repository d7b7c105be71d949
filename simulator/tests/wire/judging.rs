//! What the judge makes of good and bad deliveries.

use reqwest::StatusCode;
use simulator::LogType;

use crate::caller::{Caller, row};
use crate::tenant::{roomy, window};

#[tokio::test]
async fn the_judge_sees_what_is_missing_altered_or_invented() {
    let caller = Caller::start(roomy(60)).await;
    let log = LogType::Authentication;
    let records = caller.records(log, &window(&caller, "limit=1000&", "")).await;
    let mut rows: Vec<_> = records.iter().map(|record| row(log, record, 0)).collect();
    rows.truncate(50);
    rows[1] = rows[1].replace("\"result\":\"", "\"result\":\"x");
    rows[2] = rows[2].replace("\"ingest_kind\":\"live\"", "\"ingest_kind\":\"new\"");
    rows[3] = rows[3].replace("\"host\":\"127.0.0.1\"", "\"host\":\"elsewhere\"");
    rows.push("{\"eventtype\":\"activity\",\"activity_id\":\"none\"}".to_owned());
    assert_eq!(caller.deliver(&rows).await.status(), StatusCode::OK);
    let report = caller.simulator.report().await;
    assert_eq!((report.altered_rows, report.unknown_rows), (3, 1), "{:?}", report.first_problems);
    assert_eq!((report.logs[&log].delivered, report.logs[&log].missing), (50, 10));
    assert!(report.first_problems[0].ends_with(": result differs"), "{:?}", report.first_problems);
    assert!(report.first_problems[3].contains("says it is of activity"));
}
