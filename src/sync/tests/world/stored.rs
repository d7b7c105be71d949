//! The stored state: checkpoints, ledger and results of hours.

use std::collections::{BTreeMap, HashMap};

use super::ports::{Container, HOST};
use super::{DuoEvent, World};
use crate::model::{Hour, Span};
use crate::storage::{Document as _, LedgerEntry};
use crate::sync::{Checkpoint, DayResults, HourResult};

impl World {
    /// The result of an hour.
    pub(in crate::sync::tests) fn result(&self, hour: Hour) -> HourResult {
        self.result_of(hour).unwrap_or_else(|| panic!("{hour} has no result"))
    }

    /// The result of an hour, if stored.
    pub(in crate::sync::tests) fn result_of(&self, hour: Hour) -> Option<HourResult> {
        let name = self.state_name(&format!("ledger/{}.json", hour.date()));
        let (content, _) = self.blobs.get(&(Container::State, name))?;
        DayResults::from_json(content).unwrap().hours.remove(&hour.number_in_day())
    }

    /// The results of the hours of some days.
    pub(in crate::sync::tests) fn results_of_days(&self, span: Span) -> BTreeMap<Hour, HourResult> {
        let days = span.hours().filter(|hour| *hour == hour.day() || hour.start() == span.from);
        let results = days.filter_map(|hour| {
            let name = self.state_name(&format!("ledger/{}.json", hour.date()));
            let (content, _) = self.blobs.get(&(Container::State, name))?;
            Some(DayResults::from_json(content).unwrap().by_hour(hour.day()))
        });
        results.flatten().collect()
    }

    /// All results of hours.
    pub(in crate::sync::tests) fn results(&self) -> Vec<HourResult> {
        let days = self.blobs.iter().filter(|((_, name), _)| {
            name.contains("/ledger/") && name.strip_suffix(".json").is_some()
        });
        days.flat_map(|(_, (content, _))| {
            DayResults::from_json(content).unwrap().hours.into_values()
        })
        .collect()
    }

    pub(in crate::sync::tests) fn state_name(&self, name: &str) -> String {
        format!("{HOST}/self/{}/{name}", self.config.log_type)
    }

    /// The ledger entries, with their hours.
    pub(in crate::sync::tests) fn ledger(&self) -> HashMap<LedgerEntry, Hour> {
        let blobs = self.blobs.iter().filter_map(|((_, name), (content, _))| {
            let hour = name.rsplit('/').next()?.strip_suffix(".ids")?;
            Some((Hour::parse(hour)?, content))
        });
        let entries = blobs.flat_map(|(hour, content)| {
            content.as_chunks().0.iter().map(move |entry| (LedgerEntry::from_bytes(entry), hour))
        });
        entries.collect()
    }

    /// Adds an event to the ledger.
    pub(in crate::sync::tests) fn add_to_ledger(&mut self, event: DuoEvent) {
        let name = self.state_name(&format!("ledger/{}.ids", Hour::of(event.time)));
        let (content, _) = self.blobs.entry((Container::State, name)).or_default();
        content.extend_from_slice(&LedgerEntry::from(event.key).to_bytes());
        self.delivered_before.insert(event.key);
    }

    pub(in crate::sync::tests) fn checkpoint_window_cursor(&self) -> Option<String> {
        self.stored()?.window?.cursor
    }

    pub(in crate::sync::tests) fn checkpoint_name(&self) -> (Container, String) {
        let name = if self.config.backfill.is_some() {
            "backfill/simulated.json"
        } else {
            "checkpoint.json"
        };
        (Container::State, self.state_name(name))
    }

    /// The stored checkpoint.
    pub(in crate::sync::tests) fn stored(&self) -> Option<Checkpoint> {
        let (content, _) = self.blobs.get(&self.checkpoint_name())?;
        Some(Checkpoint::from_json(content).unwrap())
    }

    pub(in crate::sync::tests) fn checkpoint(&self) -> Checkpoint {
        self.stored().unwrap()
    }

    /// Deletes the checkpoint, as an operator or a lifecycle rule may.
    pub(in crate::sync::tests) fn delete_checkpoint(&mut self) {
        self.blobs.remove(&self.checkpoint_name());
        self.mintimes.clear();
    }

    /// Stores a checkpoint.
    pub(in crate::sync::tests) fn store(&mut self, checkpoint: &Checkpoint) {
        self.versions += 1;
        self.blobs.insert(self.checkpoint_name(), (checkpoint.to_json(), self.versions));
    }
}
