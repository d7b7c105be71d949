//! Stored health of the logs and of the last check, and the status made from it.

use duo_sentinel::http::Transport;
use duo_sentinel::model::{HOUR, Hour, IngestionApi, LogType, Span};
use duo_sentinel::settings::StateSettings;
use duo_sentinel::status::{Activity, Code, CurrentHealth, LastCheck, LogHealth, Outcome};
use duo_sentinel::status::{Status, page};
use duo_sentinel::storage::{Document as _, LogState, document, open};
use duo_sentinel::sync::{Checkpoint, RunCounts};

use crate::fuzz::core::{NOW, resume};
use crate::fuzz::drive::{fuzz, fuzz_stored};

const HOST: &str = "api-x.duosecurity.com";
const HEALTH: &[u8] = include_bytes!("stored/health.json");
const CHECK: &[u8] = include_bytes!("stored/diagnostics.json");

/// The health after a run.
fn current(outcome: Outcome, code: Option<Code>) -> CurrentHealth {
    CurrentHealth {
        outcome,
        code,
        http_status: code.map(|_| 429),
        since: NOW,
        seen_at: NOW,
        collected_to: Some(NOW - HOUR),
        retry_at: None,
    }
}

#[test]
fn health_of_a_log() {
    let whole = LogHealth::from_json(HEALTH).unwrap();
    assert_eq!((whole.hours.len(), whole.last_errors.len()), (3, 2));
    fuzz_stored("health of a log", &[HEALTH], |mut read: LogHealth| {
        // A document that was read accepts new runs and does not grow without limit.
        let counts = RunCounts { events: 7, ..RunCounts::default() };
        read.add(current(Outcome::CaughtUp, None), counts);
        for code in Code::all() {
            read.add(current(Outcome::Failed, Some(code)), counts);
        }
        assert_eq!(read.last_errors.len(), 10);
        assert_eq!(read.current.as_ref().unwrap().seen_at, NOW);
        let kept_from = Hour::of(NOW).after(-7 * 24);
        assert!(read.hours.keys().all(|hour| *hour > kept_from));
        read.reported(NOW);
        assert_eq!(read.unreported, Activity::default());
        assert_eq!(LogHealth::from_json(&read.to_json()).unwrap(), read);
    });
}

#[test]
fn last_check() {
    assert_eq!(LastCheck::from_json(CHECK).unwrap().check.errors.len(), 2);
    fuzz_stored("last check", &[CHECK], |read: LastCheck| {
        // A valid result is used for an hour; any other is replaced by a new check.
        let sha256 = read.sha256.clone();
        let at = read.check.checked_at;
        assert!(!read.is_over(at, sha256.as_deref()));
        assert!(read.is_over(at + HOUR, sha256.as_deref()));
        assert!(read.is_over(NOW, Some("another program")) || sha256.is_some());
    });
}

#[test]
fn status_of_stored_documents() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = StateSettings::Folder(folder.path().to_owned());
    let store = open(&settings, &Transport::new().unwrap()).unwrap();
    let account = folder.path().join(HOST).join("self");
    std::fs::create_dir_all(account.join("activity/ledger")).unwrap();
    let files = [
        ("activity/health.json", HEALTH),
        ("diagnostics.json", CHECK),
        ("activity/checkpoint.json", include_bytes!("stored/checkpoint.json")),
        ("activity/ledger/2026-11-22.json", include_bytes!("stored/2026-11-22.json")),
    ];
    for (name, content) in files {
        std::fs::write(account.join(name), content).unwrap();
    }
    let shown = || {
        let logs = [LogType::Activity];
        let api = IngestionApi::LogsIngestion;
        let status = runtime.block_on(Status::read(&store, HOST, &logs, api, NOW));
        let json = serde_json::to_value(&status).unwrap();
        (json, page(&status))
    };
    let (json, _) = shown();
    assert_eq!(json["logs"][0]["state"], "backing_off");
    assert_eq!(json["check"]["errors"].as_array().unwrap().len(), 2);
    let largest = String::from_utf8_lossy(HEALTH)
        .replace("1204", "18446744073709551615")
        .replace("977", "18446744073709551614");
    let mut documents = files.map(|(_, content)| content).to_vec();
    documents.push(largest.as_bytes());
    fuzz("status of stored documents", &documents, |bytes| {
        // Damage one document at a time, so that the others are valid.
        for (name, content) in files {
            std::fs::write(account.join(name), bytes).unwrap();
            let (json, page) = shown();
            assert_eq!(json["logs"].as_array().unwrap().len(), 1);
            assert!(page.ends_with("</html>"), "{page}");
            assert!(page.len() < 2_000_000, "{} bytes", page.len());
            std::fs::write(account.join(name), content).unwrap();
        }
        // Only a document of a later release prevents writing a new one.
        std::fs::write(account.join("activity/health.json"), bytes).unwrap();
        let state = LogState::new(store.clone(), HOST, LogType::Activity);
        let name = state.health_name();
        let stored = document::read::<LogHealth>(state.store(), &name);
        if let Err(error) = runtime.block_on(stored) {
            assert!(error.to_string().contains("format version"), "{error}");
        }
        std::fs::write(account.join("activity/health.json"), HEALTH).unwrap();
    });
}

#[test]
fn backfill_checkpoints() {
    let whole = include_bytes!("stored/backfill.json");
    let read = Checkpoint::from_json(whole).unwrap();
    assert!(read.reconciliation.reading.is_some());
    // The span comes from the command, not from the stored document.
    let [from, to] = [-84, -28].map(|hours| Hour::of(NOW).after(hours).start());
    fuzz_stored("backfill checkpoint", &[whole], |read| resume(Some(Span { from, to }), &read));
}
