//! Records that Azure Monitor refuses one by one: dead-lettered, never passed over.
//!
//! Whether the record is at fault shows only when the service accepts another one in the same run. Until then a refused
//! record waits and the stored checkpoint stays before it; the run reads on, because the record that shows it may stand on a
//! later page.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::checkpoint::Checkpoint;
use super::outcome::{Failure, RunError, RunOutcome};
use super::stop::Stop;
use crate::model::{Batch, Record, RecordKey, SendError};

/// Records dead-lettered in one run because they were refused: beyond it the records are not at fault.
const MAX_REFUSED: usize = 10;

#[derive(Default)]
pub(super) struct RefusedRecords {
    /// Those that are not dead-lettered, in the order in which they were refused, with the refusal.
    waiting: VecDeque<(Record, SendError)>,
    count: usize,
    /// Whether another record was accepted: what is refused now is at fault itself.
    pub(super) is_another_accepted: bool,
    /// Truncated records whose originals are stored.
    pub(super) dead_lettered: FxHashSet<RecordKey>,
    /// The checkpoint that is stored while they wait.
    pub(super) held: Option<Box<Checkpoint>>,
}

impl RefusedRecords {
    pub(super) fn is_waiting(&self, key: RecordKey) -> bool {
        self.waiting.iter().any(|(record, _)| record.key == key)
    }

    /// Whether the checkpoint must not advance.
    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next record to dead-letter: one that waits, after another one was accepted.
    pub(super) fn at_fault(&self) -> Option<&(Record, SendError)> {
        self.waiting.front().filter(|_| self.is_another_accepted)
    }

    /// The record at fault was dead-lettered. With the last of them the checkpoint may advance.
    pub(super) fn settle(&mut self) {
        self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.held = None;
        }
    }

    /// Takes the record of a batch that was refused and cannot be halved. Ends the run when there were too many of them.
    pub(super) fn add(&mut self, batch: Batch, error: &SendError) -> Result<(), Stop> {
        for record in batch.records {
            self.waiting.push_back((record.detached(), error.clone()));
            self.count += 1;
        }
        if self.count > MAX_REFUSED {
            return Err(Stop::at(RunOutcome::Failed(Failure::RecordsRefused)));
        }
        Ok(())
    }

    /// The records that wait, by their identity, never by their content.
    pub(super) fn error(&self) -> Option<RunError> {
        let (_, last) = self.waiting.back()?;
        let refused = self.waiting.iter().map(|(record, _)| record.key).collect();
        Some(RunError::RecordsRefused { refused, last: last.clone() })
    }
}
