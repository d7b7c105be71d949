//! Stored state that is damaged, partially restored or written by another release.

use duo_sentinel::http::Transport;
use duo_sentinel::model::{Hour, LogType};
use duo_sentinel::settings::StateSettings;
use duo_sentinel::storage::{Document as _, LedgerEntry, LogState, open};
use duo_sentinel::sync::{Checkpoint, DayResults};

use crate::fuzz::core::{NOW, resume};
use crate::fuzz::damage::SECRET;
use crate::fuzz::drive::{fuzz, fuzz_stored};

const HOST: &str = "api-x.duosecurity.com";

#[test]
fn checkpoints() {
    let first = Checkpoint::first(NOW, NOW).to_json();
    let whole = include_bytes!("stored/checkpoint.json");
    assert!(Checkpoint::from_json(whole).unwrap().reconciliation.reading.is_some());
    fuzz_stored("checkpoint", &[whole, &first], |read| resume(None, &read));
}

#[test]
fn day_results() {
    let whole = include_bytes!("stored/2026-11-22.json");
    assert_eq!(DayResults::from_json(whole).unwrap().hours.len(), 3);
    fuzz_stored("day results", &[whole], |mut read: DayResults| {
        // A document that was read accepts new results.
        let results: Vec<_> = read.hours.values().cloned().collect();
        for (result, number) in results.into_iter().zip(0..) {
            read.add(Hour::of(NOW).after(number), result);
        }
        assert!(DayResults::from_json(&read.to_json()).is_ok());
    });
}

#[test]
fn ledger_entries() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = StateSettings::Folder(folder.path().to_owned());
    let store = open(&settings, &Transport::new().unwrap()).unwrap();
    let state = LogState::new(store, HOST, LogType::Activity);
    let ledger = folder.path().join(HOST).join("self/activity/ledger");
    std::fs::create_dir_all(&ledger).unwrap();
    let hour = Hour::of(NOW);
    let (entries_file, results_file) =
        (ledger.join(format!("{hour}.ids")), ledger.join(format!("{}.json", hour.date())));
    let entries: Vec<u8> = (0..240).collect();
    fuzz("ledger entries", &[&entries, &entries[..233], b""], |bytes| {
        std::fs::write(&entries_file, bytes).unwrap();
        std::fs::write(&results_file, bytes).unwrap();
        runtime.block_on(async {
            let (whole, _) = bytes.as_chunks::<24>();
            let whole: Vec<_> = whole.iter().map(LedgerEntry::from_bytes).collect();
            assert_eq!(state.entries(hour).await.unwrap(), whole);
            let more = [[7; 24], [8; 24]].map(|bytes| LedgerEntry::from_bytes(&bytes));
            state.append(hour, &more).await.unwrap();
            let all = [whole, more.to_vec()].concat();
            assert_eq!(state.entries(hour).await.unwrap(), all);
            // Results that cannot be read are quarantined, unless a later release wrote them.
            if let Err(error) = state.results::<DayResults>(hour.day()).await {
                assert!(!error.to_string().contains(SECRET), "{error}");
            }
        });
        for file in std::fs::read_dir(&ledger).unwrap() {
            let file = file.unwrap();
            if file.file_name().to_string_lossy().contains(".damaged-") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    });
}
