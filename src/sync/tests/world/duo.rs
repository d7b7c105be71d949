//! Duo's responses.

use std::collections::HashMap;

use super::{DuoEvent, PageFault, World};
use crate::model::{FetchErrorKind, Millis, PageRequest, PageResponse, RecordKey};
use crate::sync::tests::record::of_key;

impl World {
    pub(super) fn fetch(&mut self, request: &PageRequest) -> Result<PageResponse, FetchErrorKind> {
        self.now = self.now + self.latency;
        if request.is_reconciliation && request.limit == Some(1) {
            self.counts.push(request.clone());
        } else {
            self.request_count += 1;
            self.requests.push(request.clone());
        }
        if let Some(kind) = self.fetch_faults.pop_front().flatten() {
            return Err(kind);
        }
        if request.is_reconciliation
            && let Some(kind) = self.reconciliation_fault
        {
            return Err(kind);
        }
        let duo_now = self.now - self.clock_ahead;
        assert!(request.maxtime > request.mintime || self.v1, "Duo refuses mintime >= maxtime");
        let mut returned: Vec<DuoEvent> =
            self.events.iter().copied().filter(|event| event.visible_from <= duo_now).collect();
        returned.retain(|event| {
            if self.v1 {
                event.time.seconds() >= request.mintime.seconds()
            } else {
                event.time >= request.mintime && event.time <= request.maxtime
            }
        });
        returned.sort_by_key(|event| (event.time, event.key));
        if self.newest_first {
            returned.reverse();
        }
        let counts_hidden = self
            .never_returned
            .is_some_and(|time| (request.mintime..=request.maxtime).contains(&time));
        let is_counted = |event: &&DuoEvent| !self.count_is_cached || !event.is_late();
        let counted = returned.iter().filter(is_counted).count();
        let total = counted as u64 + u64::from(counts_hidden);
        if let Some(cursor) = &request.cursor {
            let number: u64 = cursor.parse().unwrap();
            let last = self.events[usize::try_from(number).unwrap()];
            returned.retain(|event| {
                let later = (event.time, event.key) > (last.time, last.key);
                event.key != last.key && later != self.newest_first
            });
        }
        let is_last = returned.len()
            <= request.limit.map_or(self.page_size, |limit| limit as usize).min(self.page_size);
        let limit = request.limit.map_or(self.page_size, |limit| limit as usize);
        let page_size = self.page_size.min(limit);
        if self.largest_page.is_some_and(|largest| returned.len().min(page_size) > largest) {
            return Err(FetchErrorKind::Unreachable);
        }
        returned.truncate(page_size);
        let numbers: HashMap<RecordKey, usize> =
            self.events.iter().enumerate().map(|(number, event)| (event.key, number)).collect();
        let last = returned.last().filter(|_| self.last_has_cursor || !is_last);
        let mut cursor = last.map(|event| numbers[&event.key].to_string());
        if self.repeat_cursor_at.contains(&self.request_count) && request.cursor.is_some() {
            cursor.clone_from(&request.cursor);
        }
        if self.omit_record_at.contains(&self.request_count) && !returned.is_empty() {
            returned.remove(0);
        }
        if self.v1 {
            // The order is undocumented.
            returned.reverse();
        }
        let is_truncated = |event: &DuoEvent| self.letters.truncated.contains(&event.key);
        Ok(PageResponse {
            records: returned
                .iter()
                .map(|event| of_key(event.key, Some(event.time), is_truncated(event)))
                .collect(),
            cursor: cursor.filter(|_| !self.v1 && !self.never_has_cursor),
            total: self
                .miscount
                .filter(|_| !self.v1)
                .map(|wrong| total.saturating_add_signed(wrong)),
            limit: request.limit.or(self.config.spec.limit),
            // The header has whole seconds.
            server_time: Some(Millis::from_seconds(duo_now.seconds())),
        })
    }
}

impl PageFault {
    /// Changes a page. Records are omitted only where Duo's count shows it.
    pub(super) fn apply(self, page: &mut PageResponse) {
        let records = &mut page.records;
        match self {
            _ if self.lacks_records() && (page.total.is_none() || records.len() < 2) => {}
            Self::CursorMissing => page.cursor = None,
            Self::RecordOmitted => drop(records.remove(0)),
            Self::RecordRepeated => records[1] = records[0].clone(),
            Self::Count(by) => page.total = page.total.map(|count| count.saturating_add_signed(by)),
        }
    }
}
