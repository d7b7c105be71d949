#![allow(
    clippy::unwrap_used,
    reason = "what these tests build beside what they judge cannot fail"
)]

use serde_json::Map;
use tempfile::TempDir;

use super::{Ledger, MOST_IDS};
use crate::http::Transport;
use crate::model::{Hour, LogType, Millis};
use crate::settings::StateSettings;
use crate::storage::{LogState, Store};
use crate::sync::{Conclusion, HourResult, HourState, RowId, Span};

/// 2026-11-22T22:00:00Z: the next hour but one is of the next day.
const FIRST: Hour = Hour::of(Millis(1_795_384_800_000));

fn state(folder: &TempDir) -> LogState {
    let settings = StateSettings::Folder(folder.path().to_owned());
    let store = Store::open(&settings, &Transport::new().unwrap()).unwrap();
    LogState::new(store, "api-00000000.duosecurity.com", LogType::Activity)
}

fn id(number: u64) -> RowId {
    let mut id = RowId::default();
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

/// Ids of an hour, by their numbers.
fn ids(hour: Hour, numbers: std::ops::Range<u64>) -> Vec<(Hour, RowId)> {
    numbers.map(|number| (hour, id(number))).collect()
}

/// A ledger in whose folder the hours from the first on have so many ids.
async fn filled(folder: &TempDir, counts: &[u64]) -> Ledger {
    let mut before = Ledger::new(state(folder));
    for (number, count) in (0..).zip(counts) {
        before
            .record(&ids(FIRST.after(number), 0..*count))
            .await
            .unwrap();
    }
    Ledger::new(state(folder))
}

fn held(ledger: &Ledger) -> Vec<i64> {
    let is_held = |number: &i64| ledger.hours.contains_key(&FIRST.after(*number));
    (0..9).filter(is_held).collect()
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
async fn what_is_recorded_is_known_in_this_run_and_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder, &[3]).await;
    // An hour that is not in memory is not taken for one that was read.
    ledger.record(&ids(FIRST, 3..5)).await.unwrap();
    assert!(!ledger.contains(FIRST, &id(3)));
    ledger.recall(&[FIRST, FIRST.after(1)]).await.unwrap();
    assert!((0..5).all(|number| ledger.contains(FIRST, &id(number))));
    assert!(!ledger.contains(FIRST, &id(5)));
    assert!(!ledger.contains(FIRST.after(1), &id(0)));
    // An hour that is, is known at once.
    let two_hours = [ids(FIRST, 5..6), ids(FIRST.after(1), 8..9)].concat();
    ledger.record(&two_hours).await.unwrap();
    assert!(ledger.contains(FIRST, &id(5)));
    assert!(ledger.contains(FIRST.after(1), &id(8)));
    let mut next = Ledger::new(state(&folder));
    next.recall(&[FIRST.after(1)]).await.unwrap();
    assert!(next.contains(FIRST.after(1), &id(8)));
    assert!(!next.contains(FIRST.after(1), &id(5)));
}

#[tokio::test]
async fn the_tally_counts_each_id_of_each_hour_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder, &[3, 0, 4]).await;
    // Two instances may have recorded the same call.
    ledger.record(&ids(FIRST, 1..4)).await.unwrap();
    let hours = [FIRST, FIRST.after(1), FIRST.after(2)];
    assert_eq!(ledger.tally(&hours).await.unwrap(), [4, 0, 4]);
}

#[tokio::test]
async fn the_hours_touched_longest_ago_make_room() {
    let most = MOST_IDS as u64;
    let folder = tempfile::tempdir().unwrap();
    let tenth = most / 10;
    let mut ledger = filled(&folder, &[tenth * 3, tenth * 3, tenth * 4, 1, tenth * 8]).await;
    for number in 0..3 {
        ledger.recall(&[FIRST.after(number)]).await.unwrap();
    }
    // As many as there is room for.
    assert_eq!(held(&ledger), [0, 1, 2]);
    // The first is touched again: the second has to go.
    ledger.recall(&[FIRST]).await.unwrap();
    ledger.recall(&[FIRST.after(3)]).await.unwrap();
    assert_eq!(held(&ledger), [0, 2, 3]);
    // Two have to go for one.
    ledger.recall(&[FIRST.after(4)]).await.unwrap();
    assert_eq!(held(&ledger), [3, 4]);
    assert_eq!(ledger.touched, [3, 4].map(|number| FIRST.after(number)));
    // What one page needs stays, however much it is.
    let page = [FIRST.after(1), FIRST.after(2), FIRST.after(4)];
    ledger.recall(&page).await.unwrap();
    assert_eq!(held(&ledger), [1, 2, 4]);
    assert!(ledger.contains(FIRST.after(1), &id(0)));
}

#[tokio::test]
async fn results_are_stored_by_day_and_what_is_settled_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = filled(&folder, &[3, 3, 3]).await;
    let hours = [FIRST, FIRST.after(1), FIRST.after(2)];
    ledger.recall(&hours).await.unwrap();
    let conclusion = Conclusion {
        results: hours.map(|hour| (hour, result(hour))).into(),
        forget: vec![FIRST, FIRST.after(1)],
        prune: Vec::new(),
    };
    ledger.conclude(conclusion).await.unwrap();
    let state = state(&folder);
    let of_day = async |hour: Hour| {
        let results = state.results(hour.day()).await.unwrap();
        results.hours.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(of_day(FIRST).await, ["22", "23"]);
    assert_eq!(of_day(FIRST.after(2)).await, ["00"]);
    assert_eq!(held(&ledger), [2]);
    assert_eq!(ledger.touched, [FIRST.after(2)]);
    assert_eq!(state.ids(FIRST).await.unwrap().len(), 0);
    assert_eq!(state.ids(FIRST.after(2)).await.unwrap().len(), 3);
    let conclusion = Conclusion {
        results: Vec::new(),
        forget: Vec::new(),
        prune: vec![FIRST.day()],
    };
    ledger.conclude(conclusion).await.unwrap();
    assert!(of_day(FIRST).await.is_empty());
    assert_eq!(of_day(FIRST.after(2)).await, ["00"]);
}
