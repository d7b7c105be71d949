#![allow(
    clippy::unwrap_used,
    reason = "what these tests build beside what they judge cannot fail"
)]

use std::path::PathBuf;

use serde_json::Map;
use tempfile::TempDir;

use super::{LedgerId, LogState};
use crate::model::{Hour, LogType, Millis};
use crate::storage::folder::FolderStore;
use crate::storage::{Store, WriteError};
use crate::sync::{Checkpoint, FieldCounts, HourResult, HourState, Span};

/// 2026-11-22T12:00:00Z.
const NOON: Hour = Hour::of(Millis(1_795_348_800_000));
const HOST: &str = "api-00000000.duosecurity.com";

fn state(folder: &TempDir, log_type: LogType) -> LogState {
    let store = Store::Folder(FolderStore::new(folder.path().to_owned()));
    LogState::new(store, HOST, log_type)
}

fn file(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(HOST).join("self/activity").join(name)
}

fn checkpoint(runs: u64) -> Checkpoint {
    let mut checkpoint = Checkpoint::first(NOON.start(), NOON.start());
    checkpoint.runs = runs;
    checkpoint
}

fn ids(numbers: std::ops::Range<u8>) -> Vec<LedgerId> {
    numbers.map(|number| [number; 16]).collect()
}

fn result(hour: Hour) -> HourResult {
    HourResult {
        state: HourState::Counted,
        span: Span::of(hour),
        counted: Some(7),
        delivered: 7,
        late: 0,
        gap: None,
        checked_at: hour.end(),
        checks: 1,
        unknown: Map::new(),
    }
}

#[tokio::test]
async fn a_checkpoint_replaces_only_the_one_that_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    assert_eq!(state.load().await.unwrap(), None);
    let first = state.save(&checkpoint(1), None).await.unwrap();
    let (stored, version) = state.load().await.unwrap().unwrap();
    assert_eq!((stored, &version), (checkpoint(1), &first));
    let second = state.save(&checkpoint(2), Some(&first)).await.unwrap();
    let conflict = state.save(&checkpoint(3), Some(&first)).await;
    assert!(matches!(conflict, Err(WriteError::Conflict)));
    let conflict = state.save(&checkpoint(3), None).await;
    assert!(matches!(conflict, Err(WriteError::Conflict)));
    // The answer to this write was lost, and it is written once more.
    let again = state.save(&checkpoint(2), Some(&first)).await.unwrap();
    assert_eq!(again, second);
    assert_eq!(state.load().await.unwrap().unwrap().0, checkpoint(2));
    assert!(file(&folder, "checkpoint.json").is_file());
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_used_is_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    state.save(&checkpoint(1), None).await.unwrap();
    std::fs::write(file(&folder, "checkpoint.json"), "{}").unwrap();
    let fault = state.load().await.unwrap_err();
    assert_eq!(fault.action, "use");
    assert!(fault.name.contains("self/activity/checkpoint.json"));
    assert!(fault.hint.unwrap().contains("CISCO_DUO_START"));
    let kept = std::fs::read(file(&folder, "checkpoint.json")).unwrap();
    assert_eq!(kept, b"{}");
}

#[tokio::test]
async fn ids_are_added_to_their_hour_and_forgotten_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let activity = state(&folder, LogType::Activity);
    activity.record(NOON, &ids(0..3)).await.unwrap();
    activity.record(NOON, &ids(3..4)).await.unwrap();
    activity.record(NOON.after(1), &ids(7..8)).await.unwrap();
    assert_eq!(activity.ids(NOON).await.unwrap(), ids(0..4));
    let telephony = state(&folder, LogType::Telephony);
    assert!(telephony.ids(NOON).await.unwrap().is_empty());
    activity.forget_ids(NOON).await.unwrap();
    assert!(activity.ids(NOON).await.unwrap().is_empty());
    assert_eq!(activity.ids(NOON.after(1)).await.unwrap(), ids(7..8));
    // Nothing to forget.
    activity.forget_ids(NOON).await.unwrap();
}

#[tokio::test]
async fn what_a_killed_process_left_of_an_id_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let name = file(&folder, "ledger/2026-11-22T12.ids");
    state.record(NOON, &ids(0..2)).await.unwrap();
    let mut content = std::fs::read(&name).unwrap();
    content.extend([9; 5]);
    std::fs::write(&name, &content).unwrap();
    assert_eq!(state.ids(NOON).await.unwrap(), ids(0..2));
    // A folder needs no copy of it: the next addition cuts it off.
    assert_eq!(std::fs::read(&name).unwrap(), content);
    state.record(NOON, &ids(2..3)).await.unwrap();
    assert_eq!(state.ids(NOON).await.unwrap(), ids(0..3));
    assert_eq!(std::fs::read(&name).unwrap().len(), 48);
}

#[tokio::test]
async fn results_that_several_add_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let day = NOON.day();
    let add = |number| {
        let state = state.clone();
        async move {
            let hour = day.after(number);
            state.add_results(day, &[(hour, result(hour))]).await
        }
    };
    for pair in 0..12 {
        let (one, other) = tokio::join!(add(2 * pair), add(2 * pair + 1));
        one.unwrap();
        other.unwrap();
    }
    assert_eq!(state.results(day).await.unwrap().hours.len(), 24);
    let next = state.results(day.after(24)).await.unwrap();
    assert!(next.hours.is_empty());
    state.forget_results(day).await.unwrap();
    assert!(state.results(day).await.unwrap().hours.is_empty());
}

#[tokio::test]
async fn damaged_results_are_set_aside_and_newer_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    let day = NOON.day();
    let results = [(NOON, result(NOON))];
    state.add_results(day, &results).await.unwrap();
    let name = file(&folder, "ledger/2026-11-22.json");
    std::fs::write(&name, "{\"version\":1").unwrap();
    state.add_results(day, &results).await.unwrap();
    assert_eq!(state.results(day).await.unwrap().hours.len(), 1);
    let files = || {
        let files = std::fs::read_dir(name.parent().unwrap()).unwrap();
        files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    let aside: Vec<PathBuf> = files()
        .into_iter()
        .filter(|file| file.to_string_lossy().contains(".json.damaged-"))
        .collect();
    let [aside] = &aside[..] else {
        panic!("{aside:?}")
    };
    assert_eq!(std::fs::read(aside).unwrap(), b"{\"version\":1");

    let newer = r#"{"version":9,"min_reader":9,"hours":{}}"#;
    std::fs::write(&name, newer).unwrap();
    let fault = state.add_results(day, &results).await.unwrap_err();
    assert_eq!(fault.action, "use");
    assert!(fault.hint.unwrap().contains("release"));
    assert_eq!(std::fs::read_to_string(&name).unwrap(), newer);
}

#[tokio::test]
async fn counts_of_unknown_fields_add_up_and_begin_anew_where_they_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder, LogType::Activity);
    assert!(state.fields().await.unwrap().is_empty());
    let mut counts = FieldCounts::default();
    counts.count("a");
    state.add_fields(&counts).await.unwrap();
    state.add_fields(&counts).await.unwrap();
    assert_eq!(state.fields().await.unwrap().fields["a"], 2);
    let file = file(&folder, "fields.json");
    std::fs::write(&file, "{").unwrap();
    state.add_fields(&counts).await.unwrap();
    assert_eq!(state.fields().await.unwrap().fields["a"], 1);
    // What a later release keeps there is left alone.
    let newer = r#"{"version":9,"min_reader":9,"fields":{}}"#;
    std::fs::write(&file, newer).unwrap();
    assert!(state.add_fields(&counts).await.is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), newer);
}
