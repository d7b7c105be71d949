#![allow(clippy::unwrap_used, reason = "the setup of these tests cannot fail")]

use std::sync::Arc;

use tempfile::TempDir;

use super::{Ledger, LedgerEntry, MAX_ENTRIES, ledger_uid};
use crate::model::{Hour, LogType, Millis, RecordKey};
use crate::storage::LogState;
use crate::storage::folder::FolderStore;

/// 2026-11-22T22:00:00Z, two hours before the next day.
const FIRST: Hour = Hour::of(Millis(1_795_384_800_000));

fn state(folder: &TempDir) -> LogState {
    let store = Arc::new(FolderStore::new(folder.path().to_owned()));
    LogState::new(store, "api-00000000.duosecurity.com", LogType::Activity)
}

fn key(number: u64) -> RecordKey {
    let mut key = RecordKey::default();
    key.uid[..8].copy_from_slice(&number.to_be_bytes());
    key
}

/// Keys of an hour, by their numbers.
fn keys(hour: Hour, numbers: std::ops::Range<u64>) -> impl Iterator<Item = (Hour, LedgerEntry)> {
    numbers.map(move |number| (hour, key(number).into()))
}

/// A ledger whose folder has `counts` entries in the hours from `FIRST` on.
async fn filled(folder: &TempDir, counts: &[u64]) -> Ledger {
    let mut before = Ledger::new(state(folder));
    for (number, count) in (0..).zip(counts) {
        before.append(keys(FIRST.after(number), 0..*count)).await.unwrap();
    }
    Ledger::new(state(folder))
}

fn loaded(ledger: &Ledger) -> Vec<i64> {
    let is_loaded = |number: &i64| ledger.hours.contains_key(&FIRST.after(*number));
    (0..9).filter(is_loaded).collect()
}

#[tokio::test]
async fn appended_entries_are_known_in_this_run_and_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder, &[3]).await;
    // An append does not count as loading the hour.
    ledger.append(keys(FIRST, 3..5)).await.unwrap();
    assert!(!ledger.contains(FIRST, &key(3)));
    ledger.load(&[FIRST, FIRST.after(1)]).await.unwrap();
    assert!((0..5).all(|number| ledger.contains(FIRST, &key(number))));
    assert!(!ledger.contains(FIRST, &key(5)));
    assert!(!ledger.contains(FIRST.after(1), &key(0)));
    // Entries of a loaded hour are known at once.
    let two_hours = keys(FIRST, 5..6).chain(keys(FIRST.after(1), 8..9));
    ledger.append(two_hours).await.unwrap();
    assert!(ledger.contains(FIRST, &key(5)));
    assert!(ledger.contains(FIRST.after(1), &key(8)));
    let mut next = Ledger::new(state(&folder));
    next.load(&[FIRST.after(1)]).await.unwrap();
    assert!(next.contains(FIRST.after(1), &key(8)));
    assert!(!next.contains(FIRST.after(1), &key(5)));
}

#[tokio::test]
async fn each_entry_of_an_hour_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder, &[3, 0, 4]).await;
    // Two instances may have appended the same batch.
    ledger.append(keys(FIRST, 1..4)).await.unwrap();
    let hours = [FIRST, FIRST.after(1), FIRST.after(2)];
    assert_eq!(ledger.delivered(&hours).await.unwrap(), [4, 0, 4]);
}

#[tokio::test]
async fn the_least_recently_used_hours_are_evicted() {
    let most = MAX_ENTRIES as u64;
    let folder = tempfile::tempdir().unwrap();
    let tenth = most / 10;
    let mut ledger = filled(&folder, &[tenth * 3, tenth * 3, tenth * 4, 1, tenth * 8]).await;
    for number in 0..3 {
        ledger.load(&[FIRST.after(number)]).await.unwrap();
    }
    // The maximum.
    assert_eq!(loaded(&ledger), [0, 1, 2]);
    // The first is used again: the second is evicted.
    ledger.load(&[FIRST]).await.unwrap();
    ledger.load(&[FIRST.after(3)]).await.unwrap();
    assert_eq!(loaded(&ledger), [0, 2, 3]);
    // Two are evicted for one.
    ledger.load(&[FIRST.after(4)]).await.unwrap();
    assert_eq!(loaded(&ledger), [3, 4]);
    assert_eq!(ledger.used, [3, 4].map(|number| FIRST.after(number)));
    // The hours of one page stay, whatever their size.
    let page = [FIRST.after(1), FIRST.after(2), FIRST.after(4)];
    ledger.load(&page).await.unwrap();
    assert_eq!(loaded(&ledger), [1, 2, 4]);
    assert!(ledger.contains(FIRST.after(1), &key(0)));
}

#[tokio::test]
async fn a_replacement_is_not_counted_as_a_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let first = LedgerEntry::from(key(1));
    let changed = LedgerEntry { content: [7; 4], replaces: [1; 4], ..first };
    let before = LedgerEntry { content: [1; 4], ..first };
    state.append(FIRST, &[first, before, changed]).await.unwrap();
    let mut ledger = Ledger::new(state);
    assert_eq!(ledger.delivered(&[FIRST]).await.unwrap(), [2]);
    let current = ledger.current(&[FIRST], &[ledger_uid(&key(1))].into_iter().collect());
    assert!(ledger.has_several_contents(FIRST));
    assert_eq!(current[&ledger_uid(&key(1))], [[0; 4], [7; 4]]);
    let with_content = |content| RecordKey { content, ..key(1) };
    assert!(ledger.contains(FIRST, &with_content([7; 4])));
    assert!(!ledger.contains(FIRST, &with_content([9; 4])));
}

#[tokio::test]
async fn removed_hours_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder, &[3, 3]).await;
    ledger.load(&[FIRST, FIRST.after(1)]).await.unwrap();
    ledger.remove(FIRST).await.unwrap();
    assert_eq!(loaded(&ledger), [1]);
    let state = state(&folder);
    assert_eq!(state.entries(FIRST).await.unwrap(), []);
    assert_eq!(state.entries(FIRST.after(1)).await.unwrap().len(), 3);
}
