//! Duo's answers.

use std::collections::HashMap;

use super::{Happened, Instance, World};
use crate::model::Millis;
use crate::sync::{Event, PageRequest, PageSeen, RowId, Seen};

impl World {
    pub(super) fn fetch(&mut self, instance: &mut Instance, request: PageRequest) -> Event {
        self.now = self.now + self.pace;
        if request.limit.is_some() {
            self.counts.push(request.clone());
        } else {
            self.questions += 1;
            self.asked.push(request.clone());
        }
        if let Some(fault) = self.fetch_faults.pop_front().flatten() {
            return Event::FetchFailed(fault);
        }
        if request.is_check
            && let Some(fault) = self.check_fault
        {
            return Event::FetchFailed(fault);
        }
        let duo_now = self.now - self.clock_ahead;
        assert!(
            request.maxtime > request.mintime || self.v1,
            "Duo refuses mintime >= maxtime"
        );
        let mut shown: Vec<Happened> = self
            .events
            .iter()
            .copied()
            .filter(|event| event.shown_from <= duo_now)
            .filter(|event| {
                if self.v1 {
                    event.time.seconds() >= request.mintime.seconds()
                } else {
                    event.time >= request.mintime && event.time <= request.maxtime
                }
            })
            .collect();
        shown.sort_by_key(|event| (event.time, event.id));
        if self.newest_first {
            shown.reverse();
        }
        let counts_hidden = self
            .never_shown
            .is_some_and(|time| (request.mintime..=request.maxtime).contains(&time));
        let total = shown.len() as u64 + u64::from(counts_hidden);
        if let Some(cursor) = &request.cursor {
            let number: u64 = cursor.parse().unwrap();
            let last = self.events[usize::try_from(number).unwrap()];
            shown.retain(|event| {
                let later = (event.time, event.id) > (last.time, last.id);
                let same = event.id == last.id;
                !same && later != self.newest_first
            });
        }
        let is_last = shown.len() <= self.page_size;
        shown.truncate(request.limit.map_or(self.page_size, |limit| limit as usize));
        let numbers: HashMap<RowId, usize> = self
            .events
            .iter()
            .enumerate()
            .map(|(number, event)| (event.id, number))
            .collect();
        let last = shown.last().filter(|_| self.last_has_cursor || !is_last);
        let mut cursor = last.map(|event| numbers[&event.id].to_string());
        if self.repeat_cursor_at.contains(&self.questions) && request.cursor.is_some() {
            cursor = request.cursor;
        }
        if self.leave_out_at.contains(&self.questions) && !shown.is_empty() {
            shown.remove(0);
        }
        if self.v1 {
            // Order is not promised.
            shown.reverse();
        }
        instance.page = shown
            .iter()
            .map(|event| Seen {
                id: event.id,
                time: Some(event.time),
                bytes: 48,
                is_cut: self.letters.cut.contains(&event.id),
            })
            .collect();
        let page = PageSeen {
            records: instance.page.clone(),
            cursor: if self.v1 { None } else { cursor },
            total: self
                .miscount
                .filter(|_| !self.v1)
                .map(|wrong| total.saturating_add_signed(wrong)),
        };
        // The header has whole seconds only.
        let server_time = Some(Millis::from_seconds(duo_now.seconds()));
        Event::Fetched { page, server_time }
    }
}
