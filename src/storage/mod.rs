//! Where the place of each log and the ids of what was delivered are kept.
//!
//! [`Store`] is a folder or a blob container with one rule: a write says what it expects to replace.
//! [`LogState`] gives one log its checkpoint and its ledger in it, [`DeadLetters`] keeps originals in a place of their own.

mod account_key;
mod blob;
mod blob_fault;
mod dead_letters;
mod error;
mod folder;
mod log_state;
mod stored;

pub use dead_letters::{DeadLetterName, DeadLetters};
pub use error::{StateError, WriteError};
pub use log_state::{LedgerId, LogState, ledger_id};

use crate::http::Transport;
use crate::settings::{BlobSettings, StateSettings};
use blob::BlobStore;
use folder::FolderStore;

/// The folder of dead letters in the folder of the state.
const DEAD_LETTER_FOLDER: &str = "dead-letter";

/// What a stored text was when it was read: a write that expects it fails when somebody else wrote since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

/// A folder or a blob container.
#[derive(Clone, Debug)]
pub enum Store {
    /// A folder on this machine.
    Folder(FolderStore),
    /// A blob container.
    Blob(BlobStore),
}

impl Store {
    /// Opens the store; nothing is read or written yet.
    pub fn open(settings: &StateSettings, transport: &Transport) -> Result<Self, StateError> {
        match settings {
            StateSettings::Folder(folder) => Ok(Self::Folder(FolderStore::new(folder.clone()))),
            StateSettings::Blob(blob) => BlobStore::new(blob, transport).map(Self::Blob),
        }
    }

    /// Opens the place of dead letters, beside the state; nothing is read or written yet.
    pub fn open_dead_letters(
        settings: &StateSettings,
        transport: &Transport,
    ) -> Result<Self, StateError> {
        match settings {
            StateSettings::Folder(folder) => Ok(Self::Folder(FolderStore::new(
                folder.join(DEAD_LETTER_FOLDER),
            ))),
            StateSettings::Blob(blob) => {
                let blob = BlobSettings {
                    container: blob.dead_letter_container.clone(),
                    ..blob.clone()
                };
                BlobStore::new(&blob, transport).map(Self::Blob)
            }
        }
    }

    /// Where it is, without secrets, for messages.
    pub fn place(&self) -> String {
        match self {
            Self::Folder(store) => store.place(),
            Self::Blob(store) => store.place(),
        }
    }

    /// Reads a text and what it is; `None` when there is none.
    pub async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StateError> {
        match self {
            Self::Folder(store) => store.read(name).await,
            Self::Blob(store) => store.read(name).await,
        }
    }

    /// Writes a text in place of the expected one; `None` expects that there is none.
    pub async fn write(
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

    /// Adds to the end of a text, which is made when missing. Whole additions of several writers follow one
    /// another; none is torn or lost. `unit` is the size of an addition's parts in bytes.
    pub async fn append(
        &self,
        name: &str,
        content: Vec<u8>,
        unit: usize,
    ) -> Result<(), WriteError> {
        match self {
            Self::Folder(store) => Ok(store.append(name, content, unit).await?),
            Self::Blob(store) => store.append(name, content).await,
        }
    }

    /// Whether an addition first cuts off what a killed writer left of its own; in a container none is ever torn.
    pub fn cuts_torn_ends(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// The names of all texts that begin with `prefix`, which ends with a slash, in no particular order.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StateError> {
        match self {
            Self::Folder(store) => store.list(prefix).await,
            Self::Blob(store) => store.list(prefix).await,
        }
    }

    /// Removes a text; one that is not there is no error.
    pub async fn remove(&self, name: &str) -> Result<(), StateError> {
        match self {
            Self::Folder(store) => store.remove(name).await,
            Self::Blob(store) => store.remove(name).await,
        }
    }
}
