//! The delivery ledger: ids of accepted events per hour of event time, loaded on demand.

use std::collections::{BTreeMap, VecDeque};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{LogState, StorageError};
use crate::model::{EventContent, Hour, Record, RecordKey};

/// Size of an entry: 16 bytes of `event_uid`, 4 of `event_content`, 4 of the replaced content.
pub(super) const ENTRY_BYTES: usize = 24;
/// Maximum entries in memory; the least recently used hours are evicted.
const MAX_ENTRIES: usize = 100_000;
const CONCURRENCY: usize = 8;

/// The ledger entry of an accepted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LedgerEntry {
    /// The first 16 bytes of `event_uid`.
    uid: LedgerUid,
    content: EventContent,
    /// Content of the same event that this one replaces; zeros for none.
    replaces: EventContent,
}

/// The part of `event_uid` in the ledger.
pub(crate) type LedgerUid = [u8; 16];

/// The part of `event_uid` in the ledger.
pub(crate) fn ledger_uid(key: &RecordKey) -> LedgerUid {
    *key.uid.first_chunk().expect("event_uid is longer than 16 bytes")
}

impl From<RecordKey> for LedgerEntry {
    fn from(key: RecordKey) -> Self {
        let replaces = EventContent::default();
        Self { uid: ledger_uid(&key), content: key.content, replaces }
    }
}

impl From<&Record> for LedgerEntry {
    fn from(record: &Record) -> Self {
        Self { replaces: record.replaces.unwrap_or_default(), ..record.key.into() }
    }
}

impl LedgerEntry {
    /// Parses a stored entry.
    pub fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let (uid, rest) = bytes.split_first_chunk().expect("an entry has 24 bytes");
        let (content, rest) = rest.split_first_chunk().expect("an entry has 24 bytes");
        let replaces = rest.first_chunk().expect("an entry has 24 bytes");
        Self { uid: *uid, content: *content, replaces: *replaces }
    }

    /// The stored form.
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..16].copy_from_slice(&self.uid);
        bytes[16..20].copy_from_slice(&self.content);
        bytes[20..].copy_from_slice(&self.replaces);
        bytes
    }

    const fn is_replacement(&self) -> bool {
        u32::from_ne_bytes(self.replaces) != 0
    }
}

/// The entries of one hour, stored and appended.
#[derive(Debug, Default)]
struct HourEntries {
    /// Ids are parts of a SHA-256, so no sender can craft collisions in this fast hash.
    known: FxHashSet<(LedgerUid, EventContent)>,
    /// Contents that a later entry of the same event replaces.
    replaced: FxHashSet<(LedgerUid, EventContent)>,
}

impl HourEntries {
    fn add(&mut self, entry: LedgerEntry) {
        self.known.insert((entry.uid, entry.content));
        if entry.is_replacement() {
            self.replaced.insert((entry.uid, entry.replaces));
        }
    }

    /// Number of events: an event that was replaced counts once.
    fn events(&self) -> u64 {
        (self.known.len() as u64).saturating_sub(self.replaced.len() as u64)
    }
}

#[derive(Debug)]
pub(crate) struct Ledger {
    state: LogState,
    hours: FxHashMap<Hour, HourEntries>,
    /// The hours in memory, least recently used first.
    used: VecDeque<Hour>,
    /// Number of entries that were appended, per hour.
    appended: BTreeMap<Hour, u64>,
}

impl Ledger {
    pub(crate) fn new(state: LogState) -> Self {
        let (hours, used, appended) = Default::default();
        Self { state, hours, used, appended }
    }

    pub(crate) async fn load(&mut self, hours: &[Hour]) -> Result<(), StorageError> {
        let missing: Vec<Hour> =
            hours.iter().copied().filter(|hour| !self.hours.contains_key(hour)).collect();
        let state = &self.state;
        let read: Vec<(Hour, Vec<LedgerEntry>)> = stream::iter(missing)
            .map(|hour| async move { Ok::<_, StorageError>((hour, state.entries(hour).await?)) })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        for (hour, entries) in read {
            let hour = self.hours.entry(hour).or_default();
            for entry in entries {
                hour.add(entry);
            }
        }
        self.used.retain(|hour| !hours.contains(hour));
        self.used.extend(hours);
        self.evict(hours.len());
        Ok(())
    }

    /// Whether a record was delivered; its hour must be loaded.
    pub(crate) fn contains(&self, hour: Hour, key: &RecordKey) -> bool {
        let entry = LedgerEntry::from(*key);
        self.hours.get(&hour).is_some_and(|hour| hour.known.contains(&(entry.uid, entry.content)))
    }

    /// The delivered contents of these events that no later one replaces; the hours must be loaded.
    pub(crate) fn current(
        &self,
        hours: &[Hour],
        events: &FxHashSet<LedgerUid>,
    ) -> FxHashMap<LedgerUid, Vec<EventContent>> {
        let mut current = FxHashMap::<LedgerUid, Vec<EventContent>>::default();
        for hour in hours.iter().filter_map(|hour| self.hours.get(hour)) {
            let entries = hour.known.iter().filter(|(uid, _)| events.contains(uid));
            for entry in entries.filter(|entry| !hour.replaced.contains(entry)) {
                current.entry(entry.0).or_default().push(entry.1);
            }
        }
        for contents in current.values_mut() {
            contents.sort_unstable();
        }
        current
    }

    /// Whether an event of the hour has several contents of which none replaces another; the hour
    /// must be loaded.
    pub(crate) fn has_several_contents(&self, hour: Hour) -> bool {
        let Some(hour) = self.hours.get(&hour) else { return false };
        let mut seen = FxHashSet::default();
        let mut current = hour.known.iter().filter(|entry| !hour.replaced.contains(entry));
        current.any(|(uid, _)| !seen.insert(uid))
    }

    /// Delivered events per hour: entries less replacements.
    pub(crate) async fn delivered(&mut self, hours: &[Hour]) -> Result<Vec<u64>, StorageError> {
        let mut delivered = Vec::with_capacity(hours.len());
        // One hour at a time: two days of a busy log exceed the memory limit.
        for hour in hours {
            self.load(&[*hour]).await?;
            let count = self.hours.get(hour).map_or(0, HourEntries::events);
            delivered.push(count);
        }
        Ok(delivered)
    }

    /// Appends the entries of an accepted batch. After an error some may have been appended.
    pub(crate) async fn append(
        &mut self,
        records: impl Iterator<Item = (Hour, LedgerEntry)>,
    ) -> Result<(), StorageError> {
        // Ordered by hour, so that equal records make equal requests.
        let mut by_hour = BTreeMap::<Hour, Vec<LedgerEntry>>::new();
        for (hour, entry) in records {
            by_hour.entry(hour).or_default().push(entry);
        }
        let state = &self.state;
        let appended: Vec<(Hour, Vec<LedgerEntry>)> = stream::iter(by_hour)
            .map(|(hour, entries)| async move {
                state.append(hour, &entries).await.map(|()| (hour, entries))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        for (hour, entries) in appended {
            *self.appended.entry(hour).or_default() += entries.len() as u64;
            if let Some(known) = self.hours.get_mut(&hour) {
                for entry in entries {
                    known.add(entry);
                }
            }
        }
        Ok(())
    }

    /// The number of entries that were appended, per hour.
    pub(crate) fn take_appended(&mut self) -> BTreeMap<Hour, u64> {
        std::mem::take(&mut self.appended)
    }

    /// Removes the entries of an hour that no reading needs any more.
    pub(crate) async fn remove(&mut self, hour: Hour) -> Result<(), StorageError> {
        self.hours.remove(&hour);
        self.used.retain(|used| *used != hour);
        self.state.remove_entries(hour).await
    }

    /// Evicts the least recently used hours, but never the `needed` most recent ones.
    fn evict(&mut self, needed: usize) {
        let mut count: usize = self.hours.values().map(|hour| hour.known.len()).sum();
        while count > MAX_ENTRIES && self.used.len() > needed {
            let Some(oldest) = self.used.pop_front() else {
                return;
            };
            count -= self.hours.remove(&oldest).map_or(0, |hour| hour.known.len());
        }
    }
}

#[cfg(test)]
mod tests;
