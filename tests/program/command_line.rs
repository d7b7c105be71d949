//! Output of the commands, compared with `tests/expected/`; `UPDATE_EXPECTED=1` rewrites it.

use std::fs;

use crate::common::{
    Settings, assert_expected, duo_sentinel, in_one_hour, shown, temporary_folder, tenant,
};
use chrono::{SecondsFormat, TimeDelta};
use simulator::{Fault, FaultKind, LogType, Simulator, Target};

async fn small() -> Simulator {
    Simulator::start(tenant(31, 40)).await.unwrap()
}

#[tokio::test]
async fn check_and_run_write_json() {
    let (simulator, folder) = (small().await, temporary_folder());
    let settings = Settings::in_folder(&simulator, &folder.path().join("state"));
    let output = duo_sentinel(&settings, folder.path(), &["check", "--json"]).await;
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        findings.as_array().unwrap().iter().all(|finding| finding["ok"] == true),
        "{findings:#}"
    );
    let output = duo_sentinel(&settings, folder.path(), &["run", "--json"]).await;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["logs"].as_array().unwrap().len(), 6);
    crate::common::assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn run_shows_a_table_and_hints() {
    // All events are in the first of the windows, which starts on the hour, so that the number of
    // pages does not depend on the time of day.
    let mut config = tenant(61, 40);
    let six_hours_ago = config.to + TimeDelta::minutes(20) - TimeDelta::hours(6);
    let hour = in_one_hour(&mut config);
    let simulator = Simulator::start(config).await.expect("free ports");
    let folder = temporary_folder();
    // The lag of this log shows where its checkpoint is.
    simulator.faults().push(Fault::always(Target::Duo(LogType::Activity), FaultKind::Forbidden));
    let six_hours_ago = six_hours_ago.to_rfc3339_opts(SecondsFormat::Secs, true);
    let settings = Settings::in_folder(&simulator, &folder.path().join("state"))
        .with("CISCO_DUO_START_TIME", format!("{hour},activity={six_hours_ago}"))
        .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600")
        .with("CISCO_DUO_WINDOW_DELAY_SECONDS", "600");
    let output = duo_sentinel(&settings, folder.path(), &["run"]).await;
    let text = shown(&output, &simulator, folder.path());
    // The lag may grow by a second while the test runs.
    let text: Vec<String> =
        text.lines().map(|line| line.replace("10 min 1 s", "10 min 0 s")).collect();
    assert_expected("run", &format!("{}\n", text.join("\n")));
}

#[tokio::test]
async fn wrong_settings_and_wrong_usage_exit_with_code_2() {
    let (simulator, folder) = (small().await, temporary_folder());
    let settings = Settings::of(&simulator).without("SHARED_KEY");
    for command in [&["run"][..], &["check"]] {
        let output = duo_sentinel(&settings, folder.path(), command).await;
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.starts_with(
                "error: 2 settings need attention\n  SHARED_KEY           is not set;"
            ),
            "{text}"
        );
        assert!(text.ends_with("or in local.settings.json\n"), "{text}");
        assert!(output.stdout.is_empty());
    }
    for command in [&["collect"][..], &["run", "--fast"], &["serve"]] {
        let output = duo_sentinel(&settings, folder.path(), command).await;
        assert_eq!(output.status.code(), Some(2), "{command:?}");
    }
    let arguments = ["dead-letters", "list", "--before", "2026"];
    let output = duo_sentinel(&settings, folder.path(), &arguments).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("use a date such as 2026-11-22"));
}

#[tokio::test]
async fn settings_are_read_from_local_settings_json() {
    let (simulator, folder) = (small().await, temporary_folder());
    let settings = Settings::in_folder(&simulator, &folder.path().join("state"));
    let values: serde_json::Map<String, serde_json::Value> =
        settings.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let file = serde_json::json!({"IsEncrypted": false, "Values": values});
    fs::write(folder.path().join("local.settings.json"), file.to_string()).unwrap();
    let output = duo_sentinel(&Settings::default(), folder.path(), &["run"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    crate::common::assert_nothing_lost(&simulator, 0).await;
}

/// The demo needs no settings. Through the Logs Ingestion API, columns have a suffix.
#[tokio::test]
async fn the_demo_loses_nothing_with_either_api() {
    let of_all = ["demo", "--events", "2000", "--folder", "demo"];
    for (arguments, suffix) in [(&[][..], ""), (&["--logs-ingestion"], "_s")] {
        let (folder, arguments) = (temporary_folder(), [&of_all, arguments].concat());
        let output = duo_sentinel(&Settings::default(), folder.path(), &arguments).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("\nlost 0\n"), "{text}");
        let rows = fs::read_to_string(folder.path().join("demo/rows/CiscoDuo_CL.ndjson")).unwrap();
        assert!(rows.lines().count() >= 2000);
        // Events that Duo returned a day late were found by reconciliation and marked.
        let late = format!(r#""ingest_kind{suffix}":"late""#);
        assert!(rows.contains(&late), "{text}");
        assert!(text.contains(", 0 with a gap\n"), "{text}");
        for line in rows.lines().take(50) {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(row[format!("host{suffix}")], "127.0.0.1");
        }
    }
}

#[tokio::test]
async fn the_demo_does_not_remove_files_of_others() {
    let (simulator, folder) = (small().await, temporary_folder());
    let checkpoint = folder.path().join("state/checkpoint.json");
    fs::create_dir(folder.path().join("state")).unwrap();
    fs::write(&checkpoint, "mine").unwrap();
    let settings = Settings::of(&simulator);
    let output = duo_sentinel(&settings, folder.path(), &["demo", "--folder", "."]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("choose another --folder"), "{text}");
    assert_eq!(fs::read_to_string(checkpoint).unwrap(), "mine");
}
