//! What Azure Monitor does not take whole, and the place where the originals are kept.

use std::collections::{HashMap, HashSet};

use super::{Instance, World};
use crate::sync::{Action, Checkpoint, Event, RowId};

#[derive(Default)]
pub(in crate::sync::tests) struct Letters {
    /// Records that Azure Monitor refuses.
    pub(in crate::sync::tests) refused: HashSet<RowId>,
    /// How often one of them was sent alone.
    pub(in crate::sync::tests) refusals: usize,
    /// Records whose rows lack a part of them.
    pub(in crate::sync::tests) cut: HashSet<RowId>,
    /// Originals that are kept, and how often each was stored.
    pub(in crate::sync::tests) stored: HashMap<RowId, u32>,
    /// Records among them that were refused alone.
    pub(in crate::sync::tests) set_aside: HashSet<RowId>,
    /// Nothing can be stored.
    pub(in crate::sync::tests) are_broken: bool,
}

impl World {
    /// Stores originals.
    pub(super) fn set_aside(&mut self, instance: &Instance, action: Action) -> Event {
        if self.letters.are_broken {
            return Event::StateFailed;
        }
        let ids = match action {
            Action::KeepOriginals(indexes) => {
                let ids = indexes.iter().map(|index| instance.page[*index].id);
                ids.collect()
            }
            Action::SetAside(id) => {
                self.letters.set_aside.insert(id);
                vec![id]
            }
            action => unreachable!("{action:?}"),
        };
        for id in ids {
            *self.letters.stored.entry(id).or_default() += 1;
        }
        Event::SetAside
    }

    /// Whether Azure Monitor refuses these rows. None of them may be cut whose original is not kept.
    pub(super) fn refuses(&mut self, rows: &[RowId]) -> bool {
        for row in rows.iter().filter(|row| self.letters.cut.contains(*row)) {
            assert!(
                self.letters.stored.contains_key(row),
                "a cut row went out before its original was kept"
            );
        }
        let refuses = rows.iter().any(|row| self.letters.refused.contains(row));
        self.letters.refusals += usize::from(refuses && rows.len() == 1);
        refuses
    }

    /// A place that is stored lies behind no refused record that is not kept. One that Duo shows late may stand anywhere.
    pub(super) fn assert_nothing_is_passed_over(&self, checkpoint: &Checkpoint) {
        let refused = |id| self.letters.refused.contains(&id) && !self.is_set_aside(id);
        for event in self.events.iter().filter(|event| refused(event.id)) {
            assert!(
                event.is_late() || event.time >= checkpoint.mintime,
                "the place moved past a refused record that was not kept"
            );
        }
    }

    /// Whether a record was refused alone, and is kept.
    pub(in crate::sync::tests) fn is_set_aside(&self, id: RowId) -> bool {
        self.letters.set_aside.contains(&id)
    }
}
