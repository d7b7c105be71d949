//! Sending what is new: claim, calls, ledger.

use super::{After, LogRun, Phase, Resume};
use crate::model::{Hour, Millis, SECOND};
use crate::sync::ending::{Ending, Failure, ParkCause};
use crate::sync::event::{Action, IngestKind, SendFault, Shipment};
use crate::sync::page::{Sieve, halve};

/// A call is only begun while the claim lasts at least this much longer.
const CLAIM_LEFT: i64 = 45 * SECOND;

impl LogRun {
    /// Sorts the page out and begins to send what is new.
    pub(super) fn recalled(&mut self, known: &[bool], now: Millis, interrupted: bool) -> Action {
        let closed_before = self.stored().mintime;
        let max_call_bytes = self.limits.max_call_bytes;
        let page = self.page.as_mut().expect("a page was looked up");
        let known = self.refused.known_too(known, &page.seen.records);
        let sieve = Sieve {
            closed_before,
            take_through: page.take_through,
            kind: self.limits.backfill.map(|_| IngestKind::Backfill),
            now,
            max_call_bytes,
        };
        page.sorted = sieve.sort(&page.seen.records, &known);
        page.todo = std::mem::take(&mut page.sorted.shipments);
        let dropped = page.sorted.known;
        self.tally.duplicates_dropped += dropped;
        self.send_next(now, interrupted)
    }

    /// Sends the next call of the page, or commits the page when all were accepted.
    pub(super) fn send_next(&mut self, now: Millis, interrupted: bool) -> Action {
        if let Some(record) = self.refused.next_to_set_aside() {
            let id = record.id;
            self.phase = Phase::SettingAside(record);
            return Action::SetAside(id);
        }
        if self.open_page().todo.is_empty() {
            return self.page_delivered(now, interrupted);
        }
        let until = self.stored().claim.as_ref().map(|claim| claim.until);
        let lasts = until.is_some_and(|until| until - now >= CLAIM_LEFT);
        if !self.claimed || !lasts {
            let mut draft = self.stored().clone();
            self.claim(&mut draft, now);
            self.keep_place(&mut draft);
            return self.save(draft, After::Claim);
        }
        let shipment = self.open_page().todo.pop_front().expect("checked above");
        let cut = self.open_page().cut_and_not_kept(&shipment);
        if !cut.is_empty() {
            self.phase = Phase::KeepingOriginals(shipment);
            return Action::KeepOriginals(cut);
        }
        self.phase = Phase::Sending(shipment.clone());
        Action::Send(shipment)
    }

    /// The sink accepted a call: its ids go to the ledger before anything else is sent.
    pub(super) fn accepted(&mut self, shipment: Shipment) -> Action {
        self.attempts = 0;
        self.refused.road_is_open();
        self.tally.calls += 1;
        self.tally.events += shipment.records.len() as u64;
        if shipment.kind == IngestKind::Late {
            self.tally.late += shipment.records.len() as u64;
        }
        self.count_late(&shipment);
        let records = &self.open_page().seen.records;
        let ids = shipment
            .records
            .iter()
            .map(|&index| (Hour::of_record(records[index].time), records[index].id))
            .collect();
        self.phase = Phase::Recording(shipment);
        Action::Record(ids)
    }

    /// The ledger holds the call.
    pub(super) fn recorded(
        &mut self,
        shipment: &Shipment,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        let records = &self.open_page().seen.records;
        let newest = shipment
            .records
            .iter()
            .filter_map(|&index| records[index].time)
            .max();
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        checkpoint.newest_event = checkpoint.newest_event.max(newest);
        self.send_next(now, interrupted)
    }

    /// The ledger did not take an accepted call: it will be sent again, so not at once.
    pub(super) fn record_failed(&mut self, now: Millis) -> Action {
        let until = now + self.pause_step();
        self.park(
            until,
            ParkCause::StateUnreachable,
            Ending::Failed(Failure::State),
        )
    }

    /// Decides what a call that was not accepted means.
    pub(super) fn send_failed(
        &mut self,
        shipment: Shipment,
        fault: SendFault,
        now: Millis,
        interrupted: bool,
    ) -> Action {
        let (delay, cause) = match fault {
            SendFault::TooLarge | SendFault::BadRecord => {
                return self.halve(&shipment, now, interrupted);
            }
            SendFault::Credentials | SendFault::Fatal => {
                return self.finish(Ending::Failed(Failure::AzureMonitor));
            }
            SendFault::Throttled {
                retry_after: Some(asked),
            } => {
                self.tally.throttled += 1;
                let in_time = now + asked < self.deadline;
                if !in_time {
                    return self.park_a_while(Some(asked), ParkCause::AzureThrottled, now);
                }
                (Some(asked), ParkCause::AzureThrottled)
            }
            SendFault::Throttled { retry_after: None } => {
                self.tally.throttled += 1;
                (self.backoff(now), ParkCause::AzureThrottled)
            }
            SendFault::Unreachable => (self.backoff(now), ParkCause::AzureUnreachable),
        };
        match delay {
            Some(delay) if !interrupted => self.pause(delay, Resume::Send(shipment)),
            Some(_) => self.finish(Ending::Interrupted),
            None => self.park_a_while(None, cause, now),
        }
    }

    /// Splits a call that was refused for its size or for one of its records.
    fn halve(&mut self, shipment: &Shipment, now: Millis, interrupted: bool) -> Action {
        match halve(shipment) {
            Ok((first, second)) => {
                let page = self.open_page();
                page.todo.push_front(second);
                page.todo.push_front(first);
            }
            Err(alone) => {
                if let Some(stop) = self.refused_alone(alone) {
                    return stop;
                }
            }
        }
        self.send_next(now, interrupted)
    }
}
