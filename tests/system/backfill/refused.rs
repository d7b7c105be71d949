//! Backfills that are refused before the first request, and gaps.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, LogType, Target};

use crate::backfill::{Scene, parsed, stderr};
use crate::common::{FunctionsHost, PAGE};

/// A scene with one log whose events were delivered once and whose ids are deleted.
async fn delivered_and_forgotten(container: &str, seed: u64) -> (Scene, u64) {
    let mut scene = Scene::new(container, seed, |config| config).await;
    scene.settings = scene.settings.with("CISCO_DUO_LOG_TYPES", "telephony");
    scene.succeed(&["--from", &scene.from()]).await;
    scene.catch_up_live().await;
    for blob in scene.container.list().await {
        if std::path::Path::new(&blob.name).extension().is_some_and(|kind| kind == "ids") {
            scene.container.remove(&blob.name).await;
        }
    }
    let rows = scene.rows("CiscoDuo_CL").len() as u64;
    (scene, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_ids_are_sent_again_only_with_resend() {
    let (scene, rows) = delivered_and_forgotten("resend", 121).await;
    let stderr = scene.be_refused(&["--from", &scene.from()]).await;
    assert!(stderr.contains("--resend"), "{stderr}");
    // Exactly the announced number of rows is sent again, with the same ids.
    let announced: u64 =
        stderr.split_whitespace().find_map(|word| word.replace(',', "").parse().ok()).unwrap();
    scene.succeed(&["--from", &scene.from(), "--resend"]).await;
    let report = scene.simulator.report().await;
    assert_eq!(report.duplicates(), announced, "{report:#?}");
    assert!((1..=rows).contains(&announced), "{announced} of {rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_to_another_destination_than_the_live_log_is_refused() {
    let (mut scene, _) = delivered_and_forgotten("elsewhere", 122).await;
    scene.settings = scene.settings.with("WORKSPACE_ID", "99999999-2222-3333-4444-555555555555");
    let stderr = scene.be_refused(&["--from", &scene.from(), "--resend"]).await;
    assert!(stderr.contains("another workspace") && stderr.contains("WORKSPACE_ID"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_spans_are_refused_with_a_hint() {
    let scene = Scene::new("usage", 123, |config| config).await;
    for (arguments, hint) in [
        (&["--from", "2019-01-01"][..], "Duo keeps 180 days; the earliest hour"),
        (&["--from", "2100-01-01"], "the live checkpoint"),
        (&["--from", "yesterday"], "use 2026-11-01"),
        (&["--from", "2026-11-01", "--log", "audit"], "authentication, administrator"),
        (&["--from", "2026-11-01", "--gaps"], "cannot be used with"),
        (&["--from", "2026-11-02", "--to", "2026-11-01"], "--to must be later"),
        (&[], "<--from <TIME>|--gaps>"),
    ] {
        let stderr = scene.be_refused(arguments).await;
        assert!(stderr.contains(hint), "{arguments:?}: no \"{hint}\" in {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_backfill_of_the_same_hours_is_refused_until_the_first_is_done() {
    let mut scene = Scene::new("overlap", 125, |config| simulator::Config {
        duo_latency: std::time::Duration::from_millis(150),
        ..config
    })
    .await;
    scene.settings = scene.settings.with("CISCO_DUO_LOG_TYPES", "activity");
    let mut backfill = scene.spawn(&["--from", &scene.from()]);
    while scene.simulator.report().await.delivered() < 60 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    backfill.kill().await.unwrap();
    let later = scene.simulator.config().from + chrono::TimeDelta::hours(1);
    let later = later.format("%Y-%m-%dT%H").to_string();
    let stderr = scene.be_refused(&["--from", &later]).await;
    assert!(stderr.contains("an unfinished backfill of this log"), "{stderr}");
    // Without --to the first backfill resumes, also after the live checkpoint has advanced.
    scene.settings = scene.settings.with("CISCO_DUO_WINDOW_DELAY_SECONDS", "3700");
    scene.succeed(&["--from", &scene.from()]).await;
    assert_eq!(scene.checkpoints().await, Vec::<String>::new());
    scene.succeed(&["--from", &later]).await;
    let duplicates = scene.simulator.report().await.duplicates();
    assert!(duplicates <= PAGE, "{duplicates} duplicates for one kill");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_log_does_not_stop_the_others() {
    let scene = Scene::new("not-given", 126, |config| config).await;
    scene
        .simulator
        .faults()
        .push(Fault::always(Target::Duo(LogType::TrustMonitor), FaultKind::Forbidden));
    let mut host = FunctionsHost::start(&scene.settings).await;
    host.fire().await;
    host.stop().await;
    let output = scene.succeed(&["--from", &scene.from()]).await;
    let stderr = stderr(&output);
    assert!(stderr.contains("trust_monitor: Duo does not permit this log"), "{stderr}");
    let report = scene.simulator.report().await;
    assert_eq!(report.missing(), 300, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_hours_are_counted_and_the_exit_code_is_1() {
    let mut scene = Scene::new("incomplete", 127, |config| config).await;
    scene.settings = scene.settings.with("CISCO_DUO_LOG_TYPES", "activity");
    let activity = Target::Duo(LogType::Activity);
    scene.simulator.faults().push(Fault::always(activity, FaultKind::WrongCount(1)));
    let output = scene.run(&["--from", &scene.from(), "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let hours = &parsed(&output)[0]["hours"];
    assert_eq!((&hours["verified"], &hours["gap"]), (&0.into(), &0.into()));
    assert!(hours["unknown"].as_u64() > Some(3), "{hours}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_in_the_ledger_are_filled() {
    let mut scene = Scene::new("gaps", 124, |config| config).await;
    scene.settings = scene.settings.with("CISCO_DUO_LOG_TYPES", "activity,telephony");
    scene.catch_up_live().await;
    // Two hours before the first run, of which no event was delivered.
    let first = scene.simulator.config().from + chrono::TimeDelta::hours(1);
    let hours = [first, first + chrono::TimeDelta::hours(1)];
    for hour in hours {
        let from = hour.format("%Y-%m-%dT%H:00:00Z").to_string();
        let to = (hour + chrono::TimeDelta::hours(1)).format("%Y-%m-%dT%H:00:00Z").to_string();
        let name = day(&hour);
        let known = scene.container.read(&name).await;
        let mut results: Value = known.map_or_else(
            || json!({"version": 1, "min_reader": 1, "hours": {}}),
            |known| serde_json::from_slice(&known).unwrap(),
        );
        results["hours"][hour.format("%H").to_string()] = json!({
            "state": "gap", "from": from, "to": to, "delivered": 0,
            "gap": {"from": from, "to": to}, "reconciled_at": to, "stages": 1
        });
        scene.container.write(&name, results.to_string()).await;
    }
    let before = scene.rows("CiscoDuo_CL").len();
    // After a kill, the same command resumes.
    let slow = FaultKind::Latency(std::time::Duration::from_millis(400));
    let activity = Target::Duo(LogType::Activity);
    scene.simulator.faults().push(Fault::always(activity, slow));
    let mut killed = scene.spawn(&["--gaps"]);
    while scene.checkpoints().await.is_empty() {
        assert!(killed.try_wait().unwrap().is_none(), "the backfill ended before it started");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    killed.kill().await.unwrap();
    scene.simulator.faults().clear();
    assert_eq!(scene.checkpoints().await.len(), 1);
    // One of the hours was filled in the meantime.
    let filled = |results: &mut Value| {
        let result = &mut results["hours"][hours[0].format("%H").to_string()];
        result["state"] = "verified".into();
        result.as_object_mut().unwrap().remove("gap");
    };
    scene.container.change(&day(&hours[0]), filled).await;
    let output = scene.succeed(&["--gaps", "--json"]).await;
    let done = parsed(&output);
    assert_eq!(done.len(), 1, "one log has gaps, and they follow one another: {done:#?}");
    assert_eq!(done[0]["log_type"], "activity");
    let delivered = scene.rows("CiscoDuo_CL").len() - before;
    assert!(delivered > 10, "{delivered} events of two hours");
    for hour in hours {
        let results = scene.container.json(&day(&hour)).await;
        let result = &results["hours"][hour.format("%H").to_string()];
        assert_eq!(result["state"], "verified", "{result:#}");
        assert_eq!(result["late"], result["delivered"]);
        assert!(result["gap"].is_null(), "{result:#}");
    }
    let output = scene.run(&["--gaps"]).await;
    assert!(String::from_utf8_lossy(&output.stdout).contains("the ledger has no gap"));
    let report = scene.simulator.report().await;
    assert_eq!(report.duplicates(), 0);
}

/// Name of the blob with the hourly results of a day of the activity log.
fn day(hour: &chrono::DateTime<chrono::Utc>) -> String {
    format!("127.0.0.1/self/activity/ledger/{}.json", hour.format("%Y-%m-%d"))
}
