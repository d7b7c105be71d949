//! Originals are stored, in a folder or in a container, before their truncated rows are sent.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use simulator::LogType;

use crate::common::{FunctionsHost, Settings, originals, temporary_folder};
use crate::dead_letters::{cut_rows, oversized, two_logs};

/// Truncated rows and dead letters match one to one, and each original is complete.
fn assert_originals(letters: &BTreeMap<String, Vec<u8>>, rows: &BTreeMap<String, Value>) {
    assert_eq!(letters.len(), rows.len());
    assert!(letters.len() > 5, "too few to prove anything");
    for (name, letter) in letters {
        let letter: Value = serde_json::from_slice(letter).unwrap();
        let uid = letter["event_uid"].as_str().unwrap();
        let row = &rows[uid];
        let log = row["eventtype"].as_str().unwrap();
        let date = &row["event_time"].as_str().unwrap()[..10];
        let content = row["event_content"].as_str().unwrap();
        assert_eq!(letter["event_content"], content);
        let expected = format!("127.0.0.1/self/{log}/{date}/{uid}-{content}.json");
        assert_eq!(name, &expected);
        assert_eq!((&letter["version"], &letter["min_reader"]), (&1.into(), &1.into()));
        assert_eq!(letter["log_type"], log);
        assert_eq!(letter["why"]["reason"], "oversized");
        assert_eq!(letter["why"]["fields"][0], row["truncated_fields"]);
        let original: Value = serde_json::from_str(letter["original"].as_str().unwrap()).unwrap();
        let pointer = match log {
            "authentication" => "/alias",
            _ => "/action/details",
        };
        let value = |of: &Value| of.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let (whole, truncated) = (value(&original), value(row));
        assert_eq!(whole.len(), 39_999);
        assert_eq!(truncated, whole[..32_000]);
        let column = pointer[1..].replace('/', "_");
        assert_eq!(row["truncated_fields"], column);
    }
}

#[tokio::test]
async fn oversized_values_are_truncated_and_their_originals_kept_in_a_folder() {
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
    // The simulator compared every row; the service had nothing left to truncate.
    let report = simulator.report().await;
    assert_eq!((report.altered_rows, report.unknown_rows), (0, 0), "{report:#?}");
    assert_eq!(simulator.counts().log_analytics.values_cut, 0);
    let rows = cut_rows(rows.path());
    assert_originals(&originals(state.path()), &rows);
    assert_eq!(counted, rows.len() as u64);
    // One line per log names the records and shows none of their content.
    let stderr = host.stderr();
    for log in ["authentication", "activity"] {
        let lines: Vec<&String> = stderr
            .iter()
            .filter(|line| line.contains("dead letters") && line.contains(log))
            .collect();
        assert_eq!(lines.len(), 1, "{stderr:#?}");
        assert!(lines[0].contains("WARN") && lines[0].contains("event_uid "), "{}", lines[0]);
        assert!(rows.keys().any(|uid| lines[0].contains(uid)), "{}", lines[0]);
    }
    let everything =
        stderr.join("\n") + &host.stdout().join("\n") + &invocation.response.to_string();
    assert!(!everything.contains("éxéx"), "{everything}");
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_stored_stops_its_log_and_keeps_its_checkpoint() {
    let (simulator, rows) = oversized(83).await;
    let state = temporary_folder();
    // A file that blocks the creation of the folder.
    let obstacle = state.path().join("dead-letter");
    fs::write(&obstacle, "").unwrap();
    let settings = Settings::in_folder(&simulator, state.path());
    let host = FunctionsHost::start(&settings).await;
    for _ in 0..2 {
        let invocation = host.fire().await;
        invocation.assert_failed();
        for log in ["authentication", "activity"] {
            assert_eq!(invocation.outcome(log), "failed");
            let message = invocation.message(log);
            assert!(message.contains("cannot write"), "{message}");
            assert!(message.contains("CISCO_DUO_DEAD_LETTER_CONTAINER"), "{message}");
        }
        assert_eq!(invocation.outcome("telephony"), "caught_up");
        assert!(cut_rows(rows.path()).is_empty(), "a row was sent before its original was stored");
    }
    fs::remove_file(&obstacle).unwrap();
    host.deliver_all(&simulator, 0).await;
    assert_originals(&originals(state.path()), &cut_rows(rows.path()));
}
