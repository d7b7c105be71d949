//! Where the place of each log and the ids of what was delivered are kept.
//!
//! [`Store`] is a folder or a blob container with one rule: a write says what it expects to replace. [`LogState`] names the
//! checkpoint, ledger and results of one log in it, [`Ledger`] is what a run knows of the ledger, and [`DeadLetters`] keeps
//! originals in a store of their own.

mod account_key;
mod blob;
mod blob_fault;
mod dead_letter;
mod dead_letters;
pub mod document;
mod error;
mod folder;
mod ledger;
mod log_state;

use std::future::Future;

pub use dead_letter::{DeadLetter, Why};
pub use dead_letters::{DeadLetterName, DeadLetters};
pub use document::{Document, Unreadable};
pub use error::{StorageError, WriteError};
pub use ledger::{Ledger, LedgerEntry};
pub use log_state::LogState;

use crate::http::Transport;
use crate::settings::{BlobSettings, StateSettings};
use blob::ContainerStore;
use folder::FolderStore;

/// The folder of dead letters in the folder of the state.
const DEAD_LETTER_FOLDER: &str = "dead-letter";

/// What a stored text was when it was read: a write that expects it fails when somebody else wrote since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// A folder or a blob container.
#[derive(Clone, Debug)]
pub enum Store {
    /// A folder on this machine.
    Folder(FolderStore),
    /// A blob container.
    Blob(ContainerStore),
}

impl Store {
    /// Opens the store; nothing is read or written yet.
    pub fn open(settings: &StateSettings, transport: &Transport) -> Result<Self, StorageError> {
        match settings {
            StateSettings::Folder(folder) => Ok(Self::Folder(FolderStore::new(folder.clone()))),
            StateSettings::Blob(blob) => ContainerStore::new(blob, transport).map(Self::Blob),
        }
    }

    /// Opens the place of dead letters, beside the state; nothing is read or written yet.
    pub fn open_dead_letters(
        settings: &StateSettings,
        transport: &Transport,
    ) -> Result<Self, StorageError> {
        match settings {
            StateSettings::Folder(folder) => Ok(Self::Folder(FolderStore::new(
                folder.join(DEAD_LETTER_FOLDER),
            ))),
            StateSettings::Blob(blob) => {
                let blob = BlobSettings {
                    container: blob.dead_letter_container.clone(),
                    ..blob.clone()
                };
                ContainerStore::new(&blob, transport).map(Self::Blob)
            }
        }
    }
}

/// Named blobs with one rule: a write says what it expects to replace.
pub trait BlobStore: Clone + Send + Sync {
    /// Reads a blob and its version; `None` when there is none.
    fn read(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<(Vec<u8>, Version)>, StorageError>> + Send;

    /// Writes a blob in place of the expected one; `None` expects that there is none.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] when another one stands there. After any other error it may have been written.
    fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> impl Future<Output = Result<Version, WriteError>> + Send;

    /// Appends to a blob, which is created if it does not exist. Whole appends of several writers follow one another;
    /// none is torn or lost. `unit` is the size of the entries in bytes.
    ///
    /// # Errors
    ///
    /// [`WriteError::Conflict`] when what stands there cannot be appended to. After any other error it may have been
    /// appended.
    fn append(
        &self,
        name: &str,
        content: Vec<u8>,
        unit: usize,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// The names of all blobs that begin with `prefix`, which ends with a slash, in no particular order.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, StorageError>> + Send;

    /// Removes a blob; one that does not exist is no error.
    fn remove(&self, name: &str) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Where it is, without secrets, for messages.
    fn place(&self) -> String;

    /// Whether an append first truncates what a killed writer left of its own; in a container none is ever torn.
    fn truncates_torn_appends(&self) -> bool {
        false
    }
}

impl BlobStore for Store {
    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError> {
        match self {
            Self::Folder(store) => store.read(name).await,
            Self::Blob(store) => store.read(name).await,
        }
    }

    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        match self {
            Self::Folder(store) => store.write(name, content, expected).await,
            Self::Blob(store) => store.write(name, content, expected).await,
        }
    }

    async fn append(&self, name: &str, content: Vec<u8>, unit: usize) -> Result<(), WriteError> {
        match self {
            Self::Folder(store) => Ok(store.append(name, content, unit).await?),
            Self::Blob(store) => store.append(name, content).await,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StorageError> {
        match self {
            Self::Folder(store) => store.list(prefix).await,
            Self::Blob(store) => store.list(prefix).await,
        }
    }

    async fn remove(&self, name: &str) -> Result<(), StorageError> {
        match self {
            Self::Folder(store) => store.remove(name).await,
            Self::Blob(store) => store.remove(name).await,
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Folder(store) => store.place(),
            Self::Blob(store) => store.place(),
        }
    }

    fn truncates_torn_appends(&self) -> bool {
        matches!(self, Self::Folder(_))
    }
}
