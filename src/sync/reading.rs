//! A reading of closed hours at hand, and whether hours are reconciled at all.

use std::collections::BTreeMap;

use super::outcome::RunError;
use super::paging::OpenWindow;
use super::schedule::{Due, Reading};
use super::window::Window;
use crate::model::{FetchError, Hour, Millis, Span};

/// Whether closed hours are reconciled in this run.
pub(super) enum Reconciliation {
    Open,
    /// Nothing is due by Duo's clock, though by the local one.
    NotDueYet,
    /// Duo refused such a request; the run goes on without.
    Refused(FetchError),
}

impl Reconciliation {
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    pub(super) fn error(&self) -> Option<RunError> {
        match self {
            Self::Refused(error) => Some(error.clone().into()),
            Self::Open | Self::NotDueYet => None,
        }
    }
}

pub(super) struct OpenReading {
    pub(super) span: Span,
    pub(super) stage: usize,
    pub(super) began_at: Millis,
    pub(super) duo_count: Option<u64>,
    /// Whether Duo's count is requested first.
    pub(super) is_counted_first: bool,
    pub(super) late: BTreeMap<Hour, u64>,
    pub(super) open: OpenWindow,
}

impl OpenReading {
    pub(super) fn new(due: Due, began_at: Millis) -> Self {
        let window = Window::new(due.span.from, due.span.to.previous());
        Self {
            span: due.span,
            stage: due.stage,
            began_at,
            duo_count: None,
            is_counted_first: false,
            late: BTreeMap::new(),
            open: OpenWindow::new(window),
        }
    }

    /// The form in which it is stored.
    pub(super) fn stored(&self) -> Reading {
        Reading {
            span: self.span,
            stage: self.stage,
            began_at: self.began_at,
            duo_count: self.duo_count,
            late: self.late.clone(),
            window: self.open.window.clone(),
        }
    }

    pub(super) fn from_stored(stored: &Reading) -> Self {
        Self {
            span: stored.span,
            stage: stored.stage,
            began_at: stored.began_at,
            duo_count: stored.duo_count,
            is_counted_first: false,
            late: stored.late.clone(),
            open: OpenWindow::new(stored.window.clone()),
        }
    }

    /// It began no later than this by Duo's clock, whatever the local one says.
    pub(super) fn note_time(&mut self, server_time: Option<Millis>) {
        self.began_at = server_time.map_or(self.began_at, |time| time.min(self.began_at));
    }
}
