//! State in a local folder, with the same conditional writes as in Blob Storage.
//!
//! A write creates a new file that replaces the old one, so that readers never see a partial file.
//! Versions are compared under a lock that the operating system releases when the process ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::{BlobStore, StorageError, Version, WriteError};

#[derive(Clone, Debug)]
pub(super) struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Runs blocking file operations on a separate thread.
    async fn blocking<T: Send + 'static>(
        &self,
        action: &'static str,
        name: &str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let path = self.folder.join(name);
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        let hint = "check CISCO_DUO_STATE_DIR: the folder must be writable and the disk not full";
        done.unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| self.error(action, name, &error, Some(hint)))
    }
}

#[async_trait]
impl BlobStore for FolderStore {
    fn location(&self) -> String {
        format!("folder {}", self.folder.display())
    }

    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError> {
        self.blocking("read", name, read).await
    }

    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let expected = expected.cloned();
        let replaced = self
            .blocking("write", name, move |path| {
                let _lock = lock(path)?;
                if read(path)?.map(|(_, version)| version) != expected {
                    return Ok(None);
                }
                // One name suffices under the lock; the file of a killed process is overwritten.
                let mut new = path.as_os_str().to_owned();
                new.push(".new");
                let mut file = File::create(&new)?;
                file.write_all(&content)?;
                file.sync_all()?;
                fs::rename(&new, path)?;
                sync_folder(path)?;
                Ok(Some(version(&content)))
            })
            .await?;
        replaced.ok_or(WriteError::Conflict)
    }

    async fn append(&self, name: &str, content: Vec<u8>, unit: usize) -> Result<(), WriteError> {
        self.blocking("append to", name, move |path| {
            let _lock = lock(path)?;
            let is_new = !path.exists();
            let mut file =
                OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            // A process that was killed while writing may have left a partial append.
            let length = file.metadata()?.len();
            let whole = length - length % unit as u64;
            file.set_len(whole)?;
            file.seek(io::SeekFrom::Start(whole))?;
            file.write_all(&content)?;
            file.sync_all()?;
            if is_new { sync_folder(path) } else { Ok(()) }
        })
        .await?;
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, StorageError> {
        let prefix_text = prefix.to_owned();
        self.blocking("list", prefix, move |folder| {
            let mut found = Vec::new();
            add_files(folder, &prefix_text, &mut found)?;
            Ok(found)
        })
        .await
    }

    async fn remove(&self, name: &str) -> Result<(), StorageError> {
        self.blocking("remove", name, |path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    fn truncates_torn_appends(&self) -> bool {
        true
    }
}

fn read(path: &Path) -> io::Result<Option<(Vec<u8>, Version)>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        content => content.map(|content| {
            let version = version(&content);
            Some((content, version))
        }),
    }
}

/// Adds the names and sizes of the files in a folder and its subfolders, each with `prefix`.
fn add_files(folder: &Path, prefix: &str, found: &mut Vec<(String, u64)>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // This program writes only Unicode names.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if entry.file_type()?.is_dir() {
            add_files(&entry.path(), &format!("{prefix}{name}/"), found)?;
        } else {
            found.push((format!("{prefix}{name}"), entry.metadata()?.len()));
        }
    }
    Ok(())
}

/// Locks the folder of a file until the result is dropped.
fn lock(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    file.lock()?;
    Ok(file)
}

/// Makes a new file name survive a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Windows has no such call; its file system journals names.
    if cfg!(unix) {
        File::open(path.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn version(content: &[u8]) -> Version {
    Version(hex::encode(Sha256::digest(content)))
}
