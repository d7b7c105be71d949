#![allow(clippy::unwrap_used, reason = "the setup of these tests cannot fail")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::LogState;
use crate::model::{Hour, LogType, Millis};
use crate::storage::folder::FolderStore;
use crate::storage::{Document, LedgerEntry, WriteError};

/// 2026-11-22T12:00:00Z.
const NOON: Hour = Hour::of(Millis(1_795_348_800_000));
const HOST: &str = "api-00000000.duosecurity.com";

fn state(folder: &TempDir, log_type: LogType) -> LogState {
    let store = Arc::new(FolderStore::new(folder.path().to_owned()));
    LogState::new(store, HOST, log_type)
}

/// A test document in place of the core's checkpoints and results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counts {
    version: u32,
    min_reader: u32,
    hours: BTreeMap<String, u64>,
}

impl Document for Counts {
    const IS_EVIDENCE: bool = true;
}

fn file(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(HOST).join("self/activity").join(name)
}

fn checkpoint(number: u64) -> Counts {
    Counts { hours: [("number".to_owned(), number)].into(), ..Counts::default() }
}

async fn load(state: &LogState) -> Counts {
    state.load().await.unwrap().unwrap().0
}

fn entries(numbers: std::ops::Range<u8>) -> Vec<LedgerEntry> {
    numbers.map(|number| LedgerEntry::from_bytes(&[number; 24])).collect()
}

fn one_hour(hour: Hour) -> impl FnMut(&mut Counts) + Send {
    move |known| {
        known.hours.insert(hour.number_in_day(), 7);
    }
}

#[tokio::test]
async fn a_checkpoint_replaces_only_the_one_that_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    assert_eq!(state.load::<Counts>().await.unwrap(), None);
    let first = state.save(checkpoint(1).to_json(), None).await.unwrap();
    let (stored, version) = state.load::<Counts>().await.unwrap().unwrap();
    assert_eq!((stored, &version), (checkpoint(1), &first));
    let second = state.save(checkpoint(2).to_json(), Some(&first)).await.unwrap();
    let conflict = state.save(checkpoint(3).to_json(), Some(&first)).await;
    assert!(matches!(conflict, Err(WriteError::Conflict)));
    // A backfill has a checkpoint of its own.
    assert_eq!(state.of_backfill("one").load::<Counts>().await.unwrap(), None);
    let conflict = state.save(checkpoint(3).to_json(), None).await;
    assert!(matches!(conflict, Err(WriteError::Conflict)));
    // The response to this write was lost; the write is retried.
    let again = state.save(checkpoint(2).to_json(), Some(&first)).await.unwrap();
    assert_eq!(again, second);
    assert_eq!(load(&state).await, checkpoint(2));
    assert!(file(&folder, "checkpoint.json").is_file());
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_used_is_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    state.save(checkpoint(1).to_json(), None).await.unwrap();
    std::fs::write(file(&folder, "checkpoint.json"), "{}").unwrap();
    let error = state.load::<Counts>().await.unwrap_err();
    assert_eq!(error.action, "use");
    assert!(error.name.contains("self/activity/checkpoint.json"));
    assert!(error.hint.unwrap().contains("last settled hour"));
    let kept = std::fs::read(file(&folder, "checkpoint.json")).unwrap();
    assert_eq!(kept, b"{}");
}

#[tokio::test]
async fn entries_are_appended_to_their_hour_and_removed_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let activity = state(&folder, LogType::Activity);
    activity.append(NOON, &entries(0..3)).await.unwrap();
    activity.append(NOON, &entries(3..4)).await.unwrap();
    activity.append(NOON.after(1), &entries(7..8)).await.unwrap();
    assert_eq!(activity.entries(NOON).await.unwrap(), entries(0..4));
    let telephony = state(&folder, LogType::Telephony);
    assert!(telephony.entries(NOON).await.unwrap().is_empty());
    activity.remove_entries(NOON).await.unwrap();
    assert!(activity.entries(NOON).await.unwrap().is_empty());
    assert_eq!(activity.entries(NOON.after(1)).await.unwrap(), entries(7..8));
    // Nothing is left to remove.
    activity.remove_entries(NOON).await.unwrap();
}

#[tokio::test]
async fn a_partial_entry_of_a_killed_process_damages_no_other_entry() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let name = file(&folder, "ledger/2026-11-22T12.ids");
    state.append(NOON, &entries(0..2)).await.unwrap();
    let mut content = std::fs::read(&name).unwrap();
    content.extend([9; 5]);
    std::fs::write(&name, &content).unwrap();
    assert_eq!(state.entries(NOON).await.unwrap(), entries(0..2));
    // A folder store needs no quarantine: the next append truncates it.
    assert_eq!(std::fs::read(&name).unwrap(), content);
    state.append(NOON, &entries(2..3)).await.unwrap();
    assert_eq!(state.entries(NOON).await.unwrap(), entries(0..3));
    assert_eq!(std::fs::read(&name).unwrap().len(), 72);
}

#[tokio::test]
async fn concurrent_updates_of_results_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let day = NOON.day();
    let add = |number| {
        let state = state.clone();
        async move {
            let hour = day.after(number);
            state.update_results(day, one_hour(hour)).await
        }
    };
    for pair in 0..12 {
        let (one, other) = tokio::join!(add(2 * pair), add(2 * pair + 1));
        one.unwrap();
        other.unwrap();
    }
    assert_eq!(state.results::<Counts>(day).await.unwrap().hours.len(), 24);
    let next = state.results::<Counts>(day.after(24)).await.unwrap();
    assert!(next.hours.is_empty());
    state.remove_results(day).await.unwrap();
    assert!(state.results::<Counts>(day).await.unwrap().hours.is_empty());
}

#[tokio::test]
async fn damaged_results_are_quarantined_and_newer_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let day = NOON.day();
    state.update_results(day, one_hour(NOON)).await.unwrap();
    let name = file(&folder, "ledger/2026-11-22.json");
    std::fs::write(&name, "{\"version\":1").unwrap();
    state.update_results(day, one_hour(NOON)).await.unwrap();
    assert_eq!(state.results::<Counts>(day).await.unwrap().hours.len(), 1);
    let files = || {
        let files = std::fs::read_dir(name.parent().unwrap()).unwrap();
        files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    let quarantined: Vec<PathBuf> = files()
        .into_iter()
        .filter(|file| file.to_string_lossy().contains(".json.damaged-"))
        .collect();
    let [quarantined] = &quarantined[..] else { panic!("{quarantined:?}") };
    assert_eq!(std::fs::read(quarantined).unwrap(), b"{\"version\":1");

    let newer = r#"{"version":9,"min_reader":9,"hours":{}}"#;
    std::fs::write(&name, newer).unwrap();
    let error = state.update_results(day, one_hour(NOON)).await.unwrap_err();
    assert_eq!(error.action, "use");
    assert!(error.hint.unwrap().contains("release"));
    assert_eq!(std::fs::read_to_string(&name).unwrap(), newer);
}

#[tokio::test]
async fn a_damaged_document_without_evidence_is_overwritten_and_a_newer_one_is_kept() {
    #[derive(Default, Serialize, Deserialize)]
    struct Plain(Counts);
    impl Document for Plain {}
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let (store, name) = (state.store(), state.fields_name());
    let add = |known: &mut Plain| *known.0.hours.entry("a".to_owned()).or_default() += 1;
    let count = async || {
        let read = crate::storage::document::read::<Plain>(store, &name).await.unwrap();
        read.0.map(|plain| plain.0.hours["a"])
    };
    for expected in [1, 2] {
        crate::storage::document::update(store, &name, add).await.unwrap();
        assert_eq!(count().await, Some(expected));
    }
    let file = file(&folder, "fields.json");
    std::fs::write(&file, "{").unwrap();
    crate::storage::document::update(store, &name, add).await.unwrap();
    assert_eq!(count().await, Some(1));
    let newer = r#"{"version":9,"min_reader":9,"hours":{}}"#;
    std::fs::write(&file, newer).unwrap();
    assert!(crate::storage::document::update(store, &name, add).await.is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), newer);
}
