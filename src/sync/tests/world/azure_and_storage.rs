//! Performs operations on Azure Monitor and storage, with injected faults.

use chrono::TimeDelta;

use super::ports::{Container, Kind, Operation, Reply};
use super::{DuoEvent, Fault, Instance, World};
use crate::model::{Batch, Hour, RecordKey, SendErrorKind};
use crate::storage::{DeadLetter, Document as _, LedgerEntry, Version, Why};
use crate::sync::{Checkpoint, DayResults};

/// Time that a lease lasts beyond a request: a process that sleeps longer may lose it.
const SLEEP: TimeDelta = TimeDelta::seconds(30);

impl World {
    /// Performs an operation, with its fault if any. `None` if the process is killed.
    pub(super) fn perform_with_fault(
        &mut self,
        instance: &mut Instance,
        operation: &Operation,
    ) -> Option<Reply> {
        self.operation_count += 1;
        // After sleeping past its lease, a process may send a batch or append its ids.
        let slept = self.now - instance.last_at > SLEEP;
        let is_send = matches!(operation, Operation::Send(_));
        let is_count = matches!(operation, Operation::Fetch(request) if request.limit == Some(1));
        self.kinds.push(operation.kind());
        if slept && (is_send || operation.is_append()) {
            self.may_duplicate += 1;
            self.reach("lease outlived by a sleeper");
        }
        let Some(fault) = self.faults.remove(&self.operation_count) else {
            return Some(self.perform(operation));
        };
        self.injected += 1;
        match (fault, operation) {
            (Fault::KilledBefore, _) => {
                instance.is_killed = true;
                self.may_duplicate += operation.pages_appended(self.page_size);
                None
            }
            (Fault::KilledAfter, _) => {
                instance.is_killed = true;
                // A batch may have ids of several hours, and so of several blobs.
                self.may_duplicate += u64::from(is_send) + operation.pages_appended(self.page_size);
                self.perform(operation);
                None
            }
            (Fault::Storage(is_done), _) if operation.is_storage() => {
                self.may_duplicate += operation.pages_appended(self.page_size);
                if is_done {
                    self.reach("storage error after an effect");
                    self.perform(operation);
                }
                Some(Reply::StorageFailed)
            }
            // The client retries a write whose response was lost, and conflicts with itself.
            (Fault::LostResponse, Operation::Write { .. }) => {
                let reply = self.perform(operation);
                self.reach("conflict with one's own write");
                Some(if matches!(reply, Reply::Written(_)) { Reply::Conflict } else { reply })
            }
            (Fault::Fetch(kind), Operation::Fetch(_)) => {
                self.now = self.now + self.latency;
                Some(Reply::Page(Err(kind)))
            }
            (Fault::Page(fault), Operation::Fetch(_)) => {
                self.reach("wrong page");
                let mut reply = self.perform(operation);
                if let Reply::Page(Ok(page)) = &mut reply
                    && !is_count
                {
                    fault.apply(page);
                }
                Some(reply)
            }
            (Fault::Send(kind, is_accepted), Operation::Send(_)) => {
                if is_accepted {
                    self.reach("batch accepted and reported as an error");
                    self.perform(operation);
                    self.may_duplicate += 1;
                }
                Some(Reply::Sent(Err(kind)))
            }
            _ => {
                self.injected -= 1;
                Some(self.perform(operation))
            }
        }
    }

    pub(super) fn perform(&mut self, operation: &Operation) -> Reply {
        match operation {
            Operation::Read(container, name) => Reply::Read(self.read(*container, name)),
            Operation::Write { container, name, content, expected } => {
                self.write(*container, name, content, expected.as_ref())
            }
            Operation::Append { .. } if self.ledger_writes_fail => Reply::StorageFailed,
            Operation::Append { name, content } => {
                self.append(name, content);
                Reply::Done
            }
            Operation::Remove(name) => {
                if let Some((content, _)) = self.blobs.remove(&(Container::State, name.clone())) {
                    self.note_quarantined(name, &content);
                }
                self.removed.push(name.rsplit('/').next().unwrap_or_default().to_owned());
                Reply::Done
            }
            Operation::List(prefix) => {
                let blobs = self.blobs.iter().map(|((_, name), (content, _))| (name, content));
                let listed = blobs.filter(|(name, _)| name.starts_with(prefix));
                let listed = listed.map(|(name, content)| (name.clone(), content.len() as u64));
                Reply::Listed(listed.collect())
            }
            Operation::Fetch(request) => Reply::Page(self.fetch(request)),
            Operation::Send(batch) => Reply::Sent(self.send(batch)),
            Operation::Sleep(pause) => {
                self.slept.push(*pause);
                self.now = self.now + *pause;
                Reply::Done
            }
        }
    }

    pub(super) fn read(&self, container: Container, name: &str) -> Option<(Vec<u8>, Version)> {
        let (content, version) = self.blobs.get(&(container, name.to_owned()))?;
        Some((content.clone(), Version(version.to_string())))
    }

    fn write(
        &mut self,
        container: Container,
        name: &str,
        content: &[u8],
        expected: Option<&Version>,
    ) -> Reply {
        if container == Container::DeadLetters {
            if self.letters.writes_fail {
                return Reply::StorageFailed;
            }
            let record = name_to_key(name);
            *self.letters.stored.entry(record).or_default() += 1;
            if matches!(DeadLetter::from_json(content).unwrap().why, Why::Refused { .. }) {
                self.letters.dead_lettered.insert(record);
            }
        }
        let key = (container, name.to_owned());
        let current = self.blobs.get(&key).map(|(_, version)| Version(version.to_string()));
        if current.as_ref() != expected {
            self.reach("write conflict");
            return Reply::Conflict;
        }
        if name.ends_with("checkpoint.json") {
            self.now = self.now + self.latency;
            let new = Checkpoint::from_json(content).unwrap();
            let before = self.mintimes.insert(name.to_owned(), new.mintime);
            assert!(before.is_none_or(|before| new.mintime >= before), "the checkpoint moved back");
            self.assert_nothing_is_skipped(&new);
        } else if name.contains("/ledger/") && name.strip_suffix(".json").is_some() {
            let before =
                self.blobs.get(&key).map(|(content, _)| DayResults::from_json(content).unwrap());
            let new = DayResults::from_json(content).unwrap();
            self.judge_results(&before.unwrap_or_default(), &new, name);
        }
        self.versions += 1;
        self.blobs.insert(key, (content.to_vec(), self.versions));
        Reply::Written(Version(self.versions.to_string()))
    }

    fn append(&mut self, name: &str, content: &[u8]) {
        for entry in content.as_chunks::<24>().0 {
            let is_entry =
                |key: &&RecordKey| LedgerEntry::from(**key).to_bytes()[..20] == entry[..20];
            let accepted = self.accepted.iter().rev().map(|(key, _)| key);
            let mut allowed =
                accepted.chain(&self.letters.dead_lettered).chain(&self.delivered_before);
            assert!(
                allowed.any(|key| is_entry(&key)),
                "the ledger names an event that was neither accepted nor dead-lettered"
            );
        }
        let (blob, version) = self.blobs.entry((Container::State, name.to_owned())).or_default();
        blob.extend_from_slice(content);
        self.versions += 1;
        *version = self.versions;
    }

    /// Until a quarantined blob is rewritten, another instance may send its events again.
    fn note_quarantined(&mut self, name: &str, content: &[u8]) {
        let (entries, torn) = content.as_chunks::<24>();
        if self.is_shared && !torn.is_empty() && name.strip_suffix(".ids").is_some() {
            self.may_duplicate += entries.len().div_ceil(self.page_size) as u64;
            self.reach("quarantine beside another instance");
        }
    }

    fn send(&mut self, batch: &Batch) -> Result<(), SendErrorKind> {
        self.now = self.now + self.latency;
        let keys: Vec<RecordKey> = batch.records.iter().map(|record| record.key).collect();
        let is_poisonous = keys.iter().any(|key| self.poisonous.contains(key));
        if is_poisonous || self.largest_batch.is_some_and(|largest| keys.len() > largest) {
            return Err(SendErrorKind::Unreachable);
        }
        if self.refuses(&keys) {
            return Err(SendErrorKind::BadRecord);
        }
        let fault = self.send_faults.pop_front().flatten();
        if fault.is_none_or(|(_, accepted)| accepted) {
            self.accepted.extend(keys.iter().map(|key| (*key, batch.kind)));
            self.note_updates(batch);
        }
        fault.map_or(Ok(()), |(kind, _)| Err(kind))
    }

    /// An update replaces a delivered or dead-lettered content of its event that Duo no longer
    /// returns.
    fn note_updates(&mut self, batch: &Batch) {
        for (record, replaced) in batch.records.iter().filter_map(|record| {
            record.replaces.map(|content| (record, RecordKey { content, ..record.key }))
        }) {
            let is_delivered = self.accepted.iter().any(|(key, _)| *key == replaced);
            assert!(is_delivered || self.is_dead_lettered(replaced), "never delivered");
            assert!(!self.events.iter().any(|event| event.key == replaced), "still in Duo");
            self.replacements.push((record.key, replaced.content));
            self.reach("update");
        }
    }

    /// Whether Azure Monitor refuses these rows. Truncated ones must be dead-lettered before.
    fn refuses(&mut self, keys: &[RecordKey]) -> bool {
        for key in keys.iter().filter(|key| self.letters.truncated.contains(*key)) {
            assert!(
                self.letters.stored.contains_key(key),
                "a truncated row was sent before its dead letter was stored"
            );
        }
        let refuses = keys.iter().any(|key| self.letters.refused.contains(key));
        self.letters.refusals += usize::from(refuses && keys.len() == 1);
        refuses
    }

    /// A checkpoint never skips a refused record without a dead letter, unless it was late.
    fn assert_nothing_is_skipped(&self, checkpoint: &Checkpoint) {
        if self.letters.refused.is_empty() {
            return;
        }
        let refused = |key| self.letters.refused.contains(&key) && !self.is_dead_lettered(key);
        for event in self.events.iter().filter(|event| refused(event.key)) {
            assert!(
                event.is_late() || event.time >= checkpoint.mintime,
                "the checkpoint skipped a refused record without a dead letter"
            );
        }
    }

    /// A verified hour has every event delivered that Duo returned when its reading began.
    fn judge_results(&mut self, before: &DayResults, new: &DayResults, name: &str) {
        for (hour, result) in &new.hours {
            if before.hours.get(hour) == Some(result) || !result.state.is_verified() {
                continue;
            }
            let day = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
            let hour = Hour::parse(&format!("{day}T{hour}")).unwrap();
            let began_at = result.read_at.expect("a verified hour was read");
            let is_accepted =
                |event: &DuoEvent| self.accepted.iter().rev().any(|(key, _)| *key == event.key);
            let missing = self.events.iter().find(|event| {
                Hour::of(event.time) == hour
                    && event.time >= result.span.from
                    && event.time < result.span.to
                    && event.visible_from <= began_at
                    && !self.changed.contains(&event.key)
                    && !is_accepted(event)
                    && !self.delivered_before.contains(&event.key)
                    && !self.is_dead_lettered(event.key)
                    && !self.is_hidden(event)
            });
            assert!(missing.is_none(), "{hour} is reported as verified without {missing:?}");
            self.judged += 1;
        }
    }
}

impl Fault {
    /// Whether the fault affects operations of this kind.
    pub(in crate::sync::tests) fn applies_to(self, kind: Kind) -> bool {
        match self {
            Self::KilledBefore | Self::KilledAfter => true,
            Self::Storage(_) => !matches!(kind, Kind::Fetch | Kind::Send | Kind::Sleep),
            Self::LostResponse => kind == Kind::Write,
            Self::Fetch(_) | Self::Page(_) => kind == Kind::Fetch,
            Self::Send(..) => kind == Kind::Send,
        }
    }
}

/// The key in the name of a dead letter.
fn name_to_key(name: &str) -> RecordKey {
    let file = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
    let (uid, content) = file.split_once('-').unwrap();
    let mut key = RecordKey::default();
    hex::decode_to_slice(uid, &mut key.uid).unwrap();
    hex::decode_to_slice(content, &mut key.content).unwrap();
    key
}
