//! The checkpoint and the ledger of one log.

mod fields;

use tracing::warn;

use super::error::{StateError, WriteError};
use super::{Store, Version};
use crate::logging::LogEvent;
use crate::model::{Hour, LogType};
use crate::sync::{Checkpoint, DayResults, HourResult, RowId, Unreadable};

/// What the ledger keeps of a row's identity: its first 16 bytes.
pub type LedgerId = [u8; LEDGER_ID];
const LEDGER_ID: usize = 16;
/// Tries of a change that others make at the same time.
const TRIES: u32 = 5;

/// The stored state of one log of one account.
#[derive(Clone, Debug)]
pub struct LogState {
    store: Store,
    prefix: String,
    /// Where the place is, below the prefix.
    place: String,
}

impl LogState {
    /// The state of a log; `host` is the account's API hostname.
    pub fn new(store: Store, host: &str, log_type: LogType) -> Self {
        Self {
            store,
            prefix: format!("{host}/self/{log_type}"),
            place: "checkpoint.json".to_owned(),
        }
    }

    /// The same log and the same ledger, with the place of a backfill instead of the live one.
    #[must_use]
    pub fn of_backfill(&self, id: &str) -> Self {
        Self {
            place: format!("backfill/{id}.json"),
            ..self.clone()
        }
    }

    /// Removes the place; a backfill that came to its end needs none.
    pub async fn forget_place(&self) -> Result<(), StateError> {
        self.store.remove(&self.checkpoint_name()).await
    }

    /// The names of the places of backfills that are stored, in no particular order.
    pub async fn backfills(&self) -> Result<Vec<String>, StateError> {
        let prefix = format!("{}/backfill/", self.prefix);
        let names = self.store.list(&prefix).await?;
        let ids = names
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix)?.strip_suffix(".json"));
        Ok(ids.map(str::to_owned).collect())
    }

    /// The hours of which ids are stored, in no particular order.
    pub async fn hours_with_ids(&self) -> Result<Vec<Hour>, StateError> {
        let prefix = format!("{}/ledger/", self.prefix);
        let names = self.store.list(&prefix).await?;
        let hours = names.iter().filter_map(|name| {
            let hour = name.strip_prefix(&prefix)?.strip_suffix(".ids")?;
            Hour::parse(hour)
        });
        Ok(hours.collect())
    }

    /// Reads the checkpoint. One that cannot be understood is an error, and is never overwritten.
    pub async fn load(&self) -> Result<Option<(Checkpoint, Version)>, StateError> {
        let name = self.checkpoint_name();
        let Some((content, version)) = self.store.read(&name).await? else {
            return Ok(None);
        };
        let checkpoint = Checkpoint::from_json(&content).map_err(|fault| StateError {
            action: "use",
            name: format!("{name} in the {}", self.store.place()),
            reason: fault.to_string(),
            hint: Some(format!(
                "this log stands still and nothing was overwritten: restore an earlier version of {name}, or move it \
                 away to begin anew (set CISCO_DUO_START to where the log stood), or run the release that wrote it"
            )),
        })?;
        Ok(Some((checkpoint, version)))
    }

    /// Stores the checkpoint in place of the one that was read. A conflict with what this very call wrote, when
    /// its first answer was lost, is none; one with nothing at all is a fault to tell.
    pub async fn save(
        &self,
        checkpoint: &Checkpoint,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let name = self.checkpoint_name();
        let content = checkpoint.to_json();
        match self.store.write(&name, content.clone(), expected).await {
            Err(WriteError::Conflict) => match self.store.read(&name).await? {
                Some((stored, version)) if stored == content => Ok(version),
                None if expected.is_some() => Err(StateError {
                    action: "write",
                    name: format!("{name} in the {}", self.store.place()),
                    reason: "it is gone since it was last written".to_owned(),
                    hint: Some(
                        "somebody removed it: the next run begins CISCO_DUO_LOOKBACK_HOURS ago; set CISCO_DUO_START to \
                         where the log stood, or restore it"
                            .to_owned(),
                    ),
                }
                .into()),
                _ => Err(WriteError::Conflict),
            },
            result => result,
        }
    }

    /// The ids delivered for an hour of event time.
    pub async fn ids(&self, hour: Hour) -> Result<Vec<LedgerId>, StateError> {
        let name = self.ledger_name(hour);
        let Some((content, _)) = self.store.read(&name).await? else {
            return Ok(Vec::new());
        };
        let (ids, rest) = content.as_chunks::<LEDGER_ID>();
        let ids = ids.to_vec();
        if !rest.is_empty() && !self.store.cuts_torn_ends() {
            // Whatever is added behind it would stand askew, and be known by nobody.
            let reason = format!("{} bytes are no whole number of ids", content.len());
            self.set_aside(&name, content, &reason).await?;
            self.record(hour, &ids).await?;
        }
        Ok(ids)
    }

    /// Adds ids to an hour of event time.
    pub async fn record(&self, hour: Hour, ids: &[LedgerId]) -> Result<(), StateError> {
        let name = self.ledger_name(hour);
        match self.append(&name, ids).await {
            Err(WriteError::Conflict) => {}
            Err(WriteError::Failed(fault)) => return Err(fault),
            Ok(()) => return Ok(()),
        }
        // Something else was put there, by a restore or by hand: what it knows is kept.
        let found = self.store.read(&name).await?;
        let content = found.map(|(content, _)| content).unwrap_or_default();
        let known = content.as_chunks::<LEDGER_ID>().0.to_vec();
        self.set_aside(&name, content, "it cannot be added to")
            .await?;
        match self.append(&name, &[&known, ids].concat()).await {
            Err(WriteError::Conflict) => Err(StateError {
                action: "append to",
                name: format!("{name} in the {}", self.store.place()),
                reason: "it cannot be added to, however often it is set aside".to_owned(),
                hint: Some("find out who writes there beside this program".to_owned()),
            }),
            Err(WriteError::Failed(fault)) => Err(fault),
            Ok(()) => Ok(()),
        }
    }

    async fn append(&self, name: &str, ids: &[LedgerId]) -> Result<(), WriteError> {
        if ids.is_empty() {
            // Nothing whole was found where a torn end was; Azure refuses an addition of no bytes with 400.
            return Ok(());
        }
        let content = ids.as_flattened().to_vec();
        self.store.append(name, content, LEDGER_ID).await
    }

    /// Removes the ids of an hour.
    pub async fn forget_ids(&self, hour: Hour) -> Result<(), StateError> {
        self.store.remove(&self.ledger_name(hour)).await
    }

    /// What is known of the hours of a day.
    pub async fn results(&self, day: Hour) -> Result<DayResults, StateError> {
        Ok(self.stored_results(day).await?.0)
    }

    /// What is known of the hours of a day, for somebody who only looks: what is damaged is left where it is, and says nothing.
    pub async fn results_as_they_are(&self, day: Hour) -> Result<DayResults, StateError> {
        let stored = self.store.read(&self.results_name(day)).await?;
        let results = stored.and_then(|(content, _)| DayResults::from_json(&content).ok());
        Ok(results.unwrap_or_default())
    }

    /// Adds to what is known of the hours of a day. Others may add at the same time.
    pub async fn add_results(
        &self,
        day: Hour,
        results: &[(Hour, HourResult)],
    ) -> Result<(), StateError> {
        let name = self.results_name(day);
        for _ in 0..TRIES {
            let (mut known, version) = self.stored_results(day).await?;
            for (hour, result) in results {
                known.add(*hour, result.clone());
            }
            match self
                .store
                .write(&name, known.to_json(), version.as_ref())
                .await
            {
                Ok(_) => return Ok(()),
                Err(WriteError::Conflict) => {}
                Err(WriteError::Failed(fault)) => return Err(fault),
            }
        }
        Err(StateError {
            action: "write",
            name: format!("{name} in the {}", self.store.place()),
            reason: format!("it was changed by others {TRIES} times in a row"),
            hint: Some("check how many instances share this state".to_owned()),
        })
    }

    /// Removes what is known of the hours of a day.
    pub async fn forget_results(&self, day: Hour) -> Result<(), StateError> {
        self.store.remove(&self.results_name(day)).await
    }

    /// Reads what is known of a day. What is damaged is set aside: a ledger never stops collection.
    async fn stored_results(&self, day: Hour) -> Result<(DayResults, Option<Version>), StateError> {
        let name = self.results_name(day);
        let Some((content, version)) = self.store.read(&name).await? else {
            return Ok((DayResults::default(), None));
        };
        match DayResults::from_json(&content) {
            Ok(known) => Ok((known, Some(version))),
            Err(Unreadable::Damaged(reason)) => {
                self.set_aside(&name, content, &reason).await?;
                Ok((DayResults::default(), None))
            }
            Err(fault) => Err(StateError {
                action: "use",
                name: format!("{name} in the {}", self.store.place()),
                reason: fault.to_string(),
                hint: Some("run the release that wrote it, or move it away".to_owned()),
            }),
        }
    }

    /// Keeps a copy of what is damaged under another name, and removes it.
    async fn set_aside(
        &self,
        name: &str,
        content: Vec<u8>,
        reason: &str,
    ) -> Result<(), StateError> {
        let aside = format!("{name}.damaged-{:08x}", fastrand::u32(..));
        warn!(
            event = %LogEvent::LedgerDamaged,
            name,
            aside, reason, "a part of the ledger is damaged; it was set aside"
        );
        match self.store.write(&aside, content, None).await {
            Ok(_) => self.store.remove(name).await,
            Err(WriteError::Conflict) => Ok(()),
            Err(WriteError::Failed(fault)) => Err(fault),
        }
    }

    /// Name of the checkpoint in the store, for messages.
    pub fn checkpoint_name(&self) -> String {
        format!("{}/{}", self.prefix, self.place)
    }

    /// The store, for what others keep beside the checkpoint.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Name in the store of what is kept of the log under this name.
    pub fn name_of(&self, file: &str) -> String {
        format!("{}/{file}", self.prefix)
    }

    fn results_name(&self, day: Hour) -> String {
        format!("{}/ledger/{}.json", self.prefix, day.date())
    }

    fn ledger_name(&self, hour: Hour) -> String {
        format!("{}/ledger/{hour}.ids", self.prefix)
    }
}

/// The part of a row's identity that the ledger keeps.
pub fn ledger_id(id: &RowId) -> LedgerId {
    *id.first_chunk()
        .expect("a row's identity is longer than the ledger's")
}

#[cfg(test)]
mod tests;
