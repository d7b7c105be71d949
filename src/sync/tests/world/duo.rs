//! Duo's responses.

use std::collections::HashMap;

use super::{DuoEvent, World};
use crate::model::{FetchErrorKind, Millis, PageRequest, PageResponse, RecordKey};
use crate::sync::tests::record::of_key;

impl World {
    pub(super) fn fetch(&mut self, request: &PageRequest) -> Result<PageResponse, FetchErrorKind> {
        self.now = self.now + self.latency;
        if request.limit.is_some() {
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
        let total = returned.len() as u64 + u64::from(counts_hidden);
        if let Some(cursor) = &request.cursor {
            let number: u64 = cursor.parse().unwrap();
            let last = self.events[usize::try_from(number).unwrap()];
            returned.retain(|event| {
                let later = (event.time, event.key) > (last.time, last.key);
                event.key != last.key && later != self.newest_first
            });
        }
        let is_last = returned.len() <= self.page_size;
        returned.truncate(request.limit.map_or(self.page_size, |limit| limit as usize));
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
            cursor: if self.v1 { None } else { cursor },
            total: self
                .miscount
                .filter(|_| !self.v1)
                .map(|wrong| total.saturating_add_signed(wrong)),
            // The header has whole seconds.
            server_time: Some(Millis::from_seconds(duo_now.seconds())),
        })
    }
}
