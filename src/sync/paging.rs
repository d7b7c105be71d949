//! Paging of a window: the next request, and whether the window is complete.

use std::time::Duration;

use rustc_hash::FxHashSet;

use super::dedup::PageFacts;
use super::last_second::FULL_PAGE;
use super::outcome::{Warning, WindowError};
use super::window::Window;
use crate::model::{Hour, Millis, PageRequest, PageResponse, Paging, RecordKey};

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
            maxtime: self.part_end.unwrap_or(self.maxtime),
            cursor: self.cursor.clone(),
            limit: None,
            timeout: Duration::ZERO,
            is_reconciliation,
        }
    }

    /// Whether a page holds every record of the window.
    pub(super) fn is_whole(&self, page: &PageResponse, paging: Paging) -> bool {
        let distinct = || {
            let keys = page.records.iter().map(|record| record.key);
            keys.collect::<FxHashSet<RecordKey>>().len() as u64
        };
        // A sorted log returns a cursor after its last page too.
        let has_more = page.cursor.is_some() && !paging.has_counts();
        self.cursor.is_none()
            && self.from == self.mintime
            && self.part_end.is_none()
            && page.records.len() < page.limit.map_or(FULL_PAGE, |limit| limit as usize)
            && !has_more
            && page.total.is_none_or(|total| total == distinct())
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

    /// Records a delivered page; `limit` is the page size that was requested.
    pub(super) fn advance(
        &mut self,
        facts: &PageFacts,
        cursor: Option<String>,
        total: Option<u64>,
        paging: Paging,
        limit: Option<u32>,
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
            None if limit.is_some_and(|limit| rows >= limit as usize) => {
                self.read_on(facts, paging)
            }
            _ if self.is_short() => AfterPage::Broken(WindowError::CountShort),
            _ => self.end_part(),
        }
    }

    /// Continues after a full page without a cursor, which may not be the last one. A sorted log is
    /// read on from the last millisecond. Otherwise the span is halved, because the records that
    /// the page lacks may be older or newer.
    fn read_on(&mut self, facts: &PageFacts, paging: Paging) -> AfterPage {
        let end = self.part_end.unwrap_or(self.maxtime);
        let middle = self.from + (end - self.from) / 2;
        let is_sorted = paging.has_counts() && facts.times.is_sorted();
        let last = self.last_time.map(|last| last.min(self.maxtime.previous()));
        match last.filter(|last| is_sorted && *last > self.from) {
            Some(last) => self.from = last,
            None if middle > self.from && !is_sorted => self.part_end = Some(middle),
            None => {
                self.incomplete.insert(Hour::of(self.from));
                self.from = self.from.next();
                // Duo refuses mintime >= maxtime.
                if self.from >= self.maxtime {
                    return AfterPage::Complete;
                }
                self.part_end = None;
            }
        }
        self.forget_pages();
        AfterPage::NextPage
    }

    /// Ends the part being read. The next one is twice as long.
    fn end_part(&mut self) -> AfterPage {
        match self.part_end.take() {
            Some(end) if end < self.maxtime => {
                let length = end - self.from;
                self.from = end.next().min(self.maxtime.previous());
                self.part_end = Some(self.from + length * 2).filter(|end| *end < self.maxtime);
                self.forget_pages();
                AfterPage::NextPage
            }
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
