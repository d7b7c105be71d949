//! What the page says when storage does not answer, when the settings are wrong, and when no run was yet.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;

use crate::common::{Azurite, FunctionsHost, Gate, Settings, Spoil, StorageFault};
use crate::status_page::app::{App, PATH, ask, json, page};
use crate::status_page::history::{every_state, now};

/// Longest time that an answer takes while storage does not answer.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn while_storage_is_down_page_and_json_say_so_in_time() {
    let app = App::start("faults-storage", &every_state(now())).await;
    let azurite = Azurite::shared();
    let spoils = [
        Spoil::Hang,
        Spoil::Closed,
        Spoil::Cut,
        Spoil::Storage(403, "AuthorizationFailure"),
        Spoil::Storage(503, "ServerBusy"),
    ];
    let app = &app;
    join_all(spoils.map(|spoil| async move {
        let gate = Gate::to(&azurite.endpoint()).await;
        gate.begin(StorageFault::every(spoil));
        let storage = gate.instead_of(&azurite.connection_string());
        let settings = app.settings.clone().with("AzureWebJobsStorage", storage);
        let host = FunctionsHost::start(&settings).await;
        let web = host.address();
        knows_itself(&host).await;
        let began = Instant::now();
        let status = json(&web).await;
        let shown = page(&web).await.body;
        let took = began.elapsed();
        assert!(took < PATIENCE, "{spoil:?}: {took:?}");
        for log in status["logs"].as_array().unwrap() {
            let told = (&log["state"], &log["code"]);
            assert_eq!(told, (&"unreadable".into(), &"state".into()), "{spoil:?}");
        }
        assert!(shown.contains("6 logs need attention"), "{shown}");
        assert!(shown.contains("The stored state cannot be read or written."));
        assert!(shown.contains("Check the storage account of AzureWebJobsStorage"));
    }))
    .await;
}

/// Waits until the program knows its own SHA-256, which takes seconds where it is built for debugging.
async fn knows_itself(host: &FunctionsHost) {
    while !host.stdout().iter().any(|line| line.contains("sha256")) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_log_that_cannot_be_read_hides_no_other() {
    let app = App::start("faults-one", &every_state(now())).await;
    let checkpoint = "127.0.0.1/self/telephony/checkpoint.json";
    app.container.write(checkpoint, "{\"min_reader\": 9}").await;
    let status = app.json().await;
    let state = |log: &serde_json::Value| log["state"].as_str().unwrap().to_owned();
    let told: Vec<String> = status["logs"].as_array().unwrap().iter().map(state).collect();
    assert_eq!(
        told,
        ["working", "backing_off", "unreadable", "unavailable", "silent", "catching_up"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named_without_a_secret() {
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
    let fault = status["fault"].as_str().unwrap();
    assert_eq!(status["version"], 1);
    for text in [&*shown, fault] {
        for setting in
            ["CISCO_DUO_INTEGRATION_KEY", "WORKSPACE_ID", "CISCO_DUO_RUN_TIME_LIMIT_SECONDS"]
        {
            assert!(text.contains(setting), "{setting} is not in {text}");
        }
        crate::status_page::privacy::assert_no_secret(text, &settings);
    }
    assert!(shown.contains("Nothing is collected: the settings cannot be used."));
    // What is wrong with the question is told before what is wrong with the settings.
    let odd = format!("{PATH}?format=xml");
    let answer = ask(&web, Method::GET, &odd).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_run_and_without_a_container_it_says_that_there_was_no_run() {
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
