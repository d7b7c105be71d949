//! The location of state, with direct access for tests.

use simulator::Simulator;
use tempfile::TempDir;

use crate::common::{Azurite, Container, Settings, temporary_folder};

/// A container with the connection string of its account, or a folder.
pub(crate) enum Location {
    Storage(String, Container),
    Folder(TempDir),
}

impl Location {
    pub(crate) fn storage(container: &'static str) -> Self {
        let azurite = Azurite::shared();
        let connection = azurite.connection_string();
        Self::Storage(connection, azurite.container(container))
    }

    pub(crate) fn folder() -> Self {
        Self::Folder(temporary_folder())
    }

    /// A container of this name, and a folder.
    pub(crate) fn both(container: &'static str) -> [Self; 2] {
        [Self::storage(container), Self::folder()]
    }

    pub(crate) fn settings(&self, simulator: &Simulator) -> Settings {
        match self {
            Self::Storage(connection, container) => {
                Settings::in_storage(simulator, connection, container.name())
            }
            Self::Folder(folder) => Settings::in_folder(simulator, folder.path()),
        }
    }

    pub(crate) async fn read(&self, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Storage(_, container) => container.read(name).await,
            Self::Folder(folder) => std::fs::read(folder.path().join(name)).ok(),
        }
    }

    /// Writes a file before the connector has written any.
    pub(crate) async fn create(&self, name: &str, content: &[u8]) {
        match self {
            Self::Storage(_, container) => {
                if !container.exists().await {
                    container.create().await;
                }
                container.write(name, content).await;
            }
            Self::Folder(folder) => {
                let file = folder.path().join(name);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, content).unwrap();
            }
        }
    }

    pub(crate) fn is_storage(&self) -> bool {
        matches!(self, Self::Storage(..))
    }

    /// Names that start with `folder`, which ends with a slash.
    pub(crate) async fn list(&self, folder: &str) -> Vec<String> {
        match self {
            Self::Storage(_, container) => {
                let blobs = container.list().await.into_iter().map(|blob| blob.name);
                blobs.filter(|name| name.starts_with(folder)).collect()
            }
            Self::Folder(root) => {
                let files = std::fs::read_dir(root.path().join(folder)).unwrap();
                files
                    .map(|file| file.unwrap().file_name().into_string().unwrap())
                    .filter(|name| !name.starts_with('.'))
                    .map(|name| format!("{folder}{name}"))
                    .collect()
            }
        }
    }

    pub(crate) async fn remove(&self, name: &str) {
        match self {
            Self::Storage(_, container) => container.remove(name).await,
            Self::Folder(folder) => std::fs::remove_file(folder.path().join(name)).unwrap(),
        }
    }

    /// Replaces a file.
    pub(crate) async fn replace(&self, name: &str, content: &[u8]) {
        self.remove(name).await;
        self.create(name, content).await;
    }

    /// Replaces a file of ids, which is an append blob in a container.
    pub(crate) async fn replace_appendable(&self, name: &str, content: &[u8]) {
        self.remove(name).await;
        match self {
            Self::Storage(_, container) => container.write_appendable(name, content).await,
            Self::Folder(_) => self.create(name, content).await,
        }
    }

    pub(crate) async fn checkpoint(&self, log_type: &str) -> serde_json::Value {
        let content = self.read(&crate::common::checkpoint_name(log_type)).await;
        serde_json::from_slice(&content.expect("the log has a checkpoint")).unwrap()
    }
}
