//! After an interruption, the same command resumes.

use std::process::Output;
use std::time::Duration;

use simulator::{Fault, FaultKind, Target};

use crate::backfill::{Scene, parsed, stderr};
use crate::common::{PAGE, assert_nothing_lost};

/// Maximum rows delivered but not yet covered by a checkpoint: one page per log.
const UNCOMMITTED: u64 = 6 * PAGE;

#[tokio::test(flavor = "multi_thread")]
async fn kills_duplicate_one_batch_per_log_at_most_and_lose_nothing() {
    let scene = Scene::new("killed", 111, |config| simulator::Config {
        volumes: simulator::LogType::ALL.map(|log| (log, 900)).into(),
        duo_latency: Duration::from_millis(60),
        ..config
    })
    .await;
    scene.catch_up_live().await;
    let mut kills = 0;
    let delivered = async || scene.simulator.report().await.delivered();
    let mut before = delivered().await;
    while kills < 3 {
        let mut backfill = scene.spawn(&["--from", &scene.from()]);
        // In the middle, with checkpoints after at least three pages.
        while delivered().await < before + UNCOMMITTED + 3 * PAGE {
            assert!(backfill.try_wait().unwrap().is_none(), "the backfill has already ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        backfill.kill().await.unwrap();
        kills += 1;
        before = delivered().await;
    }
    assert!(!scene.checkpoints().await.is_empty(), "no checkpoint was kept");
    let last = scene.succeed(&["--from", &scene.from(), "--json"]).await;
    assert_nothing_lost(&scene.simulator, kills * UNCOMMITTED).await;
    assert_eq!(scene.checkpoints().await, Vec::<String>::new());
    // The backfill did not start again: reading the same hours without a kill takes more pages.
    let whole = scene.succeed(&["--from", &scene.from(), "--json", "--resend"]).await;
    let (last, whole) = (pages(&last), pages(&whole));
    assert!(last + 3 * kills <= whole, "{last} pages of {whole}");
}

fn pages(output: &Output) -> u64 {
    parsed(output).iter().map(|done| done["pages"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_backfill_stops_at_a_commit_with_a_hint() {
    let scene = Scene::new("interrupted", 112, |config| simulator::Config {
        duo_latency: Duration::from_millis(100),
        ..config
    })
    .await;
    let backfill = scene.spawn(&["--from", &scene.from()]);
    while scene.simulator.counts().log_analytics.requests < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let process = backfill.id().unwrap().to_string();
    let kill = std::process::Command::new("kill").args(["-INT", &process]).status();
    assert!(kill.unwrap().success());
    let output = backfill.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = stderr(&output);
    assert!(stderr.contains("rerun the same command to resume"), "{stderr}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("stopped"));
    scene.succeed(&["--from", &scene.from()]).await;
    // The last twenty minutes have no events; the current hour is left to the live log.
    scene.catch_up_live().await;
    assert_nothing_lost(&scene.simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_errors_of_duo_and_azure_monitor_lose_nothing() {
    let scene = Scene::new("faults", 113, |config| config).await;
    let faults = scene.simulator.faults();
    for target in [Target::LogAnalytics, Target::AnyDuo] {
        faults.push(Fault { times: 4, ..Fault::always(target, FaultKind::Status(503)).after(2) });
    }
    let throttled = FaultKind::TooManyRequests { retry_after: Some(1) };
    faults.push(Fault { times: 2, ..Fault::always(Target::AnyDuo, throttled).after(9) });
    scene.succeed(&["--from", &scene.from()]).await;
    scene.catch_up_live().await;
    assert_nothing_lost(&scene.simulator, 0).await;
}
