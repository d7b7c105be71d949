//! Faults as a real client meets them.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use simulator::{Fault, FaultKind, LogType, Target};

use crate::caller::{Caller, row};
use crate::tenant::{roomy, window};

#[tokio::test]
async fn duo_faults_look_real_to_a_client() {
    let caller = Caller::start(roomy(60)).await;
    let log = LogType::Authentication;
    let query = window(&caller, "limit=1000&", "");
    let strike = |kind| {
        caller
            .simulator
            .faults()
            .push(Fault::once(Target::Duo(log), kind));
    };
    strike(FaultKind::Reset);
    let error = caller.duo(log, &query).send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    strike(FaultKind::Truncated);
    let answer = caller.duo(log, &query).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.content_length().unwrap() > 50_000);
    assert!(answer.bytes().await.is_err());
    strike(FaultKind::Hang);
    let impatient = caller.duo(log, &query).timeout(Duration::from_millis(300));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    strike(FaultKind::TooManyRequests {
        retry_after: Some(7),
    });
    let answer = caller.duo(log, &query).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    strike(FaultKind::NotJson);
    assert!(
        caller
            .duo(log, &query)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("<html>")
    );
    strike(FaultKind::BadDate { offset: None });
    assert!(
        !caller
            .duo(log, &query)
            .send()
            .await
            .unwrap()
            .headers()
            .contains_key("date")
    );
    strike(FaultKind::Forbidden);
    let (status, body) = caller.ask(log, &query).await;
    assert_eq!((status.as_u16(), &body["code"]), (403, &json!(40_301)));
    strike(FaultKind::EmptyCode);
    assert_eq!(caller.ask(log, &query).await.1["code"], "");
    strike(FaultKind::WrongEnvelope);
    assert_eq!(caller.ask(log, &query).await.1, json!({"unexpected": []}));
    strike(FaultKind::NotAnObject);
    let page = caller.ask(log, &query).await.1;
    assert!(
        page["authlogs"]
            .as_array()
            .unwrap()
            .contains(&json!("not an event"))
    );
    strike(FaultKind::ShortCount);
    let page = caller.ask(log, &query).await.1;
    assert_eq!(page["authlogs"].as_array().unwrap().len(), 59);
    assert_eq!(page["metadata"]["total_objects"], 60);
    let next = page["metadata"]["next_offset"].as_array().unwrap();
    let next = next
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("%2C");
    let with_cursor = format!("{}&next_offset={next}", window(&caller, "limit=1000&", ""));
    strike(FaultKind::WrongCount(-7));
    let page = caller.ask(log, &query).await.1;
    assert_eq!(page["metadata"]["total_objects"], 53);
    // The same records to whoever reads them as JSON.
    let records = page["authlogs"].clone();
    strike(FaultKind::KeyOrder);
    assert_eq!(caller.ask(log, &query).await.1["authlogs"], records);
    strike(FaultKind::RepeatCursor);
    let repeated = caller.ask(log, &with_cursor).await.1;
    assert_eq!(
        repeated["metadata"]["next_offset"],
        page["metadata"]["next_offset"]
    );
    strike(FaultKind::BadCursor);
    assert_eq!(
        caller.ask(log, &with_cursor).await.0,
        StatusCode::BAD_REQUEST
    );
    strike(FaultKind::Latency(Duration::from_millis(50)));
    assert_eq!(caller.ask(log, &with_cursor).await.0, StatusCode::OK);
    assert_eq!(caller.simulator.faults().pending(), 0);
    assert_eq!(caller.simulator.calls().duo[&log].struck, 16);
    caller.simulator.stop().await;
}

#[tokio::test]
async fn a_lost_answer_leaves_the_rows_accepted() {
    let caller = Caller::start(roomy(60)).await;
    let log = LogType::Telephony;
    let records = caller
        .records(log, &window(&caller, "limit=1000&", ""))
        .await;
    let rows: Vec<_> = records.iter().map(|record| row(log, record, 0)).collect();
    let body = format!("[{}]", rows.join(","));
    let faults = caller.simulator.faults();
    faults.push(Fault::once(Target::LogAnalytics, FaultKind::AnswerLost));
    assert!(caller.post(&body).send().await.is_err());
    assert_eq!(caller.simulator.report().await.logs[&log].delivered, 60);
    faults.push(Fault::once(Target::LogAnalytics, FaultKind::Reset));
    assert!(caller.post(&body).send().await.is_err());
    assert_eq!(caller.simulator.report().await.logs[&log].duplicates, 0);
    faults.push(Fault::once(Target::LogAnalytics, FaultKind::TooLarge));
    assert_eq!(
        caller.post(&body).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    let needle = "telephony_id".to_owned();
    faults.push(Fault::always(
        Target::LogAnalytics,
        FaultKind::InvalidRecord { needle },
    ));
    assert_eq!(
        caller.post(&body).send().await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    faults.clear();
    assert_eq!(
        caller.post(&body).send().await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(caller.simulator.report().await.logs[&log].duplicates, 60);
}
