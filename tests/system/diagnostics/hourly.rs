//! The hourly check, run by the timer under the Functions host, on Azurite.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use duo_sentinel::model::{HOUR, MINUTE, Millis};
use duo_sentinel::status::{CheckStatus, LastCheck};
use duo_sentinel::storage::Document as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::{Fault, FaultKind, Simulator, Target};

use crate::common::app::App;
use crate::common::{Body, Container, Failure, FunctionsHost, Proxied, StorageFault, handler};

/// The name of the stored check.
pub(crate) const CHECK: &str = "127.0.0.1/self/diagnostics.json";

/// The stored check.
pub(crate) async fn stored(container: &Container) -> Value {
    container.json(CHECK).await
}

/// The log lines about a check.
pub(crate) fn lines(host: &FunctionsHost) -> Vec<String> {
    let all = host.stdout().into_iter().chain(host.stderr());
    all.filter(|line| line.contains("event=diagnostics_completed")).collect()
}

/// A check result without errors, of this age.
fn check_result(ago: TimeDelta, sha256: &str) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "the program under test uses the current time")]
    let now = Millis::from(chrono::Utc::now());
    let (checked_at, program) = (now - ago, "0.0.1".to_owned());
    let check = CheckStatus { checked_at, program, check_count: 1, errors: Vec::new() };
    LastCheck::new(Some(sha256), check).to_json()
}

fn sha256() -> String {
    hex::encode(Sha256::digest(std::fs::read(handler()).unwrap()))
}

/// Requests to Azure Monitor: one per check and per run with something to deliver.
fn posts(simulator: &Simulator) -> u64 {
    simulator.counts().log_analytics.requests
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_runs_once_an_hour_across_processes() {
    let app = App::start("hourly-once", &[]).await;
    assert_eq!(app.json().await["check"], Value::Null);
    let settings = app.settings.clone().with("CISCO_DUO_HEALTH", "off");
    let mut host = FunctionsHost::start(&settings).await;
    assert!(host.fire().await.is_caught_up());
    let first = stored(&app.container).await;
    assert_eq!(lines(&host).len(), 1);
    assert!(lines(&host)[0].contains(" INFO "), "{:?}", lines(&host));
    assert!(lines(&host)[0].contains("no errors"));
    assert_eq!(first["sha256"], sha256());
    assert!(first["check"]["check_count"].as_u64().unwrap() >= 16, "{first:#}");
    assert_eq!(first["check"]["errors"], json!([]));

    // Later runs and processes do not repeat the check. They have nothing to deliver either.
    let before = posts(&app.simulator);
    assert!(before > 0);
    for _ in 0..2 {
        for _ in 0..2 {
            assert!(host.fire().await.is_caught_up());
        }
        host.kill().await;
        host.restart().await;
    }
    assert!(host.fire().await.is_caught_up());
    assert_eq!(stored(&app.container).await, first);
    assert_eq!((posts(&app.simulator), lines(&host).len()), (before, 1));

    // After an hour the check is repeated.
    host.kill().await;
    let an_hour_ago = check_result(HOUR, &sha256());
    app.container.write(CHECK, an_hour_ago).await;
    host.restart().await;
    assert!(host.fire().await.is_caught_up());
    assert_eq!(lines(&host).len(), 2);
    let second = stored(&app.container).await;
    let checked_at = |stored: &Value| stored["check"]["checked_at"].as_str().unwrap().to_owned();
    assert!(checked_at(&second) > checked_at(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_runs_at_once_after_a_change_of_the_program() {
    let app = App::start("hourly-program", &[]).await;
    app.container.write(CHECK, check_result(MINUTE, "another program")).await;
    app.host.fire().await.summary();
    assert_eq!(lines(&app.host).len(), 1);
    let now = stored(&app.container).await;
    assert_eq!(now["sha256"], sha256());
    assert_eq!(now["check"]["program"], env!("CARGO_PKG_VERSION"));
    let status = app.json().await;
    assert_eq!(status["check"]["checked_at"], now["check"]["checked_at"]);
    assert_eq!(status["check"]["errors"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_another_process_is_valid_for_an_hour_from_its_time() {
    let app = App::start("hourly-age", &[]).await;
    let left = TimeDelta::seconds(12);
    let began = Instant::now();
    app.container.write(CHECK, check_result(HOUR - left, &sha256())).await;
    app.host.fire().await.summary();
    assert!(began.elapsed() < Duration::from_secs(12), "the machine is too slow");
    assert_eq!(lines(&app.host).len(), 0);
    tokio::time::sleep(Duration::from_secs(13).saturating_sub(began.elapsed())).await;
    app.host.fire().await.summary();
    let checks = lines(&app.host).len();
    assert_eq!(checks, 1, "the hour started again with the process");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_check_is_replaced_and_one_of_a_later_release_is_kept() {
    let app = App::start("hourly-damaged", &[]).await;
    app.container.write(CHECK, "{\"version\":1,\"check\":[").await;
    app.host.fire().await.summary();
    assert_eq!(stored(&app.container).await["version"], 1);

    let app = App::start("hourly-newer", &[]).await;
    let newer = "{\"version\":9,\"min_reader\":9,\"shape\":\"of a later release\"}";
    app.container.write(CHECK, newer).await;
    for _ in 0..2 {
        let invocation = app.host.fire().await;
        assert!(invocation.is_caught_up(), "{:#}", invocation.response);
    }
    assert_eq!(app.container.read(CHECK).await.unwrap(), newer.as_bytes());
    assert_eq!(app.json().await["check"], Value::Null);
    assert_eq!(app.page().await.status, 200);
    let stderr = app.host.stderr();
    assert!(stderr.is_empty(), "{stderr:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_with_a_hanging_check_returns_the_result_of_its_run() {
    let (by_storage, by_duo) = tokio::join!(
        async {
            let scene = Proxied::new(46, 40, "hourly-storage").await;
            scene.proxy.begin(StorageFault::every(Failure::Hang).of("", "diagnostics.json"));
            let host = FunctionsHost::start(&scene.settings).await;
            let began = Instant::now();
            let invocation = host.fire().await;
            assert!(invocation.is_caught_up(), "{:#}", invocation.response);
            began.elapsed()
        },
        async {
            let scene = Proxied::new(47, 40, "hourly-duo").await;
            let settings = scene.settings.with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "5");
            let hang = Fault::always(Target::AnyDuo, FaultKind::Hang);
            scene.simulator.faults().push(hang);
            let host = FunctionsHost::start(&settings).await;
            let began = Instant::now();
            let invocation = host.fire().await;
            assert_eq!(invocation.outcomes(), ["backing_off"; 6], "{:#}", invocation.response);
            assert!(invocation.has_succeeded());
            // The findings are stored nevertheless.
            let found = stored(&scene.container).await;
            let codes = found["check"]["errors"].as_array().unwrap().iter();
            let silent = codes.filter(|found| found["code"] == "duo_unreachable");
            assert_eq!(silent.count(), 6, "{found:#}");
            began.elapsed()
        }
    );
    // 25 s for the check, plus the run itself: the request in flight has 30 s.
    assert!(by_storage < Duration::from_secs(40), "{by_storage:?}");
    assert!(by_duo < Duration::from_secs(65), "{by_duo:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_may_check_at_the_same_time() {
    let app = App::start("hourly-two", &[]).await;
    let other = FunctionsHost::start(&app.settings).await;
    let fired = [app.host.begin(Body::Timer), other.begin(Body::Timer)];
    for invocation in futures::future::join_all(fired).await {
        let invocation = invocation.unwrap();
        assert!(invocation.has_succeeded(), "{:#}", invocation.response);
    }
    assert_eq!(stored(&app.container).await["version"], 1);
    assert!(!lines(&app.host).is_empty() || !lines(&other).is_empty());
    for host in [&app.host, &other] {
        let stderr = host.stderr();
        assert!(stderr.is_empty(), "{stderr:#?}");
    }
    // Blobs written to test the storage are removed.
    let probes = app.container.list().await;
    let probe = probes.into_iter().find(|blob| blob.name.contains("/check/"));
    assert_eq!(probe, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_refuses_the_check_affects_no_run_and_is_not_retried_every_minute() {
    let scene = Proxied::new(48, 40, "hourly-refused").await;
    let refused = Failure::Storage(403, "AuthorizationPermissionMismatch");
    scene.proxy.begin(StorageFault::every(refused).of("PUT", "diagnostics.json"));
    let host = FunctionsHost::start(&scene.settings).await;
    for _ in 0..3 {
        let invocation = host.fire().await;
        assert!(invocation.has_succeeded(), "{:#}", invocation.response);
    }
    assert!(scene.proxy.failed_count() > 0);
    assert_eq!(lines(&host).len(), 1);
    assert_eq!(scene.container.read(CHECK).await, None);
}
