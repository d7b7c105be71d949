//! The events of all logs together.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Events;
use crate::{Config, LogType};

/// The events of all logs.
#[derive(Debug)]
pub(crate) struct World {
    logs: BTreeMap<LogType, Events>,
    /// Events that were once served with a lone surrogate in a name.
    spoilt: Mutex<HashSet<(LogType, u32)>>,
}

impl World {
    pub(crate) fn new(config: &Config) -> Self {
        let logs = LogType::ALL.map(|log| (log, Events::new(config, log)));
        Self { logs: BTreeMap::from(logs), spoilt: Mutex::default() }
    }

    pub(crate) fn events(&self, log: LogType) -> &Events {
        self.logs.get(&log).expect("all logs are made at the start")
    }

    /// The record as served with a lone surrogate in a name; remembered for the judge. So are its twins: nobody can tell
    /// which of some identical records it was.
    pub(crate) fn spoil(&self, log: LogType, index: u32) -> String {
        let events = self.events(log);
        let record = events.record(index);
        let millisecond = events.millisecond(index);
        let beside = events.positions(millisecond, millisecond);
        let twins = beside
            .map(|position| events.index_at(position))
            .filter(|twin| events.record(*twin) == record);
        let twins: Vec<u32> = twins.collect();
        let mut spoilt = self.spoilt();
        spoilt.insert((log, index));
        spoilt.extend(twins.into_iter().map(|twin| (log, twin)));
        drop(spoilt);
        events.spoilt_record(index)
    }

    /// Whether the record was ever served with a lone surrogate.
    pub(crate) fn was_spoilt(&self, log: LogType, index: u32) -> bool {
        self.spoilt().contains(&(log, index))
    }

    /// The indexes of all records of `log` that were served with a lone surrogate.
    pub(crate) fn spoilt_of(&self, log: LogType) -> Vec<u32> {
        self.spoilt().iter().filter(|(of, _)| *of == log).map(|(_, index)| *index).collect()
    }

    fn spoilt(&self) -> MutexGuard<'_, HashSet<(LogType, u32)>> {
        self.spoilt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
