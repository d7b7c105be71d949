//! The page with unreachable storage, with wrong settings, and before the first run.

use std::time::{Duration, Instant};

use duo_sentinel::model::LogType;
use futures::future::join_all;
use reqwest::Method;

use crate::common::{Azurite, Failure, FunctionsHost, Proxy, Settings, StorageFault};
use crate::status_page::app::{App, PATH, json, page, send};
use crate::status_page::history::{Log, every_state, now, usual};

/// Time limit for a response while storage does not respond.
const TIME_LIMIT: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn unavailable_storage_is_reported_in_time() {
    let app = App::start("faults-storage", &every_state(now())).await;
    let azurite = Azurite::shared();
    let failures = [
        Failure::Hang,
        Failure::Closed,
        Failure::Truncated,
        Failure::Storage(403, "AuthorizationFailure"),
        Failure::Storage(503, "ServerBusy"),
    ];
    let app = &app;
    join_all(failures.map(|failure| async move {
        let proxy = Proxy::to(&azurite.endpoint()).await;
        proxy.begin(StorageFault::every(failure));
        let storage = proxy.instead_of(&azurite.connection_string());
        let settings = app.settings.clone().with("AzureWebJobsStorage", storage);
        let host = FunctionsHost::start(&settings).await;
        let web = host.address();
        wait_for_hash(&host).await;
        let began = Instant::now();
        let status = json(&web).await;
        let shown = page(&web).await.body;
        let took = began.elapsed();
        assert!(took < TIME_LIMIT, "{failure:?}: {took:?}");
        for log in status["logs"].as_array().unwrap() {
            let actual = (&log["state"], &log["code"]);
            assert_eq!(actual, (&"unreadable".into(), &"state".into()), "{failure:?}");
        }
        assert!(shown.contains("6 logs need attention"), "{shown}");
        assert!(shown.contains("The stored state cannot be read or written."));
        assert!(shown.contains("Check the storage account of AzureWebJobsStorage"));
    }))
    .await;
}

/// Waits until the program has computed its SHA-256, which takes seconds in a debug build.
async fn wait_for_hash(host: &FunctionsHost) {
    while !host.stdout().iter().any(|line| line.contains("sha256")) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_log_does_not_hide_the_others() {
    let app = App::start("faults-one", &every_state(now())).await;
    let checkpoint = "127.0.0.1/self/telephony/checkpoint.json";
    app.container.write(checkpoint, "{\"min_reader\": 9}").await;
    let status = app.json().await;
    let state = |log: &serde_json::Value| log["state"].as_str().unwrap().to_owned();
    let shown: Vec<String> = status["logs"].as_array().unwrap().iter().map(state).collect();
    assert_eq!(
        shown,
        ["working", "backing_off", "unreadable", "unavailable", "silent", "catching_up"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_listed_without_secrets() {
    let app = App::start("faults-settings", &[]).await;
    let settings = app
        .settings
        .clone()
        .without("CISCO_DUO_INTEGRATION_KEY")
        .with("WORKSPACE_ID", "my-workspace")
        .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "soon");
    let host = FunctionsHost::start(&settings).await;
    let web = host.address();
    let shown = page(&web).await.body;
    let status = json(&web).await;
    let error = status["error"].as_str().unwrap();
    assert_eq!(status["version"], 1);
    for text in [&*shown, error] {
        for setting in
            ["CISCO_DUO_INTEGRATION_KEY", "WORKSPACE_ID", "CISCO_DUO_RUN_TIME_LIMIT_SECONDS"]
        {
            assert!(text.contains(setting), "{setting} is not in {text}");
        }
        crate::status_page::privacy::assert_no_secret(text, &settings);
    }
    assert!(shown.contains("Nothing is collected: the settings cannot be used."));
    // Errors in the query are reported before errors in the settings.
    let odd = format!("{PATH}?format=xml");
    let response = send(&web, Method::GET, &odd).await;
    assert_eq!(response.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_run_and_without_a_container_no_run_is_reported() {
    let app = App::start("faults-fresh", &[]).await;
    let settings: Settings = app.settings.clone().with("CISCO_DUO_CONTAINER", "faults-none");
    let bare = FunctionsHost::start(&settings).await;
    for web in [app.web.clone(), bare.address()] {
        let status = json(&web).await;
        for log in status["logs"].as_array().unwrap() {
            assert_eq!(log["state"], "new");
        }
        let shown = page(&web).await.body;
        assert!(shown.contains("no run yet"), "{shown}");
        assert!(!shown.contains("need attention"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_the_logs_do_and_lists_unknown_hours() {
    let mut logs = usual(now());
    let app = App::start("faults-usual", &logs).await;
    let shown = app.page().await.body;
    assert!(shown.contains("1 log is backing off. No action needed."), "{shown}");
    assert!(!shown.contains("Completeness unknown"), "{shown}");
    logs[5] = Log::working(LogType::Activity, 640, now()).unknown(120).behind(3);
    let app = App::start("faults-unknown", &logs).await;
    let shown = app.page().await.body;
    assert!(shown.contains("Completeness is unknown for some hours; see below."), "{shown}");
    assert_eq!(shown.matches("Completeness unknown").count(), 1, "{shown}");
}
