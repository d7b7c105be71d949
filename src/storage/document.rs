//! Stored JSON documents: version, minimum reader version, and handling of unreadable ones.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::{StorageError, Store, Version, WriteError};
use crate::logging::LogEvent;

/// Tries of a change that conflicts with other writers.
pub(super) const TRIES: u32 = 5;

pub(super) fn changed_by_others() -> String {
    format!("other writers changed it {TRIES} times in a row")
}

/// Document version that this release writes and reads.
const VERSION: u32 = 1;

/// The fields of every document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    version: u32,
    /// Minimum reader version; a document that requires a newer one is never overwritten.
    min_reader: u32,
    /// Fields of a later release, kept unchanged.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for Header {
    fn default() -> Self {
        Self { version: VERSION, min_reader: VERSION, unknown: Map::new() }
    }
}

/// A stored JSON document with a [`Header`].
pub trait Document: Serialize + DeserializeOwned {
    /// Whether a damaged document is quarantined; otherwise it is overwritten.
    const IS_EVIDENCE: bool = false;

    /// Describes values that no release writes; such a document is damaged.
    fn contradiction(&self) -> Option<&'static str> {
        None
    }

    /// Parses the stored form.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], which never quotes the content.
    fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        /// The field that is checked first.
        #[derive(Deserialize)]
        struct Reader {
            min_reader: u32,
        }
        let damaged = |error: &serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            Unreadable::Damaged(format!("{:?} at line {line}, column {column}", error.classify()))
        };
        let Reader { min_reader } =
            serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        if min_reader > VERSION {
            return Err(Unreadable::Newer { min_reader });
        }
        let document: Self = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        match document.contradiction() {
            Some(what) => Err(Unreadable::Damaged(what.to_owned())),
            None => Ok(document),
        }
    }

    /// The stored form: JSON with one field per line.
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("documents have text keys and finite numbers")
    }
}

/// Why a stored document cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unreadable {
    /// Invalid JSON, missing fields, or contradictory values.
    #[error("it is damaged ({0})")]
    Damaged(String),
    /// Written by a later release that this one cannot read.
    #[error("it requires format version {min_reader}; this release supports version {VERSION}")]
    Newer {
        /// The required reader version.
        min_reader: u32,
    },
}

/// Reads a document and its version. A damaged one counts as missing: it is quarantined if it is
/// evidence; otherwise its version is returned, so that a write replaces it.
///
/// # Errors
///
/// Storage fails, or the document requires a newer reader.
pub async fn read<T: Document>(
    store: &Store,
    name: &str,
) -> Result<(Option<T>, Option<Version>), StorageError> {
    let Some((content, version)) = store.read(name).await? else {
        return Ok((None, None));
    };
    match T::from_json(&content) {
        Ok(document) => Ok((Some(document), Some(version))),
        Err(Unreadable::Damaged(reason)) if T::IS_EVIDENCE => {
            quarantine(store, name, content, &reason).await?;
            Ok((None, None))
        }
        Err(Unreadable::Damaged(_)) => Ok((None, Some(version))),
        Err(error) => {
            let hint = "run the release that wrote it, or move it away";
            Err(store.error("use", name, &error, Some(hint)))
        }
    }
}

/// Changes a document, retrying on conflicts with other writers.
///
/// # Errors
///
/// Storage fails, the document requires a newer reader, or every try conflicts.
pub async fn update<T: Document + Default>(
    store: &Store,
    name: &str,
    mut change: impl FnMut(&mut T) + Send,
) -> Result<(), StorageError> {
    for _ in 0..TRIES {
        let (document, version) = read::<T>(store, name).await?;
        // Serialized before the `await`, so that the document need not be `Send`.
        let content = {
            let mut document = document.unwrap_or_default();
            change(&mut document);
            document.to_json()
        };
        match store.write(name, content, version.as_ref()).await {
            Ok(_) => return Ok(()),
            Err(WriteError::Conflict) => {}
            Err(WriteError::Failed(error)) => return Err(error),
        }
    }
    let hint = "check how many instances share this state";
    Err(store.error("write", name, &changed_by_others(), Some(hint)))
}

/// Copies damaged content to `{name}.damaged-{hash}` and removes the original.
///
/// # Errors
///
/// Storage fails; the original then still exists.
pub(super) async fn quarantine(
    store: &Store,
    name: &str,
    content: Vec<u8>,
    reason: &str,
) -> Result<(), StorageError> {
    let hash = hex::encode(&Sha256::digest(&content)[..4]);
    let copy = format!("{name}.damaged-{hash}");
    warn!(event = %LogEvent::LedgerDamaged, name, copy, reason, "a damaged part of the ledger was quarantined");
    match store.write(&copy, content, None).await {
        // The same content may have been quarantined before.
        Ok(_) | Err(WriteError::Conflict) => store.remove(name).await,
        Err(WriteError::Failed(error)) => Err(error),
    }
}
