//! The ids already delivered, by hour of event time, read when first needed in a run.

use std::collections::{BTreeMap, VecDeque};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::Hour;
use crate::storage::{LedgerId, LogState, StateError, ledger_id};
use crate::sync::{Conclusion, HourResult, RowId};

/// Ids kept in memory, over all hours; the hours touched longest ago make room. Bounds memory whatever the backlog.
const MOST_IDS: usize = 100_000;
/// Hours read or written at once.
const SIDE_BY_SIDE: usize = 8;

/// What the run knows of the stored ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    state: LogState,
    /// Ids are parts of a SHA-256: nobody can choose them so that they collide in a plain hash.
    hours: FxHashMap<Hour, FxHashSet<LedgerId>>,
    /// The hours in memory, those touched longest ago first.
    touched: VecDeque<Hour>,
}

impl Ledger {
    pub(super) fn new(state: LogState) -> Self {
        Self {
            state,
            hours: FxHashMap::default(),
            touched: VecDeque::new(),
        }
    }

    /// Makes sure that these hours are in memory.
    pub(super) async fn recall(&mut self, hours: &[Hour]) -> Result<(), StateError> {
        let missing: Vec<Hour> = hours
            .iter()
            .copied()
            .filter(|hour| !self.hours.contains_key(hour))
            .collect();
        let read: Vec<(Hour, Vec<LedgerId>)> = stream::iter(missing)
            .map(|hour| {
                let state = self.state.clone();
                async move { Ok::<_, StateError>((hour, state.ids(hour).await?)) }
            })
            .buffer_unordered(SIDE_BY_SIDE)
            .try_collect()
            .await?;
        for (hour, ids) in read {
            self.hours.insert(hour, ids.into_iter().collect());
        }
        self.touched.retain(|hour| !hours.contains(hour));
        self.touched.extend(hours);
        self.make_room(hours.len());
        Ok(())
    }

    /// Whether an id of an hour in memory was delivered.
    pub(super) fn contains(&self, hour: Hour, id: &RowId) -> bool {
        self.hours
            .get(&hour)
            .is_some_and(|ids| ids.contains(&ledger_id(id)))
    }

    /// How many events of each hour were delivered.
    pub(super) async fn tally(&mut self, hours: &[Hour]) -> Result<Vec<u64>, StateError> {
        let mut tally = Vec::with_capacity(hours.len());
        // One after another: two days of a busy log are more than memory is for.
        for hour in hours {
            self.recall(&[*hour]).await?;
            tally.push(self.hours.get(hour).map_or(0, |ids| ids.len() as u64));
        }
        Ok(tally)
    }

    /// Stores what was found out about hours, and forgets what is not needed any more.
    pub(super) async fn conclude(&mut self, conclusion: Conclusion) -> Result<(), StateError> {
        let mut by_day: BTreeMap<Hour, Vec<(Hour, HourResult)>> = BTreeMap::new();
        for (hour, result) in conclusion.results {
            by_day.entry(hour.day()).or_default().push((hour, result));
        }
        for (day, results) in by_day {
            self.state.add_results(day, &results).await?;
        }
        for hour in conclusion.forget {
            self.hours.remove(&hour);
            self.touched.retain(|touched| *touched != hour);
            self.state.forget_ids(hour).await?;
        }
        for day in conclusion.prune {
            self.state.forget_results(day).await?;
        }
        Ok(())
    }

    /// Stores the ids of an accepted call.
    pub(super) async fn record(&mut self, ids: &[(Hour, RowId)]) -> Result<(), StateError> {
        let mut by_hour: FxHashMap<Hour, Vec<LedgerId>> = FxHashMap::default();
        for (hour, id) in ids {
            by_hour.entry(*hour).or_default().push(ledger_id(id));
        }
        let recorded: Vec<(Hour, Vec<LedgerId>)> = stream::iter(by_hour)
            .map(|(hour, ids)| {
                let state = self.state.clone();
                async move { state.record(hour, &ids).await.map(|()| (hour, ids)) }
            })
            .buffer_unordered(SIDE_BY_SIDE)
            .try_collect()
            .await?;
        for (hour, ids) in recorded {
            if let Some(known) = self.hours.get_mut(&hour) {
                known.extend(ids);
            }
        }
        Ok(())
    }

    /// Forgets the hours touched longest ago, but never the `needed` ones just touched.
    fn make_room(&mut self, needed: usize) {
        let mut held: usize = self.hours.values().map(FxHashSet::len).sum();
        while held > MOST_IDS && self.touched.len() > needed {
            let Some(oldest) = self.touched.pop_front() else {
                return;
            };
            held -= self.hours.remove(&oldest).map_or(0, |ids| ids.len());
        }
    }
}

#[cfg(test)]
mod tests;
