//! Originals are kept, in a folder and in a container of their own, before anything of them is missing.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use simulator::LogType;

use crate::common::{FunctionsHost, Settings, originals, temporary_folder};
use crate::dead_letters::{cut_rows, oversized, two_logs};

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
    assert_eq!((report.altered_rows, report.unknown_rows), (0, 0), "{report:#?}");
    assert_eq!(simulator.calls().log_analytics.values_cut, 0);
    let rows = cut_rows(rows.path());
    assert_originals(&originals(state.path()), &rows);
    assert_eq!(counted, rows.len() as u64);
    // One line for each log, which names them and shows nothing of them.
    let said = host.stderr();
    for log in ["authentication", "activity"] {
        let lines: Vec<&String> = said
            .iter()
            .filter(|line| line.contains("dead letters") && line.contains(log))
            .collect();
        assert_eq!(lines.len(), 1, "{said:#?}");
        assert!(lines[0].contains("WARN") && lines[0].contains("event_uid "), "{}", lines[0]);
        assert!(rows.keys().any(|uid| lines[0].contains(uid)), "{}", lines[0]);
    }
    let everything = said.join("\n") + &host.stdout().join("\n") + &invocation.answer.to_string();
    assert!(!everything.contains("éxéx"), "{everything}");
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
            let told = invocation.message(log);
            assert!(told.contains("could not write"), "{told}");
            assert!(told.contains("CISCO_DUO_DEAD_LETTER_CONTAINER"), "{told}");
        }
        assert_eq!(invocation.outcome("telephony"), "caught_up");
        assert!(cut_rows(rows.path()).is_empty(), "a row went out without its original");
    }
    fs::remove_file(&in_the_way).unwrap();
    host.deliver_all(&simulator, 0).await;
    assert_originals(&originals(state.path()), &cut_rows(rows.path()));
}
