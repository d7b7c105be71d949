//! Paging, totals, refusals and the rate limit of the Duo side.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::{Config, LogType};

use crate::caller::Caller;
use crate::tenant::{config, window};

/// Walks a v2 log to its end; returns all records and the number of pages.
async fn walk(caller: &Caller, log: LogType, sort: &str) -> (Vec<Value>, usize) {
    let (mut records, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let query = window(caller, "limit=1000&", &format!("{cursor}&sort=ts%3A{sort}"));
        let (status, response) = caller.ask(log, &query).await;
        assert_eq!(status, StatusCode::OK, "{response}");
        let list = if log == LogType::Authentication {
            "authlogs"
        } else {
            "items"
        };
        let page = response[list].as_array().unwrap();
        records.extend(page.iter().cloned());
        pages += 1;
        let next = match &response["metadata"]["next_offset"] {
            Value::Null => return (records, pages),
            Value::String(text) => text.clone(),
            Value::Array(two) => two
                .iter()
                .map(|it| it.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(","),
            other => panic!("{other}"),
        };
        assert!(!page.is_empty(), "an empty page has no cursor");
        cursor = format!("&next_offset={}", next.replace(',', "%2C"));
    }
}

#[tokio::test]
async fn v2_pages_hold_every_event_once_in_order() {
    let caller = Caller::start(config(300)).await;
    for (log, id, time, empty_page) in [
        (LogType::Authentication, "txid", "isotimestamp", 1),
        (LogType::Activity, "activity_id", "ts", 1),
        (LogType::Telephony, "telephony_id", "ts", 0),
    ] {
        let (records, pages) = walk(&caller, log, "asc").await;
        assert_eq!(pages, 300_usize.div_ceil(37) + empty_page, "{log}");
        let keys: Vec<_> = records
            .iter()
            .map(|it| {
                (
                    it[time].as_str().unwrap()[..23].to_owned(),
                    it[id].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 300);
        let (mut backwards, _) = walk(&caller, log, "desc").await;
        backwards.reverse();
        assert_eq!(backwards, records);
    }
}

#[tokio::test]
async fn trust_monitor_pages_by_offset_and_ignores_next_offset() {
    {
        let caller = Caller::start(config(90)).await;
        let (mut keys, mut offset, mut pages) = (BTreeSet::new(), String::new(), 0);
        loop {
            let query = window(&caller, "limit=200&", &offset);
            let (_, response) = caller.ask(LogType::TrustMonitor, &query).await;
            let events = response["events"].as_array().unwrap();
            keys.extend(
                events
                    .iter()
                    .map(|it| it["sekey"].as_str().unwrap().to_owned()),
            );
            pages += 1;
            match &response["metadata"]["next_offset"] {
                Value::Null => break,
                Value::String(text) => offset = format!("&offset={text}"),
                number => offset = format!("&offset={number}"),
            }
        }
        assert_eq!((keys.len(), pages), (90, 3));
        let first = caller
            .ask(LogType::TrustMonitor, &window(&caller, "", ""))
            .await;
        let ignored = window(&caller, "", "&next_offset=31010");
        assert_eq!(caller.ask(LogType::TrustMonitor, &ignored).await, first);
    }
}

#[tokio::test]
async fn v1_gives_the_earliest_records_in_no_order_and_nothing_for_milliseconds() {
    let caller = Caller::start(config(300)).await;
    let start = caller.simulator.config().from.timestamp();
    let log = LogType::Administrator;
    let (_, page) = caller.ask(log, &format!("mintime={start}")).await;
    let times: Vec<_> = page
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["timestamp"].as_i64().unwrap())
        .collect();
    assert!((99..=101).contains(&times.len()));
    assert!(!times.is_sorted());
    let last = times.iter().max().unwrap();
    let (_, rest) = caller.ask(log, &format!("mintime={}", last + 1)).await;
    assert!(
        rest.as_array()
            .unwrap()
            .iter()
            .all(|it| it["timestamp"].as_i64() > Some(*last))
    );
    let (status, none) = caller.ask(log, &format!("mintime={start}000")).await;
    assert_eq!((status, none), (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn callers_who_break_a_rule_get_duo_s_codes() {
    let caller = Caller::start(config(50)).await;
    let log = LogType::Activity;
    let good = window(&caller, "", "");
    let now = caller.simulator.clock().now();
    let code = |response: reqwest::Response| async move {
        let status = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["stat"], "FAIL");
        (status, body["code"].as_u64().unwrap())
    };
    let url = format!("{}{}?{good}", caller.simulator.duo_url(), log.path());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(
        code(http.get(&url).send().await.unwrap()).await,
        (401, 40_101)
    );
    let stranger = http
        .get(&url)
        .basic_auth("DIX", Some("00"))
        .send()
        .await
        .unwrap();
    assert_eq!(code(stranger).await, (401, 40_102));
    let undated = http
        .get(&url)
        .basic_auth("DIFAKEFAKEFAKEFAKE01", Some("00"));
    assert_eq!(code(undated.send().await.unwrap()).await, (401, 40_104));
    let old = caller
        .duo_dated(log, &good, now - TimeDelta::minutes(6))
        .send()
        .await
        .unwrap();
    assert_eq!(code(old).await, (401, 40_105));
    // Signed in another order than the canonical one
    let unsorted = caller.duo(log, &good.split('&').rev().collect::<Vec<_>>().join("&"));
    assert_eq!(code(unsorted.send().await.unwrap()).await, (401, 40_103));
    let elsewhere = format!("{}/admin/v3/logs/activity", caller.simulator.duo_url());
    assert_eq!(
        code(http.get(elsewhere).send().await.unwrap()).await,
        (404, 40_401)
    );
    assert_eq!(
        code(http.post(&url).send().await.unwrap()).await,
        (405, 40_501)
    );
    for after in [
        "&sort=ts",
        "&next_offset=17,x",
        "&next_offset=%5B%221%22%5D",
    ] {
        let answer = caller
            .duo(log, &window(&caller, "", after))
            .send()
            .await
            .unwrap();
        assert_eq!(
            code(answer).await.1,
            if after.contains(',') { 40_103 } else { 40_002 }
        );
    }
    let calls = caller.simulator.calls();
    assert_eq!(
        (calls.duo[&log].unauthorized, calls.duo[&log].refused),
        (6, 2)
    );
}

#[tokio::test]
async fn the_rate_limit_is_per_endpoint_and_passes_with_simulated_time() {
    let config = Config {
        calls_per_minute: Some(2),
        ..config(50)
    };
    let caller = Caller::start(config).await;
    let query = window(&caller, "", "");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(caller.ask(LogType::Telephony, &query).await.0.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(
        caller.ask(LogType::Activity, &query).await.0,
        StatusCode::OK
    );
    caller.simulator.clock().advance(TimeDelta::seconds(61));
    assert_eq!(
        caller.ask(LogType::Telephony, &query).await.0,
        StatusCode::OK
    );
}
