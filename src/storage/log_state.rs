//! The stored state of one log: checkpoint, delivery ledger, results per hour.

use std::collections::BTreeMap;

use super::document::{self, Document, quarantine};
use super::ledger::{ENTRY_BYTES, LedgerEntry};
use super::{StorageError, Store, Version, WriteError};
use crate::model::{Hour, LogType};

/// The stored state of one log of one account.
#[derive(Clone, Debug)]
pub struct LogState {
    store: Store,
    prefix: String,
    checkpoint: String,
}

impl LogState {
    /// The state of a log; `host` is the account's API hostname.
    pub fn new(store: Store, host: &str, log_type: LogType) -> Self {
        let prefix = format!("{host}/self/{log_type}");
        Self { store, prefix, checkpoint: "checkpoint.json".to_owned() }
    }

    /// The same log and ledger, with the checkpoint of a backfill.
    #[must_use]
    pub fn of_backfill(&self, id: &str) -> Self {
        Self { checkpoint: format!("backfill/{id}.json"), ..self.clone() }
    }

    /// The store of the state.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Loads the checkpoint. An unreadable one is an error and is never overwritten.
    ///
    /// # Errors
    ///
    /// Storage fails, or the checkpoint is damaged or requires a newer reader.
    pub async fn load<T: Document>(&self) -> Result<Option<(T, Version)>, StorageError> {
        let name = self.checkpoint_name();
        let Some((content, version)) = self.store.read(&name).await? else {
            return Ok(None);
        };
        let checkpoint = T::from_json(&content).map_err(|error| {
            let hint = format!(
                "this log is stopped and nothing was overwritten: restore an earlier version of {name}, run the release that wrote \
                 it, or delete it: the next run continues after the last settled hour in the ledger"
            );
            self.store.error("use", &name, &error, Some(&hint))
        })?;
        Ok(Some((checkpoint, version)))
    }

    /// Replaces the checkpoint that was read. A retried write does not conflict with itself.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] if the checkpoint changed; a storage error if it was removed.
    pub async fn save(
        &self,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let name = self.checkpoint_name();
        match self.store.write(&name, content.clone(), expected).await {
            Err(WriteError::Conflict) => match self.store.read(&name).await? {
                Some((stored, version)) if stored == content => Ok(version),
                None if expected.is_some() => {
                    let hint = "check which process or lifecycle rule deletes blobs in the state container; the next run continues after the last settled \
                         hour in the ledger, or CISCO_DUO_LOOKBACK_HOURS ago if the ledger was deleted too";
                    let reason = "it was deleted after the last write";
                    Err(self.store.error("write", &name, &reason, Some(hint)).into())
                }
                _ => Err(WriteError::Conflict),
            },
            result => result,
        }
    }

    /// Removes the checkpoint of a finished backfill.
    pub(crate) async fn remove_checkpoint(&self) -> Result<(), StorageError> {
        self.store.remove(&self.checkpoint_name()).await
    }

    /// The ids of unfinished backfills, unordered.
    pub(crate) async fn backfills(&self) -> Result<Vec<String>, StorageError> {
        let found = self.below("backfill", ".json").await?;
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }

    /// The days with results, oldest first, as their first hours.
    pub(crate) async fn days_with_results(&self) -> Result<Vec<Hour>, StorageError> {
        let found = self.below("ledger", ".json").await?;
        let mut days: Vec<_> =
            found.iter().filter_map(|(day, _)| Hour::parse(&format!("{day}T00"))).collect();
        days.sort_unstable();
        Ok(days)
    }

    /// The number of stored ledger entries per hour.
    pub(crate) async fn entry_counts(&self) -> Result<BTreeMap<Hour, u64>, StorageError> {
        let found = self.below("ledger", ".ids").await?;
        let count =
            |(name, bytes): (String, u64)| Some((Hour::parse(&name)?, bytes / ENTRY_BYTES as u64));
        Ok(found.into_iter().filter_map(count).collect())
    }

    /// The blobs of a folder with this suffix: the rest of each name, and its size in bytes.
    async fn below(&self, folder: &str, suffix: &str) -> Result<Vec<(String, u64)>, StorageError> {
        let prefix = format!("{}/{folder}/", self.prefix);
        let found = self.store.list(&prefix).await?.into_iter();
        let found = found.filter_map(|(name, bytes)| {
            Some((name.strip_prefix(&prefix)?.strip_suffix(suffix)?.to_owned(), bytes))
        });
        Ok(found.collect())
    }

    /// The ledger entries of an hour. A blob with a partial entry is quarantined and rewritten.
    pub async fn entries(&self, hour: Hour) -> Result<Vec<LedgerEntry>, StorageError> {
        let name = self.ledger_name(hour);
        let Some((content, _)) = self.store.read(&name).await? else {
            return Ok(Vec::new());
        };
        let (entries, rest) = content.as_chunks::<ENTRY_BYTES>();
        let entries: Vec<_> = entries.iter().map(LedgerEntry::from_bytes).collect();
        if !rest.is_empty() && !self.store.truncates_torn_appends() {
            // Entries appended after a partial one would be misaligned and unreadable.
            let reason = format!("{} bytes are not a whole number of entries", content.len());
            quarantine(&self.store, &name, content, &reason).await?;
            self.append(hour, &entries).await?;
        }
        Ok(entries)
    }

    /// Appends to the ledger of an hour. Quarantines an unsuitable blob, keeping its entries.
    pub async fn append(&self, hour: Hour, entries: &[LedgerEntry]) -> Result<(), StorageError> {
        let name = self.ledger_name(hour);
        match self.append_once(&name, entries).await {
            Err(WriteError::Conflict) => {}
            Err(WriteError::Failed(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
        // A restore or an operator put another blob there.
        let found = self.store.read(&name).await?;
        let content = found.map(|(content, _)| content).unwrap_or_default();
        let mut all: Vec<_> = content.as_chunks().0.iter().map(LedgerEntry::from_bytes).collect();
        all.extend(entries);
        quarantine(&self.store, &name, content, "it cannot be appended to").await?;
        match self.append_once(&name, &all).await {
            Err(WriteError::Conflict) => {
                let reason = "it cannot be appended to, even after it was quarantined";
                let hint = "check what else writes to this blob";
                Err(self.store.error("append to", &name, &reason, Some(hint)))
            }
            Err(WriteError::Failed(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    async fn append_once(&self, name: &str, entries: &[LedgerEntry]) -> Result<(), WriteError> {
        if entries.is_empty() {
            // Azure refuses an empty append with 400.
            return Ok(());
        }
        let content = entries.iter().flat_map(LedgerEntry::to_bytes).collect();
        self.store.append(name, content, ENTRY_BYTES).await
    }

    pub(crate) async fn remove_entries(&self, hour: Hour) -> Result<(), StorageError> {
        self.store.remove(&self.ledger_name(hour)).await
    }

    /// The results of a day. Damaged ones are quarantined and count as missing.
    pub async fn results<T: Document + Default>(&self, day: Hour) -> Result<T, StorageError> {
        let (results, _) = document::read(&self.store, &self.results_name(day)).await?;
        Ok(results.unwrap_or_default())
    }

    /// The results of a day without changing anything: damaged ones count as missing.
    pub(crate) async fn peek_results<T: Document + Default>(
        &self,
        day: Hour,
    ) -> Result<T, StorageError> {
        let stored = self.store.read(&self.results_name(day)).await?;
        Ok(stored.and_then(|(content, _)| T::from_json(&content).ok()).unwrap_or_default())
    }

    /// Changes the results of a day, retrying on conflicts with other writers.
    pub(crate) async fn update_results<T: Document + Default>(
        &self,
        day: Hour,
        change: impl FnMut(&mut T) + Send,
    ) -> Result<(), StorageError> {
        document::update(&self.store, &self.results_name(day), change).await
    }

    pub(crate) async fn remove_results(&self, day: Hour) -> Result<(), StorageError> {
        self.store.remove(&self.results_name(day)).await
    }

    pub(crate) fn checkpoint_name(&self) -> String {
        format!("{}/{}", self.prefix, self.checkpoint)
    }

    pub(crate) fn fields_name(&self) -> String {
        format!("{}/fields.json", self.prefix)
    }

    /// Name of the log's health document.
    pub fn health_name(&self) -> String {
        format!("{}/health.json", self.prefix)
    }

    fn results_name(&self, day: Hour) -> String {
        format!("{}/ledger/{}.json", self.prefix, day.date())
    }

    fn ledger_name(&self, hour: Hour) -> String {
        format!("{}/ledger/{hour}.ids", self.prefix)
    }
}

#[cfg(test)]
mod tests;
