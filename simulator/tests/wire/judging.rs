//! What the judge makes of good and bad deliveries.

use chrono::TimeDelta;
use reqwest::StatusCode;
use simulator::{Config, Fault, FaultKind, LogType, Target};

use crate::caller::{Caller, row};
use crate::tenant::{deliver_all, roomy, window};

#[tokio::test]
async fn the_judge_finds_nothing_wrong_with_a_correct_connector() {
    let caller = Caller::start(roomy(400)).await;
    let rows = deliver_all(&caller).await;
    let report = caller.simulator.report().await;
    assert_eq!(report.first_problems, [""; 0]);
    assert!(report.is_complete());
    assert_eq!(
        (report.shown(), report.delivered(), report.duplicates()),
        (2_400, 2_400, 0)
    );
    // Identical records are two events; the same row again is a duplicate.
    caller.deliver(&rows[..50]).await;
    let again: Vec<_> = rows
        .iter()
        .filter(|it| it.contains("\"administrator\""))
        .cloned()
        .collect();
    caller.deliver(&again).await;
    let report = caller.simulator.report().await;
    assert_eq!(report.first_problems, [""; 0]);
    assert_eq!((report.delivered(), report.duplicates()), (2_400, 450));
    assert_eq!(report.logs[&LogType::Administrator].duplicates, 400);
}

#[tokio::test]
async fn the_judge_sees_what_is_missing_altered_or_invented() {
    let caller = Caller::start(roomy(60)).await;
    let log = LogType::Authentication;
    let records = caller
        .records(log, &window(&caller, "limit=1000&", ""))
        .await;
    let mut rows: Vec<_> = records.iter().map(|record| row(log, record, 0)).collect();
    rows.truncate(50);
    rows[1] = rows[1].replace("\"result\":\"", "\"result\":\"x");
    rows[2] = rows[2].replace("\"ingest_kind\":\"live\"", "\"ingest_kind\":\"new\"");
    rows[3] = rows[3].replace("\"host\":\"127.0.0.1\"", "\"host\":\"elsewhere\"");
    rows.push("{\"eventtype\":\"activity\",\"activity_id\":\"none\"}".to_owned());
    assert_eq!(caller.deliver(&rows).await.status(), StatusCode::OK);
    let report = caller.simulator.report().await;
    assert_eq!(
        (report.altered_rows, report.unknown_rows),
        (3, 1),
        "{:?}",
        report.first_problems
    );
    assert_eq!(
        (report.logs[&log].delivered, report.logs[&log].missing),
        (50, 10)
    );
    assert!(
        report.first_problems[0].ends_with(": result differs"),
        "{:?}",
        report.first_problems
    );
    assert!(report.first_problems[3].contains("says it is of activity"));
}

#[tokio::test]
async fn a_lone_surrogate_is_judged_like_any_other_event() {
    let caller = Caller::start(roomy(60)).await;
    for log in LogType::ALL {
        caller
            .simulator
            .faults()
            .push(Fault::once(Target::Duo(log), FaultKind::LoneSurrogate));
    }
    let rows = deliver_all(&caller).await;
    assert_eq!(rows.iter().filter(|row| row.contains("\\ud800")).count(), 6);
    let report = caller.simulator.report().await;
    assert_eq!(report.first_problems, [""; 0]);
    assert!(report.is_complete() && report.duplicates() == 0);
}

#[tokio::test]
async fn accepted_rows_of_every_table_are_kept_one_a_line() {
    let folder = std::env::temp_dir().join(format!("simulator-rows-{}", std::process::id()));
    let config = Config {
        rows_dir: Some(folder.clone()),
        ..roomy(60)
    };
    let caller = Caller::start(config).await;
    let rows = deliver_all(&caller).await;
    let health = caller.post("[{\"a\":1},\n{\"b\":\n2}]");
    // A header given twice counts with its first value, so this one has to be taken out.
    let mut health = health.build().unwrap();
    health
        .headers_mut()
        .insert("log-type", "CiscoDuoHealth".parse().unwrap());
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .execute(health)
        .await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    let report = caller.simulator.report().await;
    assert!(report.is_complete(), "{:?}", report.first_problems);
    let tables = caller.simulator.calls().log_analytics.rows;
    assert_eq!(
        (tables["CiscoDuo_CL"], tables["CiscoDuoHealth_CL"]),
        (360, 2)
    );
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("CiscoDuo_CL.ndjson"), rows.join("\n") + "\n");
    assert_eq!(read("CiscoDuoHealth_CL.ndjson"), "{\"a\":1}\n{\"b\":2}\n");
    caller.simulator.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn late_events_appear_and_are_counted_once_their_time_has_come() {
    let late_by = std::time::Duration::from_secs(48 * 3_600);
    let config = Config {
        late_per_mille: 100,
        late_by,
        ..roomy(400)
    };
    let caller = Caller::start(config).await;
    let before = caller.simulator.report().await;
    assert!((1_900..2_400).contains(&before.shown()));
    deliver_all(&caller).await;
    assert_eq!(caller.simulator.report().await.missing(), 0);
    caller.simulator.clock().advance(TimeDelta::hours(48));
    let after = caller.simulator.report().await;
    assert_eq!(
        (after.shown(), after.missing()),
        (2_400, 2_400 - before.shown())
    );
}
