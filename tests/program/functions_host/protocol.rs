//! Requests and responses of the protocol.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{Body, assert_nothing_lost, get, post, running, running_with, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_delivers_all_six_logs() {
    let (simulator, mut host, _folder) = running(tenant(1, 200)).await;
    let invocation = host.fire().await;
    invocation.summary();
    assert_eq!(invocation.outcomes(), ["caught_up"; 6]);
    assert_eq!(invocation.response["Logs"], json!(["1200 events delivered; logs: 6 caught up"]));
    assert_nothing_lost(&simulator, 0).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_during_another_returns_at_once() {
    let mut config = tenant(2, 100);
    config.duo_latency = Duration::from_millis(150);
    let (simulator, host, _folder) = running(config).await;
    let first = tokio::spawn(host.begin(Body::Timer));
    while simulator.counts().duo.is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let began = Instant::now();
    let second = host.fire().await;
    assert_eq!(second.summary(), &json!({"already_running": true}));
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert!(!first.is_finished(), "the first run had already finished");
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.outcomes(), ["caught_up"; 6]);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_invocation_body_starts_a_run() {
    let (simulator, host, _folder) = running(tenant(3, 20)).await;
    let requests = || -> u64 { simulator.counts().duo.values().map(|log| log.requests).sum() };
    for body in [
        Body::FirstEver,
        Body::NoScheduleStatus,
        Body::PastDue,
        Body::Raw(Vec::new()),
        Body::Raw(b"not JSON".to_vec()),
        Body::Raw(b"null".to_vec()),
        Body::Raw(br#"{"Data":{"myTimer":"{\"IsPastDue\":\"True\"}"}}"#.to_vec()),
        Body::Raw(vec![0xff; 3 * 1024 * 1024]),
    ] {
        let (before, what) = (requests(), format!("{body:.80?}"));
        let invocation = host.fire_with(body).await;
        invocation.summary();
        assert_eq!(invocation.outcomes(), ["caught_up"; 6], "{what}");
        assert!(requests() >= before + 6, "no request reached Duo after {what}");
    }
    let past_due = |line: &String| line.contains("past due");
    assert_eq!(host.stdout().iter().filter(|line| past_due(line)).count(), 2);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_function_returns_404_with_json() {
    let (simulator, host, _folder) = running(tenant(1, 1)).await;
    for path in ["/NoSuchFunction", "/ciscoduotimer", "/api/CiscoDuoTimer"] {
        let response = post(host.port(), path, &[], b"{}").await.unwrap();
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.json()["Outputs"].is_object(), "{path}");
    }
    assert!(simulator.counts().duo.is_empty(), "a run started");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_settings_fail_each_invocation_with_one_error_line() {
    let (simulator, mut host, _folder) = running_with(tenant(1, 1), |settings, _| {
        let settings = settings.without("CISCO_DUO_SECRET_KEY");
        settings
            .with("WORKSPACE_ID", "my-workspace")
            .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "soon")
    })
    .await;
    assert_eq!(get(host.port(), "/").await.unwrap().status, 200);
    let mut invocations = Vec::new();
    for _ in 0..2 {
        let invocation = host.fire().await;
        invocation.assert_failed();
        invocations.push(invocation);
    }
    assert!(host.ended().is_none(), "the handler ended");
    assert!(simulator.counts().duo.is_empty(), "a request reached Duo");
    host.kill().await;
    let lines = host.stderr();
    // The first line is written when the handler starts.
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, invocation) in lines[1..].iter().zip(&invocations) {
        for setting in ["CISCO_DUO_SECRET_KEY", "WORKSPACE_ID", "CISCO_DUO_RUN_TIME_LIMIT_SECONDS"]
        {
            assert!(line.contains(setting), "{setting} is not in {line}");
        }
        assert!(line.contains(&invocation.id), "{line}");
    }
}
