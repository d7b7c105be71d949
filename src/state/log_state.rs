//! The checkpoint and the ledger of one log.

use super::error::{StateError, WriteError};
use super::{Store, Version};
use crate::model::{Hour, LogType};
use crate::plan::{Checkpoint, RowId};

/// What the ledger keeps of a row's identity: its first 16 bytes.
pub type LedgerId = [u8; LEDGER_ID];
const LEDGER_ID: usize = 16;

/// The stored state of one log of one account.
#[derive(Clone, Debug)]
pub struct LogState {
    store: Store,
    prefix: String,
}

impl LogState {
    /// The state of a log; `host` is the account's API hostname.
    pub fn new(store: Store, host: &str, log_type: LogType) -> Self {
        Self {
            store,
            prefix: format!("{host}/self/{log_type}"),
        }
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
    /// its first answer was lost, is none.
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
                _ => Err(WriteError::Conflict),
            },
            result => result,
        }
    }

    /// The ids delivered for an hour of event time.
    pub async fn ids(&self, hour: Hour) -> Result<Vec<LedgerId>, StateError> {
        let content = self.store.read(&self.ledger_name(hour)).await?;
        // A part at the end is what a killed process left of its last write.
        let content = content.map(|(content, _)| content).unwrap_or_default();
        Ok(content.as_chunks::<LEDGER_ID>().0.to_vec())
    }

    /// Adds ids to an hour of event time.
    pub async fn record(&self, hour: Hour, ids: &[LedgerId]) -> Result<(), StateError> {
        self.store
            .append(
                &self.ledger_name(hour),
                ids.as_flattened().to_vec(),
                LEDGER_ID,
            )
            .await
    }

    /// Name of the checkpoint in the store, for messages.
    pub fn checkpoint_name(&self) -> String {
        format!("{}/checkpoint.json", self.prefix)
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
