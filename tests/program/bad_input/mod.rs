//! What Duo and Azure Monitor may answer at their worst: a clear message, and nothing lost.

mod azure_monitor;
mod duo;
mod readings;

use std::fs;
use std::path::Path;

use simulator::{LogType, Simulator};

use crate::common::{FunctionsHost, Settings, checkpoint_name, temporary_folder, tenant};

/// A tenant, its handler with the state in a folder, and the folder.
pub(crate) async fn start(seed: u64, events: u64) -> (Simulator, FunctionsHost, tempfile::TempDir) {
    running(tenant(seed, events)).await
}

/// The originals that are kept in the folder of a state.
pub(crate) fn originals(state: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut folders = vec![state.join("dead-letter")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
    }
    found
}

/// Deletes the checkpoints of these logs but not their ledgers: everything is read again from the start.
fn lose_checkpoints(state: &Path, logs: &[LogType]) {
    for log in logs {
        fs::remove_file(state.join(checkpoint_name(log.name()))).unwrap();
    }
}
