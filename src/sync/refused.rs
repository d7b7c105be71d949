//! Records that Azure Monitor refuses one by one: dead-lettered, never passed over.
//!
//! Whether the record is at fault shows only when the service accepts another one in the same run. Until then a refused
//! record waits and the stored checkpoint stays before it; the run reads on, because the record that shows it may stand on a
//! later page.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::checkpoint::Checkpoint;
use super::outcome::{Failure, RunError, RunOutcome};
use super::ports::Ports;
use super::run::Run;
use super::stop::Stop;
use crate::model::{Batch, Hour, Record, RecordKey, SendError};
use crate::storage::{DeadLetter, Why};

/// Records dead-lettered in one run because they were refused: beyond it the records are not at fault.
const MAX_REFUSED: usize = 10;

/// What the run knows of refused and dead-lettered records.
#[derive(Default)]
pub(super) struct RefusedRecords {
    /// Those that are not dead-lettered, in the order in which they were refused, with the refusal.
    waiting: VecDeque<(Record, SendError)>,
    /// How many were refused in this run.
    count: usize,
    /// Whether another record was accepted in this run.
    is_another_accepted: bool,
    /// Truncated records whose originals are stored.
    dead_lettered: FxHashSet<RecordKey>,
    /// The checkpoint that is stored while they wait.
    held: Option<Box<Checkpoint>>,
}

impl RefusedRecords {
    /// Another record was accepted: what is refused now is at fault itself.
    pub(super) fn note_accepted(&mut self) {
        self.is_another_accepted = true;
    }

    pub(super) fn note_dead_lettered(&mut self, key: RecordKey) {
        self.dead_lettered.insert(key);
    }

    pub(super) fn is_dead_lettered(&self, key: RecordKey) -> bool {
        self.dead_lettered.contains(&key)
    }

    pub(super) fn is_waiting(&self, key: RecordKey) -> bool {
        self.waiting.iter().any(|(record, _)| record.key == key)
    }

    /// Whether the checkpoint must not advance.
    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The checkpoint that is stored while they wait.
    pub(super) fn held_position(&self) -> Option<&Checkpoint> {
        self.held.as_deref()
    }

    /// Takes the record of a batch that was refused and cannot be halved.
    ///
    /// # Errors
    ///
    /// Ends the run when there were too many of them.
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
        Some(RunError::RecordsRefused {
            refused,
            last: last.clone(),
        })
    }
}

/// Dead-letters the records that wait, once another one was accepted. From then on the ledger names them like delivered
/// ones, so that they are not sent again; with the last of them the checkpoint may advance.
pub(super) async fn dead_letter_refused<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    while run.refused.is_another_accepted
        && let Some((record, error)) = run.refused.waiting.front()
    {
        let why = Why::Refused {
            status: error.status,
            code: error.code.clone(),
        };
        let letter = DeadLetter::new(run.limits.log_type, record, run.now(), why);
        let (key, hour) = (record.key, Hour::of_record(record.time()));
        let kept = run.ports.dead_letters().keep(vec![letter]).await;
        kept.map_err(|error| Stop::failed(Failure::Storage, error))?;
        let letters = &mut run.stats.dead_letters;
        letters.refused += 1;
        letters.truncated -= u64::from(run.refused.is_dead_lettered(key));
        letters.name(key);
        let appended = run.ledger.append_keys([(hour, key)].into_iter()).await;
        appended.map_err(|error| Stop::ledger(run, error))?;
        run.refused.waiting.pop_front();
    }
    if run.refused.waiting.is_empty() {
        run.refused.held = None;
    }
    Ok(())
}

/// Before the run moves past a page: keeps the checkpoint before it if refused records wait.
pub(super) fn hold_position<P: Ports>(run: &mut Run<'_, P>) {
    if run.refused.are_waiting() && run.refused.held.is_none() {
        run.refused.held = Some(Box::new(run.snapshot()));
    }
}
