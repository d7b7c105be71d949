//! What a run has in hand, and what it waits to be told.

use std::collections::{HashSet, VecDeque};

use super::conclude::Found;
use super::refused::RefusedRecord;
use super::v1::LastSecond;
use crate::model::Millis;
use crate::sync::checkpoint::Checkpoint;
use crate::sync::ending::Ending;
use crate::sync::event::{PageSeen, Shipment};
use crate::sync::page::Sorted;
use crate::sync::window::Window;

/// What a call is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// The live window.
    Live,
    /// Duo's count of closed hours.
    Count,
    /// Reading closed hours again.
    Read,
}

/// A window in hand.
pub(super) struct OpenWindow {
    pub(super) window: Window,
    /// Cursors met in it, to notice one that comes again.
    pub(super) cursors: HashSet<String>,
    /// Whether it was started again in this run.
    pub(super) restarted: bool,
    /// Pages in a row that brought something new without moving on (v1 logs).
    pub(super) stays: u32,
    /// What the page before leaves open (v1 logs).
    pub(super) last_second: Option<LastSecond>,
}

impl OpenWindow {
    pub(super) fn new(window: Window) -> Self {
        Self {
            window,
            cursors: HashSet::new(),
            restarted: false,
            stays: 0,
            last_second: None,
        }
    }
}

/// What the run waits to be told.
pub(super) enum Phase {
    Idle,
    Loading,
    Saving {
        draft: Box<Checkpoint>,
        after: After,
    },
    Drawing,
    Fetching,
    Recalling,
    KeepingOriginals(Shipment),
    Sending(Shipment),
    Recording(Shipment),
    SettingAside(RefusedRecord),
    RecordingAside,
    Tallying(Found),
    Concluding(Box<Checkpoint>),
    Waiting(Resume),
    Over,
}

/// What follows a stored checkpoint.
#[derive(Clone, Copy)]
pub(super) enum After {
    First,
    Claim,
    Page,
    Stop(Ending),
}

/// What follows a pause.
pub(super) enum Resume {
    Ask,
    Send(Shipment),
}

/// The page in hand.
pub(super) struct OpenPage {
    pub(super) seen: PageSeen,
    /// Up to where records are taken.
    pub(super) take_through: Millis,
    pub(super) sorted: Sorted,
    pub(super) todo: VecDeque<Shipment>,
    /// Records whose originals are stored.
    pub(super) kept: HashSet<usize>,
}
