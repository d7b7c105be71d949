//! Broken off, the same command goes on where it stopped.

use std::process::Output;
use std::time::Duration;

use simulator::{Fault, FaultKind, Target};

use crate::backfill::{Scene, parsed, stderr};
use crate::common::{PAGE, assert_nothing_lost};

/// Rows that a kill may leave delivered and not behind a checkpoint: a page per log.
const NOT_KEPT: u64 = 6 * PAGE;

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
        // In the middle of it, with three pages at least behind the checkpoints.
        while delivered().await < before + NOT_KEPT + 3 * PAGE {
            assert!(backfill.try_wait().unwrap().is_none(), "it ended without work");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        backfill.kill().await.unwrap();
        kills += 1;
        before = delivered().await;
    }
    assert!(!scene.places().await.is_empty(), "no checkpoint was kept");
    let last = scene.succeed(&["--from", &scene.from(), "--json"]).await;
    assert_nothing_lost(&scene.simulator, kills * NOT_KEPT).await;
    assert_eq!(scene.places().await, Vec::<String>::new());
    // It did not begin again: the same hours once more, now without a kill, take more pages.
    let whole = scene.succeed(&["--from", &scene.from(), "--json", "--resend"]).await;
    let (last, whole) = (pages(&last), pages(&whole));
    assert!(last + 3 * kills <= whole, "{last} pages of {whole}");
}

fn pages(output: &Output) -> u64 {
    parsed(output).iter().map(|done| done["pages"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_stops_at_a_commit_and_says_how_to_go_on() {
    let scene = Scene::new("interrupted", 112, |config| simulator::Config {
        duo_latency: Duration::from_millis(100),
        ..config
    })
    .await;
    let backfill = scene.spawn(&["--from", &scene.from()]);
    while scene.simulator.calls().log_analytics.requests < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let process = backfill.id().unwrap().to_string();
    let kill = std::process::Command::new("kill").args(["-INT", &process]).status();
    assert!(kill.unwrap().success());
    let output = backfill.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("rerun the same command to resume"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("interrupted"));
    scene.succeed(&["--from", &scene.from()]).await;
    // The last twenty minutes before now have no events; the hour at work is left to the live log.
    scene.catch_up_live().await;
    assert_nothing_lost(&scene.simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duo_and_azure_that_fail_for_a_while_cost_time_only() {
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
