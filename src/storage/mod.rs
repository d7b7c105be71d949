//! Where the checkpoint of each log and the ids of delivered events are stored.
//!
//! [`Store`] is a folder or a blob container with one rule: a write says what it expects to replace. [`LogState`] names the
//! checkpoint, ledger and results of one log in it, `Ledger` is what a run knows of the ledger, and [`DeadLetters`] keeps
//! originals in a store of their own.

mod account_key;
mod blob;
mod dead_letter;
mod dead_letters;
pub mod document;
mod folder;
mod ledger;
mod log_state;

use std::fmt::{Debug, Display};
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use dead_letter::{DeadLetter, Why};
pub(crate) use dead_letters::DeadLetterName;
pub use dead_letters::DeadLetters;
pub use document::Document;
pub(crate) use document::{Header, Unreadable};
pub(crate) use ledger::Ledger;
pub use ledger::LedgerEntry;
pub use log_state::LogState;

use crate::http::Transport;
use crate::settings::{BlobSettings, StateSettings};
use blob::ContainerStore;
use folder::FolderStore;

const DEAD_LETTER_FOLDER: &str = "dead-letter";

/// The state of a blob when it was read: a write that expects it fails when the blob was written since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// A folder or a blob container, shared by everything that reads or writes state in it.
pub type Store = Arc<dyn BlobStore>;

/// Opens the store of the state; nothing is read or written yet.
pub fn open(settings: &StateSettings, transport: &Transport) -> Result<Store, StorageError> {
    Ok(match settings {
        StateSettings::Folder(folder) => Arc::new(FolderStore::new(folder.clone())),
        StateSettings::Blob(blob) => Arc::new(ContainerStore::new(blob, transport)?),
    })
}

/// Opens the store of dead letters, beside the state; nothing is read or written yet.
pub fn open_dead_letters(
    settings: &StateSettings,
    transport: &Transport,
) -> Result<Store, StorageError> {
    let beside = match settings {
        StateSettings::Folder(folder) => StateSettings::Folder(folder.join(DEAD_LETTER_FOLDER)),
        StateSettings::Blob(blob) => StateSettings::Blob(BlobSettings {
            container: blob.dead_letter_container.clone(),
            ..blob.clone()
        }),
    };
    open(&beside, transport)
}

/// State that could not be read or written. Never shows a URL: it may carry a signature.
#[derive(Clone, Debug, thiserror::Error)]
#[error("could not {action} {name}: {reason}")]
pub struct StorageError {
    /// What was tried: read, write, append to, remove.
    pub action: &'static str,
    /// Name of the blob or file.
    pub name: String,
    /// What went wrong, in one line.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why a blob was not written or appended to.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another writer changed it since it was read; or the blob is of a kind that cannot be appended to.
    #[error("another writer changed it")]
    Conflict,
    /// It could not be written.
    #[error(transparent)]
    Failed(#[from] StorageError),
}

/// Named blobs with one rule: a write says what it expects to replace.
#[async_trait]
pub trait BlobStore: Debug + Send + Sync {
    /// Reads a blob and its version; `None` when there is none.
    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError>;

    /// Writes a blob in place of the expected one; `None` expects that there is none.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] when another one is there. After any other error it may have been written.
    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError>;

    /// Appends to a blob, which is created if it does not exist. Whole appends of several writers follow one another;
    /// none is torn or lost. `unit` is the size of the entries in bytes.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] when the blob cannot be appended to. After any other error it may have been appended.
    async fn append(&self, name: &str, content: Vec<u8>, unit: usize) -> Result<(), WriteError>;

    /// The names of all blobs that begin with `prefix`, which ends with a slash, in no particular order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StorageError>;

    /// Removes a blob; one that does not exist is no error.
    async fn remove(&self, name: &str) -> Result<(), StorageError>;

    /// Where it is, without secrets, for messages.
    fn place(&self) -> String;

    /// The error of an action on a blob.
    fn error(
        &self,
        action: &'static str,
        name: &str,
        reason: &dyn Display,
        hint: Option<&str>,
    ) -> StorageError {
        StorageError {
            action,
            name: format!("{name} in the {}", self.place()),
            reason: reason.to_string(),
            hint: hint.map(str::to_owned),
        }
    }

    /// Whether an append first truncates what a killed writer left of its own; in a container none is ever torn.
    fn truncates_torn_appends(&self) -> bool {
        false
    }
}
