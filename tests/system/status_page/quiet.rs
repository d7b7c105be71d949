//! Whoever asks makes no work: not for Duo, not for Azure Monitor, and hardly any for storage.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::common::{FunctionsHost, Gated};
use crate::status_page::app::{App, PATH, ask, json, page};
use crate::status_page::history::{every_state, now};

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(30);
/// How far from that it is looked at.
const SLACK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn many_questions_reach_neither_duo_nor_azure_monitor_and_storage_once_in_half_a_minute() {
    let Gated { simulator, gate, container, settings } = Gated::new(42, 40, "quiet").await;
    container.create().await;
    let logs = every_state(now());
    for (name, content) in logs.iter().flat_map(crate::status_page::history::Log::files) {
        container.write(&name, content).await;
    }
    let host = FunctionsHost::start(&settings).await;
    let web = host.address();
    // A run, so that there are counts to be compared with.
    host.fire().await;
    let calls = || serde_json::to_value(format!("{:?}", simulator.calls())).unwrap();
    let (before, stored) = (calls(), gate.calls());

    let began = Instant::now();
    let first = json(&web).await;
    assert_eq!(calls(), before, "somebody was called");
    let reads = gate.calls() - stored;
    // Checkpoint, health and fourteen days of each of the six logs, and the last check.
    assert!(reads <= 6 * 16 + 1, "{reads} calls to storage");
    let mut asked = 0;
    while asked < 300 {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            for path in [PATH, "/api/CiscoDuoStatus?format=json", "/api/CiscoDuoTimer"] {
                ask(&web, method.clone(), path).await;
                asked += 1;
            }
        }
    }
    assert_eq!(calls(), before, "somebody was called");
    tokio::time::sleep(KEPT.saturating_sub(SLACK + began.elapsed())).await;
    assert_eq!(json(&web).await, first);
    assert!(began.elapsed() < KEPT, "too slow to tell");
    assert_eq!(gate.calls() - stored, reads, "storage was read again");

    tokio::time::sleep(KEPT.saturating_sub(began.elapsed()) + SLACK).await;
    let later = json(&web).await;
    assert_ne!(later["generated_at"], first["generated_at"]);
    assert_eq!(gate.calls() - stored, 2 * reads);
    assert_eq!(calls(), before, "somebody was called");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instance_shows_the_same() {
    let app = App::start("quiet-instances", &every_state(now())).await;
    let other = FunctionsHost::start(&app.settings).await;
    let other = other.address();
    assert_eq!(timeless(json(&other).await), timeless(app.json().await));
    // What one instance does, every other one shows.
    app.host.fire().await;
    let third = FunctionsHost::start(&app.settings).await;
    let fourth = FunctionsHost::start(&app.settings).await;
    let (third, fourth) = (third.address(), fourth.address());
    let after = timeless(json(&third).await);
    assert_ne!(after, timeless(json(&other).await));
    assert_eq!(after, timeless(json(&fourth).await));
    assert!(page(&third).await.body.contains("</html>"));
}

/// The same without what the moment of asking changes.
fn timeless(mut status: Value) -> Value {
    status["generated_at"] = Value::Null;
    for log in status["logs"].as_array_mut().unwrap() {
        log["lag_seconds"] = Value::Null;
    }
    status
}
