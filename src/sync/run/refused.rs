//! Records that the sink refuses even alone, and rows that lack a part of their record: set aside, never passed over.
//!
//! Whether the fault is the record's shows only when the sink accepts another one in the same run. Until then a refused
//! record waits and the place is kept; the run reads on, because the record that tells may stand on a later page. Nothing
//! is stored of the places reached that way before the refused records are set aside.

use std::collections::VecDeque;

use super::LogRun;
use super::phase::{Job, OpenPage, Phase};
use crate::model::{Hour, Millis};
use crate::sync::checkpoint::Checkpoint;
use crate::sync::ending::{Ending, Failure};
use crate::sync::event::{Action, RowId, Seen, Shipment};

/// Records set aside in one run because they were refused: beyond it the fault is not the records'.
const MOST_SET_ASIDE: usize = 10;

/// A record that was refused even alone.
#[derive(Clone, Copy)]
pub(super) struct RefusedRecord {
    pub(super) id: RowId,
    time: Option<Millis>,
    /// Whether its original is stored already, because its row lacks a part of it.
    was_kept: bool,
}

/// What the run knows of refused records.
#[derive(Default)]
pub(super) struct Refused {
    /// Those that are not set aside, in the order in which they were refused.
    waiting: VecDeque<RefusedRecord>,
    /// How many were refused in this run.
    count: usize,
    /// Whether another record was accepted in this run.
    road_is_open: bool,
    /// The checkpoint whose place is kept while they wait.
    kept_place: Option<Box<Checkpoint>>,
}

impl Refused {
    /// Another record was accepted: what is refused now is at fault itself.
    pub(super) fn road_is_open(&mut self) {
        self.road_is_open = true;
    }

    pub(super) fn waiting(&self) -> Vec<RowId> {
        self.waiting.iter().map(|record| record.id).collect()
    }

    /// Whether the log must not move on.
    pub(super) fn keeps_place(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The checkpoint whose place is kept.
    pub(super) fn kept_place(&self) -> Option<&Checkpoint> {
        self.kept_place.as_deref()
    }

    pub(super) fn next_to_set_aside(&self) -> Option<RefusedRecord> {
        self.waiting.front().filter(|_| self.road_is_open).copied()
    }

    /// Those that wait are known too, so that they are not sent once more when they are read once more.
    pub(super) fn known_too(&self, known: &[bool], records: &[Seen]) -> Vec<bool> {
        let waits = |id| self.waiting.iter().any(|record| record.id == id);
        let pairs = known.iter().zip(records);
        pairs
            .map(|(known, record)| *known || waits(record.id))
            .collect()
    }

    /// What may be stored of a checkpoint: while refused records wait, the place before them.
    pub(super) fn at_kept_place(&self, draft: &Checkpoint) -> Checkpoint {
        let mut stored = draft.clone();
        if let Some(kept) = &self.kept_place {
            stored.mintime = kept.mintime;
            stored.window.clone_from(&kept.window);
            stored.sweeps.clone_from(&kept.sweeps);
            if let (Some(stored), Some(read)) = (&mut stored.window, &draft.window)
                && (stored.mintime, stored.maxtime) == (read.mintime, read.maxtime)
            {
                // Or a window that Duo never shows in full would be waited for for ever.
                stored.short_readings = read.short_readings;
            }
        }
        stored
    }
}

impl OpenPage {
    /// The records of a call whose rows lack a part of them, and whose originals are not stored yet.
    pub(super) fn cut_and_not_kept(&self, shipment: &Shipment) -> Vec<usize> {
        let records = shipment.records.iter().copied();
        records
            .filter(|index| self.seen.records[*index].is_cut && !self.kept.contains(index))
            .collect()
    }
}

impl LogRun {
    /// The originals are stored: their rows may go out.
    pub(super) fn originals_kept(
        &mut self,
        shipment: Shipment,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        for index in self.open_page().cut_and_not_kept(&shipment) {
            let page = self.open_page();
            page.kept.insert(index);
            let id = page.seen.records[index].id;
            self.tally.dead_letters.cut += 1;
            self.tally.dead_letters.name(id);
        }
        // Storing them may have outlasted the claim: `send_next` renews it first.
        self.open_page().todo.push_front(shipment);
        self.send_next(now, interrupted)
    }

    /// A record was refused even alone: the run goes on without it unless there were too many of them.
    pub(super) fn refused_alone(&mut self, index: usize) -> Option<Action> {
        let page = self.open_page();
        let Seen { id, time, .. } = page.seen.records[index];
        let was_kept = page.kept.contains(&index);
        let record = RefusedRecord { id, time, was_kept };
        self.refused.waiting.push_back(record);
        self.refused.count += 1;
        (self.refused.count > MOST_SET_ASIDE)
            .then(|| self.finish(Ending::Failed(Failure::RecordsRefused)))
    }

    /// A refused record is stored: from here on the ledger names it like a delivered one, so that it is not sent again.
    pub(super) fn set_aside(&mut self, record: RefusedRecord) -> Action {
        let letters = &mut self.tally.dead_letters;
        letters.refused += 1;
        letters.cut -= u64::from(record.was_kept);
        letters.name(record.id);
        self.phase = Phase::RecordingAside;
        Action::Record(vec![(Hour::of_record(record.time), record.id)])
    }

    /// The ledger names a record that was set aside; the last one frees the place.
    pub(super) fn aside_recorded(&mut self, now: Millis, interrupted: bool) -> Action {
        self.refused.waiting.pop_front();
        if self.refused.waiting.is_empty() {
            self.refused.kept_place = None;
        }
        self.send_next(now, interrupted)
    }

    /// Before the place moves: keeps it if refused records wait. A reading of closed hours stops at them; the live log is
    /// read on, in the hope of a record that is accepted.
    pub(super) fn keep_place_of_refused(&mut self) -> Option<Action> {
        if !self.refused.keeps_place() {
            return None;
        }
        if self.job != Job::Live {
            return Some(self.finish(Ending::Failed(Failure::RecordsRefused)));
        }
        if self.refused.kept_place.is_none() {
            self.refused.kept_place = Some(Box::new(self.stored().clone()));
        }
        None
    }
}
