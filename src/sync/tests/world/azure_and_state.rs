//! What is done with the actions of an instance: the sink, the ledger and the stored checkpoint.

use super::{Instance, Trouble, World};
use crate::model::SECOND;
use crate::sync::{ACCOUNT_SHARE, Action, Checkpoint, Event, RowId, SendFault, Shipment};

/// A call is begun only while the claim lasts this much longer: whoever sleeps longer may lose it.
const SLEEP: i64 = 45 * SECOND;

impl World {
    /// Does an action, unless something goes wrong with it.
    pub(super) fn act_in_trouble(&mut self, instance: &mut Instance, action: Action) -> Event {
        self.deeds += 1;
        // A process that slept while its claim ended may wake with a call in its hand, or with its ids.
        let slept = self.now - instance.last_at > SLEEP;
        self.may_repeat +=
            u64::from(slept && matches!(action, Action::Send(_) | Action::Record(_)));
        let Some(trouble) = self.troubles.remove(&self.deeds) else {
            return self.act(instance, action);
        };
        let touches_state = matches!(
            action,
            Action::Load
                | Action::Save(_)
                | Action::Recall(_)
                | Action::Record(_)
                | Action::KeepOriginals(_)
                | Action::SetAside(_)
                | Action::Tally(_)
                | Action::Conclude(_)
        );
        self.struck += 1;
        match (trouble, &action) {
            (Trouble::KilledBefore, _) => {
                instance.is_killed = true;
                self.may_repeat += u64::from(matches!(action, Action::Record(_)));
                Event::StateFailed
            }
            (Trouble::KilledAfter, _) => {
                instance.is_killed = true;
                self.may_repeat += u64::from(matches!(action, Action::Send(_)));
                self.act(instance, action)
            }
            (Trouble::State(is_done), _) if touches_state => {
                if is_done {
                    self.act(instance, action);
                } else {
                    self.may_repeat += u64::from(matches!(action, Action::Record(_)));
                }
                Event::StateFailed
            }
            (Trouble::Fetch(fault), Action::Fetch(_)) => {
                self.now = self.now + self.pace;
                Event::FetchFailed(fault)
            }
            (Trouble::Send(fault, is_accepted), Action::Send(_)) => {
                if is_accepted {
                    self.act(instance, action);
                    self.may_repeat += 1;
                }
                Event::SendFailed(fault)
            }
            _ => {
                self.struck -= 1;
                self.act(instance, action)
            }
        }
    }

    pub(super) fn act(&mut self, instance: &mut Instance, action: Action) -> Event {
        match action {
            Action::Load => {
                instance.version = self.stored.as_ref().map(|(version, _)| *version);
                let checkpoint = self.stored.as_ref().map(|(_, checkpoint)| {
                    // Through its stored form, as in life.
                    Box::new(Checkpoint::from_json(&checkpoint.to_json()).unwrap())
                });
                Event::Loaded {
                    checkpoint,
                    claim_is_dead: false,
                }
            }
            Action::Save(checkpoint) => {
                self.now = self.now + self.pace;
                let current = self.stored.as_ref().map(|(version, _)| *version);
                if current != instance.version {
                    return Event::Conflict;
                }
                if let Some((_, before)) = &self.stored {
                    assert!(
                        checkpoint.mintime >= before.mintime,
                        "the checkpoint moved back"
                    );
                }
                self.assert_nothing_is_passed_over(&checkpoint);
                let version = current.unwrap_or(0) + 1;
                instance.version = Some(version);
                self.stored = Some((version, *checkpoint));
                Event::Saved
            }
            Action::Draw(account) => {
                let rate = self.limits.calls_per_minute;
                let mut shared = self.account.unwrap_or(account);
                let wait = shared.take(rate, ACCOUNT_SHARE, self.now).err();
                self.account = Some(shared);
                Event::Drawn {
                    wait,
                    account: shared,
                }
            }
            Action::Fetch(request) => self.fetch(instance, request),
            Action::Recall(_) => Event::Recalled(
                instance
                    .page
                    .iter()
                    .map(|seen| self.ledger.contains_key(&seen.id))
                    .collect(),
            ),
            Action::Send(shipment) => self.send(instance, &shipment),
            Action::Record(_) if self.ledger_is_broken => Event::StateFailed,
            Action::Record(ids) => {
                for (hour, id) in ids {
                    let accepted = self.accepted.iter().any(|(row, _)| *row == id);
                    assert!(
                        accepted || self.is_set_aside(id),
                        "the ledger names an event that was neither accepted nor set aside"
                    );
                    self.ledger.insert(id, hour);
                }
                Event::Recorded
            }
            Action::KeepOriginals(_) | Action::SetAside(_) => self.set_aside(instance, action),
            Action::Tally(hours) => Event::Tallied(
                hours
                    .iter()
                    .map(|hour| self.ledger.values().filter(|known| *known == hour).count() as u64)
                    .collect(),
            ),
            Action::Conclude(conclusion) => {
                for (hour, result) in conclusion.results {
                    self.results
                        .entry(hour.day())
                        .or_default()
                        .add(hour, result);
                }
                for hour in conclusion.forget {
                    self.ledger.retain(|_, known| *known != hour);
                    self.forgotten.push(hour);
                }
                self.pruned.extend(conclusion.prune);
                Event::Concluded
            }
            Action::Wait(milliseconds) => {
                self.slept.push(milliseconds);
                self.now = self.now + milliseconds;
                Event::Waited
            }
            Action::Stop(_) => unreachable!("handled by the caller"),
        }
    }

    fn send(&mut self, instance: &Instance, shipment: &Shipment) -> Event {
        self.now = self.now + self.pace;
        let rows: Vec<RowId> = shipment
            .records
            .iter()
            .map(|&index| instance.page[index].id)
            .collect();
        if self.refuses(&rows) {
            return Event::SendFailed(SendFault::BadRecord);
        }
        let fault = self.send_faults.pop_front().flatten();
        if fault.is_none_or(|(_, accepted)| accepted) {
            self.accepted
                .extend(rows.iter().map(|&row| (row, shipment.kind)));
        }
        fault.map_or(Event::Accepted, |(fault, _)| Event::SendFailed(fault))
    }
}
