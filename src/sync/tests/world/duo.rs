//! Duo's responses.

use chrono::TimeDelta;

use super::{DuoEvent, PageFault, World};
use crate::model::{FetchErrorKind, Millis, PageRequest, PageResponse};
use crate::sync::tests::record::of_key;

/// Time that Duo keeps events.
const DUO_KEEPS: TimeDelta = TimeDelta::days(180);

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
        let is_requested = |time: Millis| {
            if self.v1 {
                time.seconds() >= request.mintime.seconds()
            } else {
                time >= request.mintime && time <= request.maxtime
            }
        };
        let is_returned = |event: &&DuoEvent| {
            is_requested(event.time)
                && event.visible_from <= duo_now
                && event.time >= duo_now - DUO_KEEPS
        };
        let mut returned: Vec<DuoEvent> = self.events.iter().filter(is_returned).copied().collect();
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
        let last = returned.last().filter(|_| self.last_has_cursor || !is_last);
        let number = |key| self.events.iter().rposition(|event| event.key == key);
        let mut cursor = last.and_then(|event| number(event.key)).map(|number| number.to_string());
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
