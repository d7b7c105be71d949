//! `dead-letters list`, `resend` and `purge`.

use std::fs;
use std::process::Output;

use serde_json::Value;
use simulator::{Fault, FaultKind, LogType, Simulator, Target};
use tempfile::TempDir;

use crate::common::{
    FunctionsHost, Settings, accepted_rows, assert_nothing_lost, originals, telephony_id,
    temporary_folder,
};
use crate::dead_letters::{dead_letters, oversized, parsed, stderr};

/// The state after runs with one refused telephony record and some records with an oversized value.
struct Scene {
    simulator: Simulator,
    rows: TempDir,
    folder: TempDir,
    settings: Settings,
    /// Duo's id of the refused record.
    refused: String,
    /// Number of dead letters.
    all: usize,
}

impl Scene {
    async fn new(seed: u64) -> Self {
        let (simulator, rows) = oversized(seed).await;
        let folder = temporary_folder();
        let settings = Settings::in_folder(&simulator, &folder.path().join("state"));
        let refused = telephony_id(&simulator);
        let needle = refused.clone();
        simulator
            .faults()
            .push(Fault::always(Target::LogAnalytics, FaultKind::InvalidRecord { needle }));
        FunctionsHost::start(&settings).await.catch_up(5).await;
        let mut scene = Self { simulator, rows, folder, settings, refused, all: 0 };
        scene.all = scene.list(&[]).await.len();
        scene
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        dead_letters(&self.settings, self.folder.path(), arguments).await
    }

    /// Output of `list --json` with these filters.
    async fn list(&self, filters: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["list", "--json"], filters].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        parsed(&output)
    }
}

#[tokio::test]
async fn list_shows_records_and_reasons_but_no_content() {
    let scene = Scene::new(84).await;
    let listed = scene.run(&["list"]).await;
    assert_eq!(listed.status.code(), Some(0));
    let table = String::from_utf8(listed.stdout).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let header: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(header, ["log", "event_uid", "date", "reason", "bytes"]);
    assert_eq!(lines.len(), scene.all + 1);
    for reason in
        ["refused: HTTP 400 InvalidDataFormat", "oversized: action_details", "oversized: alias"]
    {
        assert!(table.contains(reason), "{table}");
    }
    assert!(!table.contains(&scene.refused) && !table.contains("éxéx"));
    let one = scene.list(&["--log", "telephony"]).await;
    let [letter] = &one[..] else { panic!("{one:#?}") };
    assert!(scene.list(&["--log", "telephony", "--log", "activity"]).await.len() > one.len());
    assert_eq!(letter["reason"], "refused");
    assert_eq!(letter["status"], 400);
    assert_eq!(letter["code"], "InvalidDataFormat");
    assert!(letter["size"].as_u64().unwrap() > 100);
    assert!(letter.get("original").is_none());
    let (uid, date) = (&letter["event_uid"], &letter["date"]);
    let (uid, date) = (uid.as_str().unwrap(), date.as_str().unwrap());
    assert_eq!(scene.list(&["--uid", uid]).await, one);
    assert!(scene.list(&["--uid", uid, "--before", date]).await.is_empty());
    assert!(scene.list(&["--uid", uid, "--log", "activity"]).await.is_empty());
}

#[tokio::test]
async fn only_records_accepted_whole_are_removed() {
    let scene = Scene::new(86).await;
    let letter = scene.list(&["--log", "telephony"]).await.remove(0);
    let uid = letter["event_uid"].as_str().unwrap();
    // A record refused again is kept, and the exit code is 1.
    let refused = scene.run(&["resend", "--uid", uid]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("InvalidDataFormat"), "{refused:?}");
    let table = String::from_utf8(refused.stdout).unwrap();
    assert!(table.contains("not accepted"), "{table}");
    assert_eq!(scene.list(&[]).await.len(), scene.all);
    let report = scene.simulator.report().await;
    assert_eq!(report.logs[&LogType::Telephony].missing, 1);
    scene.simulator.faults().clear();
    let accepted = scene.run(&["resend", "--log", "telephony", "--json"]).await;
    assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
    assert_eq!(parsed(&accepted)[0]["outcome"], "accepted");
    assert_eq!(scene.list(&[]).await.len(), scene.all - 1);
    // Nothing is missing, and no other row was sent for the record.
    assert_nothing_lost(&scene.simulator, 0).await;
    let rows = accepted_rows(scene.rows.path(), "CiscoDuo_CL");
    let row = rows.iter().find(|row| row["telephony_id"] == *scene.refused).unwrap();
    assert_eq!(row["event_uid"], uid);
    assert_eq!(row["ingest_kind"], "late");
    // The id is in the ledger since dead-lettering: the handler does not send the record again.
    let host = FunctionsHost::start(&scene.settings).await;
    for _ in 0..6 {
        host.fire().await.summary();
    }
    assert_nothing_lost(&scene.simulator, 0).await;
    // A record that is truncated again is kept, because its row is not complete.
    let again = scene.run(&["resend"]).await;
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(stderr(&again).contains("are kept"), "{again:?}");
    assert_eq!(scene.list(&[]).await.len(), scene.all - 1);
    let report = scene.simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(report.duplicates(), scene.all as u64 - 1);
    assert_eq!(scene.simulator.counts().log_analytics.values_cut, 0);
}

#[tokio::test]
async fn purge_removes_only_selected_dead_letters() {
    let scene = Scene::new(87).await;
    let usage = scene.run(&["purge"]).await;
    assert_eq!(usage.status.code(), Some(2));
    assert!(stderr(&usage).contains("--before") && stderr(&usage).contains("--all"));
    for wrong in [
        &["purge", "--all", "--before", "2026-11-22"][..],
        &["purge", "--before", "yesterday"],
        &["purge", "--log", "activity"],
        &["purge", "--uid", "0", "--all"],
        &["list", "--log", "authn"],
    ] {
        let usage = scene.run(wrong).await;
        assert_eq!(usage.status.code(), Some(2), "{wrong:?}");
    }
    let none = scene.run(&["purge", "--before", "2020-01-01", "--json"]).await;
    assert!(parsed(&none).is_empty());
    let one = scene.list(&["--log", "activity"]).await.remove(0);
    let uid = one["event_uid"].as_str().unwrap();
    let purged = scene.run(&["purge", "--uid", uid, "--json"]).await;
    assert_eq!(parsed(&purged).len(), 1);
    let activity = scene.list(&["--log", "activity"]).await.len();
    let purged = scene.run(&["purge", "--all", "--log", "activity", "--json"]).await;
    let purged = parsed(&purged);
    assert_eq!(purged.len(), activity);
    assert!(purged.iter().all(|letter| letter["outcome"] == "deleted"));
    assert_eq!(scene.list(&[]).await.len(), scene.all - activity - 1);
    let rest = scene.run(&["purge", "--before", "2100-01-01"]).await;
    assert_eq!(rest.status.code(), Some(0));
    let nothing = scene.run(&["list"]).await;
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(0), 0));
    assert_eq!(stderr(&nothing), "no dead letters\n");
    assert!(originals(&scene.folder.path().join("state")).is_empty());
}

#[tokio::test]
async fn a_damaged_dead_letter_is_reported_and_the_others_are_listed() {
    let scene = Scene::new(85).await;
    let state = scene.folder.path().join("state");
    let first = originals(&state).into_keys().next().unwrap();
    fs::write(state.join("dead-letter").join(&first), "{\"min_reader\":1,").unwrap();
    let listed = scene.run(&["list", "--json"]).await;
    assert_eq!(listed.status.code(), Some(1));
    assert_eq!(parsed(&listed).len(), scene.all);
    assert!(stderr(&listed).contains(&first), "{listed:?}");
    let resent = scene.run(&["resend", "--json"]).await;
    assert_eq!(resent.status.code(), Some(1));
    assert_eq!(parsed(&resent).len(), scene.all);
    // When the service is unreachable, the remaining records are not sent.
    scene.simulator.faults().push(Fault::always(Target::LogAnalytics, FaultKind::Status(503)));
    let posts = scene.simulator.counts().log_analytics.requests;
    let resent = scene.run(&["resend", "--log", "activity"]).await;
    assert_eq!(resent.status.code(), Some(1));
    assert!(stderr(&resent).contains("HTTP 503"), "{resent:?}");
    assert_eq!(scene.simulator.counts().log_analytics.requests, posts + 1);
}
