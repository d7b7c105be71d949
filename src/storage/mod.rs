//! Storage of checkpoints, ledgers, results and dead letters.
//!
//! [`Store`] is a folder or a blob container with conditional writes. [`LogState`] has the
//! checkpoint, ledger and results of one log, `Ledger` the entries that a run has loaded, and
//! [`DeadLetters`] the originals in a store of their own.

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
pub use ledger::LedgerEntry;
pub(crate) use ledger::{Ledger, LedgerUid, ledger_uid};
pub use log_state::LogState;

use crate::http::Transport;
use crate::settings::{BlobSettings, StateSettings};
use blob::ContainerStore;
use folder::FolderStore;

const DEAD_LETTER_FOLDER: &str = "dead-letter";

/// The version of a blob: a write that expects it fails if the blob has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// A shared folder or blob container.
pub type Store = Arc<dyn BlobStore>;

/// Opens the state store without reading or writing.
pub fn open(settings: &StateSettings, transport: &Transport) -> Result<Store, StorageError> {
    Ok(match settings {
        StateSettings::Folder(folder) => Arc::new(FolderStore::new(folder.clone())),
        StateSettings::Blob(blob) => Arc::new(ContainerStore::new(blob, transport)?),
    })
}

/// Opens the store of dead letters without reading or writing.
pub fn open_dead_letters(
    settings: &StateSettings,
    transport: &Transport,
) -> Result<Store, StorageError> {
    let settings = match settings {
        StateSettings::Folder(folder) => StateSettings::Folder(folder.join(DEAD_LETTER_FOLDER)),
        StateSettings::Blob(blob) => StateSettings::Blob(BlobSettings {
            container: blob.dead_letter_container.clone(),
            ..blob.clone()
        }),
    };
    open(&settings, transport)
}

/// An error of a storage operation. Never contains a URL, which may include a signature.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {action} {name}: {reason}")]
pub struct StorageError {
    /// The operation: read, write, append to, remove; use, if the content cannot be trusted.
    pub action: &'static str,
    /// Name of the blob or file.
    pub name: String,
    /// The reason in one line.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Why a blob was not written or appended to.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another writer changed the blob, or its type does not support appends.
    #[error("another writer changed it")]
    Conflict,
    /// The operation failed.
    #[error(transparent)]
    Failed(#[from] StorageError),
}

/// Named blobs with conditional writes.
#[async_trait]
pub trait BlobStore: Debug + Send + Sync {
    /// Reads a blob and its version; `None` if it does not exist.
    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError>;

    /// Replaces the expected version of a blob; `None` expects that it does not exist.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] if the version differs; other errors may leave it written.
    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError>;

    /// Appends to a blob, which is created if it does not exist. Concurrent appends are neither
    /// torn nor lost. `unit` is the size of an entry in bytes.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] for other types of blobs. After other errors it may have succeeded.
    async fn append(&self, name: &str, content: Vec<u8>, unit: usize) -> Result<(), WriteError>;

    /// The names and sizes of all blobs below `prefix`, which ends with a slash, unordered.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, StorageError>;

    /// Removes a blob if it exists.
    async fn remove(&self, name: &str) -> Result<(), StorageError>;

    /// The location for messages, without secrets.
    fn location(&self) -> String;

    /// An error of an operation on a blob.
    fn error(
        &self,
        action: &'static str,
        name: &str,
        reason: &dyn Display,
        hint: Option<&str>,
    ) -> StorageError {
        StorageError {
            action,
            name: format!("{name} in the {}", self.location()),
            reason: reason.to_string(),
            hint: hint.map(str::to_owned),
        }
    }

    /// Whether appends first truncate a killed writer's partial one; containers never have any.
    fn truncates_torn_appends(&self) -> bool {
        false
    }
}
