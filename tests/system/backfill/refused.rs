//! What is refused before anything is read, and gaps.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, LogType, Target};

use crate::backfill::{Scene, parsed, stderr};
use crate::common::{FunctionsHost, PAGE};

/// A scene of one log that was delivered once, whose ids are gone.
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
async fn rows_without_ids_are_sent_again_only_if_that_is_wanted() {
    let (scene, rows) = delivered_and_forgotten("resend", 121).await;
    let said = scene.be_refused(&["--from", &scene.from()]).await;
    assert!(said.contains("--resend"), "{said}");
    // As many as it says are sent again, with the ids that they had.
    let announced: u64 =
        said.split_whitespace().find_map(|word| word.replace(',', "").parse().ok()).unwrap();
    scene.succeed(&["--from", &scene.from(), "--resend"]).await;
    let report = scene.simulator.report().await;
    assert_eq!(report.duplicates(), announced, "{report:#?}");
    assert!((1..=rows).contains(&announced), "{announced} of {rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_never_go_where_those_of_the_live_log_do_not() {
    let (mut scene, _) = delivered_and_forgotten("elsewhere", 122).await;
    scene.settings = scene.settings.with("WORKSPACE_ID", "99999999-2222-3333-4444-555555555555");
    let said = scene.be_refused(&["--from", &scene.from(), "--resend"]).await;
    assert!(said.contains("another workspace") && said.contains("WORKSPACE_ID"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_cannot_be_read_are_refused_with_advice() {
    let scene = Scene::new("usage", 123, |config| config).await;
    for (arguments, advice) in [
        (&["--from", "2019-01-01"][..], "Duo keeps 180 days; the earliest hour"),
        (&["--from", "2100-01-01"], "the live checkpoint"),
        (&["--from", "yesterday"], "use 2026-11-01"),
        (&["--from", "2026-11-01", "--log", "audit"], "authentication, administrator"),
        (&["--from", "2026-11-01", "--gaps"], "cannot be used with"),
        (&["--from", "2026-11-02", "--to", "2026-11-01"], "--to must be later"),
        (&[], "<--from <TIME>|--gaps>"),
    ] {
        let said = scene.be_refused(arguments).await;
        assert!(said.contains(advice), "{arguments:?}: no \"{advice}\" in {said}");
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
    let said = scene.be_refused(&["--from", &later]).await;
    assert!(said.contains("an unfinished backfill of this log"), "{said}");
    // Without an end the first one is gone on with, also when the live log stands elsewhere by now.
    scene.settings = scene.settings.with("CISCO_DUO_WINDOW_DELAY_SECONDS", "3700");
    scene.succeed(&["--from", &scene.from()]).await;
    assert_eq!(scene.places().await, Vec::<String>::new());
    scene.succeed(&["--from", &later]).await;
    let repeated = scene.simulator.report().await.duplicates();
    assert!(repeated <= PAGE, "{repeated} rows for one kill");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_never_given_keeps_no_other_from_being_read() {
    let scene = Scene::new("not-given", 126, |config| config).await;
    scene
        .simulator
        .faults()
        .push(Fault::always(Target::Duo(LogType::TrustMonitor), FaultKind::Forbidden));
    let mut host = FunctionsHost::start(&scene.settings).await;
    host.fire().await;
    host.stop().await;
    let output = scene.succeed(&["--from", &scene.from()]).await;
    let said = stderr(&output);
    assert!(said.contains("trust_monitor: Duo does not permit this log"), "{said}");
    let report = scene.simulator.report().await;
    assert_eq!(report.missing(), 300, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_that_stay_incomplete_are_counted_and_no_success() {
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
async fn the_gaps_that_the_ledger_names_are_filled() {
    let mut scene = Scene::new("gaps", 124, |config| config).await;
    scene.settings = scene.settings.with("CISCO_DUO_LOG_TYPES", "activity,telephony");
    scene.catch_up_live().await;
    // Two hours before the first run that nobody has.
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
            "gap": {"from": from, "to": to}, "checked_at": to, "stages": 1
        });
        scene.container.write(&name, results.to_string()).await;
    }
    let before = scene.rows("CiscoDuo_CL").len();
    // Broken off in the middle, the same command goes on with it.
    let slow = FaultKind::Latency(std::time::Duration::from_millis(400));
    let activity = Target::Duo(LogType::Activity);
    scene.simulator.faults().push(Fault::always(activity, slow));
    let mut killed = scene.spawn(&["--gaps"]);
    while scene.places().await.is_empty() {
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it began");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    killed.kill().await.unwrap();
    scene.simulator.faults().clear();
    assert_eq!(scene.places().await.len(), 1);
    // One of its hours was filled in the meantime.
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

/// The name of what is known of the hours of a day of the activity log.
fn day(hour: &chrono::DateTime<chrono::Utc>) -> String {
    format!("127.0.0.1/self/activity/ledger/{}.json", hour.format("%Y-%m-%d"))
}
