//! What all stored JSON shares: a version, and the oldest reader that understands it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why something stored cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or not the fields that must be there.
    #[error("it is damaged ({0})")]
    Damaged(String),
    /// Written by a later release whose state this one cannot read.
    #[error("it asks for reader version {min_reader}, this release is version {version}")]
    Newer {
        /// The reader version it asks for.
        min_reader: u32,
        /// The reader version of this release.
        version: u32,
    },
}

/// Reads stored JSON, unless it asks for a newer reader than `version`.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8], version: u32) -> Result<T, Unreadable> {
    /// The field that every version has.
    #[derive(Deserialize)]
    struct Header {
        min_reader: u32,
    }
    let damaged = |fault: &serde_json::Error| {
        // Where, not what: the content of a damaged blob is not ours to print.
        Unreadable::Damaged(format!(
            "{:?} at line {}, column {}",
            fault.classify(),
            fault.line(),
            fault.column()
        ))
    };
    let header: Header = serde_json::from_slice(bytes).map_err(|fault| damaged(&fault))?;
    if header.min_reader > version {
        return Err(Unreadable::Newer {
            min_reader: header.min_reader,
            version,
        });
    }
    serde_json::from_slice(bytes).map_err(|fault| damaged(&fault))
}

/// The stored form: readable JSON, one field a line.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("what is stored has text keys and finite numbers")
}
