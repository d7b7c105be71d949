//! Why state could not be read or written.

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
