//! Paging of a window: the next request, and whether the window is complete.

use std::time::Duration;

use super::dedup::PageFacts;
use super::outcome::{Warning, WindowError};
use super::window::Window;
use crate::model::{Millis, PageRequest, Paging};

pub(super) enum AfterPage {
    NextPage,
    Complete,
    Broken(WindowError),
}

impl Window {
    /// The request for the next page; `fetch` sets its timeout.
    pub(super) fn request(&self, is_reconciliation: bool) -> PageRequest {
        PageRequest {
            mintime: self.from,
            maxtime: self.maxtime,
            cursor: self.cursor.clone(),
            limit: None,
            timeout: Duration::ZERO,
            is_reconciliation,
        }
    }

    /// Upper bound for the records of a page, if Duo returned everything up to `shown_through`.
    /// Pages with a cursor end at `maxtime` and need none, as the ledger drops duplicates.
    pub(super) fn take_through(&mut self, paging: Paging, shown_through: Millis) -> Millis {
        if !paging.has_cursor() {
            return self.maxtime.min(shown_through);
        }
        self.readable_through.get_or_insert(shown_through);
        Millis(i64::MAX)
    }

    pub(super) fn advance(
        &mut self,
        facts: &PageFacts,
        cursor: Option<String>,
        total: Option<u64>,
    ) -> AfterPage {
        let rows = facts.rows();
        self.count_page(rows as u64, total, facts.newest);
        match cursor {
            Some(next) if rows > 0 => {
                self.cursors.extend(self.cursor.replace(next.clone()));
                if self.cursors.insert(next) {
                    AfterPage::NextPage
                } else {
                    AfterPage::Broken(WindowError::CursorRepeated)
                }
            }
            _ if self.is_short() => AfterPage::Broken(WindowError::CountShort),
            _ => AfterPage::Complete,
        }
    }

    /// Records a delivered page of a log without cursor. Returns whether the window is complete,
    /// and the seconds with possibly more records than Duo returns, with the number returned.
    pub(super) fn advance_second(
        &mut self,
        facts: &PageFacts,
        take_through: Millis,
    ) -> (bool, Vec<(Millis, usize)>) {
        let (from, is_end, truncated) = self.last_second.advance(self.from, facts, take_through);
        self.from = from;
        (is_end || from > self.maxtime, truncated)
    }

    /// Restarts the window once: from its beginning if records may be missing, otherwise from the
    /// last delivered millisecond. Returns the warning, or `None` if it was restarted before.
    pub(super) fn restart(&mut self, error: WindowError, paging: Paging) -> Option<Warning> {
        let is_first = if error == WindowError::CountShort {
            // Stored with the window, because reading it again may take several runs.
            !std::mem::replace(&mut self.recounted, true)
        } else {
            !std::mem::replace(&mut self.is_restarted, true)
        };
        if !is_first {
            return None;
        }
        self.cursors.clear();
        self.begin_again(error == WindowError::CountShort || !paging.has_counts());
        Some(Warning::WindowRestarted(error))
    }

    pub(super) fn count_disagrees(&self) -> Warning {
        Warning::CountDisagrees {
            from: self.from,
            to: self.maxtime,
            counted: self.expected.unwrap_or_default(),
            returned: self.rows_read,
        }
    }
}
