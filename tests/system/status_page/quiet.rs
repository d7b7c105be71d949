//! Requests to the page cause no requests to Duo or Azure Monitor, and few to storage.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::common::{FunctionsHost, Proxied};
use crate::status_page::app::{App, PATH, json, page, send};
use crate::status_page::history::{every_state, now};

/// How long a response is cached.
const KEPT: Duration = Duration::from_secs(30);
/// Distance of the checks from the end of that time.
const SLACK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_reach_neither_duo_nor_azure_monitor_and_storage_once_in_30_seconds() {
    let Proxied { simulator, proxy, container, settings } = Proxied::new(42, 40, "quiet").await;
    container.create().await;
    let logs = every_state(now());
    for (name, content) in logs.iter().flat_map(crate::status_page::history::Log::files) {
        container.write(&name, content).await;
    }
    let host = FunctionsHost::start(&settings).await;
    let web = host.address();
    // A run, so that there are counts to compare with.
    host.fire().await;
    let counts = || serde_json::to_value(format!("{:?}", simulator.counts())).unwrap();
    let (before, stored) = (counts(), proxy.requests());

    let began = Instant::now();
    let first = json(&web).await;
    assert_eq!(counts(), before, "a request reached Duo or Azure Monitor");
    let reads = proxy.requests() - stored;
    // Checkpoint, health, fourteen days and the list of the ledger per log for six logs, and the
    // last check.
    assert!(reads <= 6 * 17 + 1, "{reads} requests to storage");
    let mut sent = 0;
    while sent < 300 {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            for path in [PATH, "/api/CiscoDuoStatus?format=json", "/api/CiscoDuoTimer"] {
                send(&web, method.clone(), path).await;
                sent += 1;
            }
        }
    }
    assert_eq!(counts(), before, "a request reached Duo or Azure Monitor");
    tokio::time::sleep(KEPT.saturating_sub(SLACK + began.elapsed())).await;
    assert_eq!(json(&web).await, first);
    assert!(began.elapsed() < KEPT, "the machine is too slow");
    assert_eq!(proxy.requests() - stored, reads, "storage was read again");

    tokio::time::sleep(KEPT.saturating_sub(began.elapsed()) + SLACK).await;
    let later = json(&web).await;
    assert_ne!(later["generated_at"], first["generated_at"]);
    assert_eq!(proxy.requests() - stored, 2 * reads);
    assert_eq!(counts(), before, "a request reached Duo or Azure Monitor");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instance_shows_the_same_status() {
    let app = App::start("quiet-instances", &every_state(now())).await;
    let other = FunctionsHost::start(&app.settings).await;
    let other = other.address();
    assert_eq!(timeless(json(&other).await), timeless(app.json().await));
    // Every instance shows the results of the others.
    app.host.fire().await;
    let third = FunctionsHost::start(&app.settings).await;
    let fourth = FunctionsHost::start(&app.settings).await;
    let (third, fourth) = (third.address(), fourth.address());
    let after = timeless(json(&third).await);
    assert_ne!(after, timeless(json(&other).await));
    assert_eq!(after, timeless(json(&fourth).await));
    assert!(page(&third).await.body.contains("</html>"));
}

/// The status without values that depend on the time of the request.
fn timeless(mut status: Value) -> Value {
    status["generated_at"] = Value::Null;
    for log in status["logs"].as_array_mut().unwrap() {
        log["lag_seconds"] = Value::Null;
    }
    status
}
