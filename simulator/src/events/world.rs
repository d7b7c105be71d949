//! The events of all logs together.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Events;
use crate::{Config, LogType};

/// The events of all logs.
#[derive(Debug)]
pub(crate) struct World {
    logs: BTreeMap<LogType, Events>,
    /// Events that were returned with a lone surrogate in a name.
    corrupted: Mutex<HashSet<(LogType, u32)>>,
}

impl World {
    pub(crate) fn new(config: &Config) -> Self {
        let logs = LogType::ALL.map(|log| (log, Events::new(config, log)));
        Self { logs: BTreeMap::from(logs), corrupted: Mutex::default() }
    }

    pub(crate) fn events(&self, log: LogType) -> &Events {
        self.logs.get(&log).expect("all logs are created at the start")
    }

    /// The record with a lone surrogate in a name, recorded for verification. Identical records are
    /// recorded too, because they cannot be distinguished.
    pub(crate) fn corrupt(&self, log: LogType, index: u32) -> String {
        let events = self.events(log);
        let record = events.record(index);
        let millisecond = events.millisecond(index);
        let beside = events.positions(millisecond, millisecond);
        let twins = beside
            .map(|position| events.index_at(position))
            .filter(|twin| events.record(*twin) == record);
        let twins: Vec<u32> = twins.collect();
        let mut corrupted = self.corrupted();
        corrupted.insert((log, index));
        corrupted.extend(twins.into_iter().map(|twin| (log, twin)));
        drop(corrupted);
        events.corrupted_record(index)
    }

    /// Whether the record was ever returned with a lone surrogate.
    pub(crate) fn was_corrupted(&self, log: LogType, index: u32) -> bool {
        self.corrupted().contains(&(log, index))
    }

    /// The indexes of all records of `log` that were returned with a lone surrogate.
    pub(crate) fn corrupted_of(&self, log: LogType) -> Vec<u32> {
        self.corrupted().iter().filter(|(of, _)| *of == log).map(|(_, index)| *index).collect()
    }

    fn corrupted(&self) -> MutexGuard<'_, HashSet<(LogType, u32)>> {
        self.corrupted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
