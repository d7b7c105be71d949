//! Backfill during live runs: every event is delivered once, and the live log is unchanged.

use std::collections::BTreeSet;
use std::time::Duration;

use simulator::LogType;

use crate::backfill::{Scene, parsed};
use crate::common::{FunctionsHost, assert_nothing_lost, checkpoint_name};

#[tokio::test(flavor = "multi_thread")]
async fn events_before_the_first_run_are_delivered_once_beside_a_running_function() {
    let scene = Scene::new("beside", 101, |config| config).await;
    let mut host = FunctionsHost::start(&scene.settings).await;
    host.catch_up(5).await;
    let live_rows = scene.rows("CiscoDuo_CL").len();
    let mut backfill = scene.spawn(&["--from", &scene.from(), "--json"]);
    let mut ticks = 0;
    while backfill.try_wait().unwrap().is_none() {
        host.fire().await.summary();
        ticks += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let output = backfill.wait_with_output().await.unwrap();
    assert!(ticks > 2, "backfill and live runs did not overlap");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    host.finish(&scene.simulator, 0).await;
    let rows = scene.rows("CiscoDuo_CL");
    let of_kind = |kind: &str| {
        let rows = rows.iter().filter(|row| row["ingest_kind"] == kind);
        rows.count()
    };
    assert_eq!(of_kind("live"), live_rows);
    assert_eq!(of_kind("backfill"), rows.len() - live_rows);
    let reported: u64 = parsed(&output).iter().map(|done| done["events"].as_u64().unwrap()).sum();
    assert_eq!(reported, (rows.len() - live_rows) as u64);
    assert_eq!(scene.checkpoints().await, Vec::<String>::new());
    // There is at least one health row for each hour of each log before the live checkpoint.
    let hours: BTreeSet<(String, String)> = scene
        .rows("CiscoDuoHealth_CL")
        .into_iter()
        .filter(|row| row["record_type"] == "hour" && row["state"] == "verified")
        .map(|row| (row["eventtype"].to_string(), row["hour"].to_string()))
        .collect();
    assert!(hours.len() >= 6 * 4, "{hours:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_checkpoint_does_not_change() {
    let scene = Scene::new("live-checkpoint", 102, |config| config).await;
    scene.catch_up_live().await;
    let mut before = Vec::new();
    for log in LogType::ALL {
        before.push(scene.container.read(&checkpoint_name(log.name())).await);
    }
    scene.succeed(&["--from", &scene.from()]).await;
    for (log, before) in LogType::ALL.iter().zip(before) {
        assert_eq!(scene.container.read(&checkpoint_name(log.name())).await, before);
    }
    assert_nothing_lost(&scene.simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_live_run_after_a_backfill_duplicates_nothing() {
    let mut scene = Scene::new("no-live", 103, |config| config).await;
    scene.succeed(&["--from", &scene.from()]).await;
    // The first run looks back six hours, over events that were all delivered.
    scene.settings = scene.settings.with("CISCO_DUO_LOOKBACK_HOURS", "6");
    scene.catch_up_live().await;
    assert_nothing_lost(&scene.simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_backs_off_while_the_live_log_does() {
    let mut scene = Scene::new("waits", 104, |config| config).await;
    scene.settings = scene.settings.with("CISCO_DUO_LOG_TYPES", "activity");
    scene.catch_up_live().await;
    #[expect(clippy::disallowed_methods, reason = "the program uses the current time")]
    let until = chrono::Utc::now() + chrono::TimeDelta::seconds(4);
    let back_off = serde_json::json!({
        "retry_at": until.to_rfc3339(), "count": 1, "cause": "duo_throttled"
    });
    let name = checkpoint_name("activity");
    scene.container.change(&name, |checkpoint| checkpoint["back_off"] = back_off).await;
    let requests =
        || scene.simulator.counts().duo.values().map(|counts| counts.requests).sum::<u64>();
    let before = requests();
    let mut backfill = scene.spawn(&["--from", &scene.from(), "--log", "activity"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(backfill.try_wait().unwrap().is_none(), "the backfill did not wait");
    assert_eq!(requests(), before, "a request reached Duo while the live log backs off");
    let output = backfill.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(requests() > before);
    let stderr = crate::backfill::stderr(&output);
    assert!(stderr.contains("the live log backs off"), "{stderr}");
}
