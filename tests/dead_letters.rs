//! Records that do not become whole rows, with the real program: delivered where possible, their originals kept, listed,
//! sent again and removed.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it is"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use common::{Azurite, FunctionsHost, Settings, assert_nothing_lost, binary, temporary_folder};
use serde_json::Value;
use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};
use tokio::process::Command;

/// A tenant with two logs some of whose records have a value of 40,000 bytes, and the folder of the accepted rows.
async fn oversized(seed: u64) -> (Simulator, tempfile::TempDir) {
    let rows = temporary_folder();
    let config = Config {
        oversized_per_mille: 30,
        rows_dir: Some(rows.path().to_owned()),
        ..common::tenant(seed, 300)
    };
    (Simulator::start(config).await.unwrap(), rows)
}

fn two_logs(settings: &Settings) -> Settings {
    settings
        .clone()
        .with("CISCO_DUO_LOG_TYPES", "authentication,activity")
}

/// The accepted rows that lack something, by `event_uid`.
fn cut_rows(rows: &Path) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(rows.join("CiscoDuo_CL.ndjson")).unwrap();
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row.get("truncated_fields").is_some())
        .map(|row| (row["event_uid"].as_str().unwrap().to_owned(), row))
        .collect()
}

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn add(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                add(&path, &format!("{name}/"), found);
            } else if name.ends_with(".json") {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    add(folder, "", &mut found);
    found
}

/// Each cut row has its dead letter, each dead letter its row, and together they have all of it.
fn assert_originals(letters: &BTreeMap<String, Vec<u8>>, rows: &BTreeMap<String, Value>) {
    assert_eq!(letters.len(), rows.len());
    assert!(letters.len() > 5, "too few to prove anything");
    for (name, letter) in letters {
        let letter: Value = serde_json::from_slice(letter).unwrap();
        let uid = letter["event_uid"].as_str().unwrap();
        let row = &rows[uid];
        let log = row["eventtype"].as_str().unwrap();
        let date = &row["event_time"].as_str().unwrap()[..10];
        assert_eq!(name, &format!("127.0.0.1/self/{log}/{date}/{uid}.json"));
        assert_eq!(
            (&letter["version"], &letter["min_reader"]),
            (&1.into(), &1.into())
        );
        assert_eq!(letter["log_type"], log);
        assert_eq!(letter["why"]["reason"], "oversized");
        assert_eq!(letter["why"]["fields"][0], row["truncated_fields"]);
        let original: Value = serde_json::from_str(letter["original"].as_str().unwrap()).unwrap();
        let pointer = match log {
            "authentication" => "/alias",
            _ => "/action/details",
        };
        let value = |of: &Value| of.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let (whole, cut) = (value(&original), value(row));
        assert_eq!(whole.len(), 39_999);
        assert_eq!(cut, whole[..32_000]);
        let column = pointer[1..].replace('/', "_");
        assert_eq!(row["truncated_fields"], column);
    }
}

#[tokio::test]
async fn oversized_values_are_delivered_cut_and_their_originals_kept_in_a_folder() {
    let (simulator, rows) = oversized(81).await;
    let state = temporary_folder();
    let settings = two_logs(&Settings::in_folder(&simulator, state.path()));
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    let counted: u64 = ["authentication", "activity"]
        .map(|log| invocation.log(log)["dead_letters"].as_u64().unwrap())
        .iter()
        .sum();
    host.stop().await;
    for log in [LogType::Authentication, LogType::Activity] {
        let report = &simulator.report().await.logs[&log];
        assert_eq!((report.missing, report.duplicates), (0, 0), "{log}");
    }
    // The judge compared every row; the service had nothing left to cut.
    let report = simulator.report().await;
    assert_eq!(
        (report.altered_rows, report.unknown_rows),
        (0, 0),
        "{report:#?}"
    );
    assert_eq!(simulator.calls().log_analytics.values_cut, 0);
    let rows = cut_rows(rows.path());
    assert_originals(&files(&state.path().join("dead-letter")), &rows);
    assert_eq!(counted, rows.len() as u64);
    // One line for each log, which names them and shows nothing of them.
    let said = host.stderr();
    for log in ["authentication", "activity"] {
        let lines: Vec<&String> = said
            .iter()
            .filter(|line| line.contains("dead letters") && line.contains(log))
            .collect();
        assert_eq!(lines.len(), 1, "{said:#?}");
        assert!(
            lines[0].contains("WARN") && lines[0].contains("event_uid "),
            "{}",
            lines[0]
        );
        assert!(
            rows.keys().any(|uid| lines[0].contains(uid)),
            "{}",
            lines[0]
        );
    }
    let everything = said.join("\n") + &host.stdout().join("\n") + &invocation.answer.to_string();
    assert!(!everything.contains("éxéx"), "{everything}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_have_a_container_of_their_own_which_is_made_when_it_is_needed() {
    let (simulator, rows) = oversized(82).await;
    let azurite = Azurite::shared();
    let letters = azurite.container("letters-apart");
    let settings = Settings::in_storage(&simulator, &azurite.connection_string(), "letters-state")
        .with("CISCO_DUO_DEAD_LETTER_CONTAINER", "letters-apart");
    let settings = two_logs(&settings);
    let folder = temporary_folder();
    let nothing = dead_letters(&settings, folder.path(), &["list"]).await;
    assert_eq!(nothing.status.code(), Some(0), "{nothing:?}");
    assert!(!letters.exists().await, "nothing needed it");
    FunctionsHost::start(&settings).await.catch_up(5).await;
    let mut found = BTreeMap::new();
    for blob in letters.list().await {
        assert_eq!(blob.kind, "BlockBlob");
        let content = letters.read(&blob.name).await.unwrap();
        found.insert(blob.name, content);
    }
    assert_originals(&found, &cut_rows(rows.path()));
    let state = azurite.container("letters-state").list().await;
    let strays: Vec<_> = state
        .iter()
        .filter(|blob| found.contains_key(&blob.name))
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
    // The command line sees the same ones, over as many pages as there are.
    let listed = dead_letters(&settings, folder.path(), &["list", "--json"]).await;
    assert_eq!(parsed(&listed).len(), found.len());
    let purged = dead_letters(&settings, folder.path(), &["purge", "--all"]).await;
    assert_eq!(purged.status.code(), Some(0), "{purged:?}");
    assert!(letters.list().await.is_empty());
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_stored_stops_its_log_with_its_place_kept() {
    let (simulator, rows) = oversized(83).await;
    let state = temporary_folder();
    // A file where the folder would be.
    let in_the_way = state.path().join("dead-letter");
    fs::write(&in_the_way, "").unwrap();
    let settings = Settings::in_folder(&simulator, state.path());
    let host = FunctionsHost::start(&settings).await;
    for _ in 0..2 {
        let invocation = host.fire().await;
        invocation.assert_failed();
        for log in ["authentication", "activity"] {
            assert_eq!(invocation.outcome(log), "failed");
            let report = invocation.log(log);
            let told = format!("{} {}", report["message"], report["hint"]);
            assert!(
                told.contains("could not write")
                    && told.contains("CISCO_DUO_DEAD_LETTER_CONTAINER"),
                "{told}"
            );
        }
        assert_eq!(invocation.outcome("telephony"), "caught_up");
        assert!(
            cut_rows(rows.path()).is_empty(),
            "a row went out without its original"
        );
    }
    fs::remove_file(&in_the_way).unwrap();
    host.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
    assert_originals(&files(&in_the_way), &cut_rows(rows.path()));
}

async fn dead_letters(settings: &Settings, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command
        .arg("dead-letters")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(settings.iter());
    command.output().await.unwrap()
}

/// What a command prints with `--json`.
#[track_caller]
fn parsed(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{fault}: {output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A handler's work with one refused telephony record and some oversized ones; the id of the refused one.
async fn with_dead_letters(
    simulator: &Simulator,
    settings: &Settings,
    folder: &Path,
) -> (String, usize) {
    let twin_rows = temporary_folder();
    let twin = Simulator::start(Config {
        rows_dir: Some(twin_rows.path().to_owned()),
        ..simulator.config().clone()
    })
    .await
    .unwrap();
    let twin_state = temporary_folder();
    let of_twin = Settings::in_folder(&twin, twin_state.path());
    let of_twin = of_twin.with("CISCO_DUO_LOG_TYPES", "telephony");
    FunctionsHost::start(&of_twin).await.catch_up(5).await;
    twin.report().await;
    let rows = fs::read_to_string(twin_rows.path().join("CiscoDuo_CL.ndjson")).unwrap();
    let row: Value = serde_json::from_str(rows.lines().nth(60).unwrap()).unwrap();
    let needle = row["telephony_id"].as_str().unwrap().to_owned();
    simulator.faults().push(Fault::always(
        Target::LogAnalytics,
        FaultKind::InvalidRecord {
            needle: needle.clone(),
        },
    ));
    FunctionsHost::start(settings).await.catch_up(5).await;
    let listed = parsed(&dead_letters(settings, folder, &["list", "--json"]).await);
    (needle, listed.len())
}

#[tokio::test]
async fn dead_letters_are_listed_sent_again_and_removed() {
    let (simulator, rows) = oversized(84).await;
    let folder = temporary_folder();
    let state = folder.path().join("state");
    let settings = Settings::in_folder(&simulator, &state);
    let (needle, all) = with_dead_letters(&simulator, &settings, folder.path()).await;
    let run = async |arguments: &[&str]| dead_letters(&settings, folder.path(), arguments).await;

    // list: what and why, never the content.
    let listed = run(&["list"]).await;
    assert_eq!(listed.status.code(), Some(0));
    let table = String::from_utf8(listed.stdout).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let header: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(header, ["log", "event_uid", "date", "reason", "bytes"]);
    assert_eq!(lines.len(), all + 1);
    assert!(
        table.contains("refused: HTTP 400 InvalidDataFormat"),
        "{table}"
    );
    assert!(table.contains("oversized: action_details"), "{table}");
    assert!(!table.contains(&needle) && !table.contains("éxéx"));
    let one = parsed(&run(&["list", "--json", "--log", "telephony"]).await);
    let [letter] = &one[..] else {
        panic!("{one:#?}");
    };
    assert_eq!(letter["reason"], "refused");
    assert_eq!(
        (&letter["status"], &letter["code"]),
        (&400.into(), &"InvalidDataFormat".into())
    );
    assert!(letter["size"].as_u64().unwrap() > 100);
    assert!(letter.get("original").is_none());
    let uid = letter["event_uid"].as_str().unwrap();
    let date = letter["date"].as_str().unwrap();
    let by_uid = parsed(&run(&["list", "--json", "--uid", uid]).await);
    assert_eq!(by_uid, one);
    let before = run(&["list", "--json", "--log", "telephony", "--before", date]).await;
    assert!(parsed(&before).is_empty());

    // resend: what is refused again stays, and the code says so.
    let refused = run(&["resend", "--uid", uid]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("InvalidDataFormat"),
        "{refused:?}"
    );
    assert!(
        String::from_utf8(refused.stdout)
            .unwrap()
            .contains("not accepted")
    );
    assert_eq!(parsed(&run(&["list", "--json"]).await).len(), all);
    assert_eq!(
        simulator.report().await.logs[&LogType::Telephony].missing,
        1
    );
    simulator.faults().clear();
    let accepted = run(&["resend", "--log", "telephony", "--json"]).await;
    assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
    assert_eq!(parsed(&accepted)[0]["outcome"], "accepted");
    assert_eq!(parsed(&run(&["list", "--json"]).await).len(), all - 1);
    // Nothing is missing any more, and no other row was sent for it.
    assert_nothing_lost(&simulator, 0).await;
    let text = fs::read_to_string(rows.path().join("CiscoDuo_CL.ndjson")).unwrap();
    let row = text.lines().find(|row| row.contains(&needle)).unwrap();
    let row: Value = serde_json::from_str(row).unwrap();
    assert_eq!(
        (&row["event_uid"], &row["ingest_kind"]),
        (&uid.into(), &"late".into())
    );
    // The ledger knows it since it was set aside: the handler does not send it once more.
    FunctionsHost::start(&settings).await.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;

    // What has to be cut again stays: the rows lack what it holds.
    let again = run(&["resend"]).await;
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(stderr(&again).contains("are kept"), "{again:?}");
    assert_eq!(parsed(&run(&["list", "--json"]).await).len(), all - 1);
    let report = simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(report.duplicates(), all as u64 - 1);

    // purge: only what is said.
    let usage = run(&["purge"]).await;
    assert_eq!(usage.status.code(), Some(2));
    assert!(stderr(&usage).contains("--before") && stderr(&usage).contains("--all"));
    assert_eq!(
        run(&["purge", "--all", "--before", date])
            .await
            .status
            .code(),
        Some(2)
    );
    assert_eq!(
        run(&["purge", "--before", "yesterday"]).await.status.code(),
        Some(2)
    );
    let none = run(&["purge", "--before", "2020-01-01", "--json"]).await;
    assert!(parsed(&none).is_empty());
    let activity = parsed(&run(&["list", "--json", "--log", "activity"]).await).len();
    let purged = parsed(&run(&["purge", "--all", "--log", "activity", "--json"]).await);
    assert_eq!(purged.len(), activity);
    assert!(purged.iter().all(|letter| letter["outcome"] == "removed"));
    assert_eq!(
        parsed(&run(&["list", "--json"]).await).len(),
        all - 1 - activity
    );
    let rest = run(&["purge", "--before", "2100-01-01"]).await;
    assert_eq!(rest.status.code(), Some(0));
    let nothing = run(&["list"]).await;
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(0), 0));
    assert_eq!(stderr(&nothing), "no dead letters\n");
    assert!(files(&state.join("dead-letter")).is_empty());
}

#[tokio::test]
async fn a_dead_letter_that_is_damaged_is_named_and_hides_no_other() {
    let (simulator, _rows) = oversized(85).await;
    let folder = temporary_folder();
    let state = folder.path().join("state");
    let settings = two_logs(&Settings::in_folder(&simulator, &state));
    FunctionsHost::start(&settings).await.catch_up(5).await;
    let letters = state.join("dead-letter");
    let first = files(&letters).into_keys().next().unwrap();
    fs::write(letters.join(&first), "{\"min_reader\":1,").unwrap();
    let listed = dead_letters(&settings, folder.path(), &["list", "--json"]).await;
    assert_eq!(listed.status.code(), Some(1));
    assert_eq!(parsed(&listed).len(), files(&letters).len());
    assert!(stderr(&listed).contains(&first), "{listed:?}");
    let resent = dead_letters(&settings, folder.path(), &["resend", "--json"]).await;
    assert_eq!(resent.status.code(), Some(1));
    assert_eq!(parsed(&resent).len(), files(&letters).len());
    // The service cannot be reached: the rest is not tried.
    simulator
        .faults()
        .push(Fault::always(Target::LogAnalytics, FaultKind::Status(503)));
    let posts = simulator.calls().log_analytics.requests;
    let resent = dead_letters(&settings, folder.path(), &["resend", "--log", "activity"]).await;
    assert_eq!(resent.status.code(), Some(1));
    assert!(simulator.calls().log_analytics.requests <= posts + 1);
}
