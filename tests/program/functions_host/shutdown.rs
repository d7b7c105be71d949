//! Shutdown and restart of the process.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::{LogType, Simulator};

use tokio::process::Command;

use crate::common::{
    Body, RESTART, Settings, binary, checkpoint_name, free_port, get, running, temporary_folder,
    tenant,
};

/// Longest wait for a server started without a host.
const START: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_handler_exits_with_code_200_after_a_signal() {
    let (_simulator, mut host, _folder) = running(tenant(1, 1)).await;
    for signal in ["TERM", "INT"] {
        let began = Instant::now();
        host.signal(signal).await;
        assert_eq!(host.wait().await.code(), Some(RESTART), "after {signal}");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?} after {signal}");
        host.restart().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_host_the_server_exits_with_code_0_after_a_signal() {
    let simulator = Simulator::start(tenant(1, 1)).await.unwrap();
    let folder = temporary_folder();
    let settings = Settings::in_folder(&simulator, folder.path());
    for signal in ["TERM", "INT"] {
        let port = free_port();
        let mut server = Command::new(binary())
            .args(["serve", "--port", &port.to_string()])
            .env_clear()
            .envs(settings.iter())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let began = Instant::now();
        while get(port, "/").await.is_err() {
            assert!(began.elapsed() < START, "no response");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let id = server.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().await;
        assert!(sent.unwrap().success());
        assert_eq!(server.wait().await.unwrap().code(), Some(0), "after {signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_signal_a_run_stops_at_its_next_commit_and_the_handler_exits_with_code_200() {
    let mut config = tenant(5, 600);
    config.duo_latency = Duration::from_millis(40);
    let (simulator, mut host, folder) = running(config).await;
    for signal in ["TERM", "INT"] {
        let run = tokio::spawn(host.begin(Body::Timer));
        let posts = simulator.counts().log_analytics.accepted;
        while simulator.counts().log_analytics.accepted < posts + 8 {
            assert!(!run.is_finished(), "the run is too short for this test");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        host.signal(signal).await;
        let invocation = run.await.unwrap().expect("the current run responds");
        invocation.summary();
        assert_eq!(invocation.outcomes(), ["more_to_fetch"; 6], "after {signal}");
        assert_eq!(host.wait().await.code(), Some(RESTART), "after {signal}");
        for log in LogType::ALL {
            let checkpoint = folder.path().join(checkpoint_name(log.name()));
            let checkpoint: Value = serde_json::from_slice(&fs::read(checkpoint).unwrap()).unwrap();
            assert!(checkpoint["lease"].is_null(), "{checkpoint:#}");
        }
        host.restart().await;
    }
    host.deliver_all(&simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_is_reused_immediately_after_a_kill() {
    let mut config = tenant(6, 100);
    config.duo_latency = Duration::from_millis(50);
    let (_simulator, mut host, _folder) = running(config).await;
    for _ in 0..3 {
        // With an open connection, so that one side of it lingers in the kernel.
        let run = tokio::spawn(host.begin(Body::Timer));
        tokio::time::sleep(Duration::from_millis(100)).await;
        host.kill().await;
        assert!(run.await.unwrap().is_err(), "the run had already finished");
        host.restart().await;
        assert!(host.ready_after < Duration::from_secs(1), "{:?}", host.ready_after);
    }
}
