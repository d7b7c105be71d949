//! Records that Azure Monitor refuses even alone: dead-lettered, never skipped.
//!
//! A record is known to be at fault only once Azure Monitor accepts another one in the same run.
//! Until then the refused record waits and the stored checkpoint stays before it; the run reads on,
//! because an acceptable record may be on a later page.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::checkpoint::Checkpoint;
use super::outcome::{Failure, RunError, RunOutcome};
use super::stop::Stop;
use crate::model::{Batch, IngestKind, Record, RecordKey, SendError};

/// Maximum refused records of one run; with more of them the records are not at fault.
const MAX_REFUSED: usize = 10;

#[derive(Default)]
pub(super) struct RefusedRecords {
    /// Records not dead-lettered yet, in order of refusal, with the error.
    waiting: VecDeque<(Record, IngestKind, SendError)>,
    count: usize,
    /// Whether another record was accepted, so that a refused record is at fault.
    pub(super) is_another_accepted: bool,
    /// Records with which Azure Monitor failed when they were sent alone, and the number of rows
    /// accepted by then.
    failed_alone: FxHashMap<RecordKey, u64>,
    /// Truncated records whose originals are already dead-lettered.
    pub(super) dead_lettered: FxHashSet<RecordKey>,
    /// The checkpoint to store while records wait.
    pub(super) held: Option<Box<Checkpoint>>,
}

impl RefusedRecords {
    pub(super) fn is_waiting(&self, key: RecordKey) -> bool {
        self.waiting.iter().any(|(record, ..)| record.key == key)
    }

    /// Whether records wait, so that the checkpoint must not advance.
    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next record to dead-letter: a waiting one, after another record was accepted.
    pub(super) fn next_dead_letter(&self) -> Option<&(Record, IngestKind, SendError)> {
        self.waiting.front().filter(|_| self.is_another_accepted)
    }

    /// Whether Azure Monitor fails because of the record of this batch: it failed with it before, and
    /// has accepted other records since.
    pub(super) fn is_at_fault(&mut self, batch: &Batch, accepted: u64) -> bool {
        let key = batch.records[0].key;
        self.failed_alone.insert(key, accepted).is_some_and(|before| before < accepted)
    }

    /// Removes the dead-lettered record. After the last one the checkpoint may advance.
    pub(super) fn settle(&mut self) {
        self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.held = None;
        }
    }

    /// Adds the record of a refused single-record batch. Ends the run after [`MAX_REFUSED`].
    pub(super) fn add(&mut self, batch: Batch, error: &SendError) -> Result<(), Stop> {
        for record in batch.records {
            self.waiting.push_back((record.detached(), batch.kind, error.clone()));
            self.count += 1;
        }
        if self.count > MAX_REFUSED {
            return Err(Stop::at(RunOutcome::Failed(Failure::RecordsRefused)));
        }
        Ok(())
    }

    /// An error that names the waiting records by id, never by content.
    pub(super) fn error(&self) -> Option<RunError> {
        let (_, _, last) = self.waiting.back()?;
        let refused = self.waiting.iter().map(|(record, ..)| record.key).collect();
        Some(RunError::RecordsRefused { refused, last: last.clone() })
    }
}
