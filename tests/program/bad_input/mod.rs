//! Invalid responses of Duo and Azure Monitor cause a clear message and lose no event.

mod azure_monitor;
mod duo;
mod readings;

use std::fs;
use std::path::Path;

use simulator::{LogType, Simulator};

use crate::common::{FunctionsHost, checkpoint_name, running, tenant};

/// A tenant, its handler with the state in a folder, and the folder.
pub(crate) async fn start(seed: u64, events: u64) -> (Simulator, FunctionsHost, tempfile::TempDir) {
    running(tenant(seed, events)).await
}

/// Deletes the checkpoints of these logs but not their ledgers, so that all events are read again.
fn lose_checkpoints(state: &Path, logs: &[LogType]) {
    for log in logs {
        fs::remove_file(state.join(checkpoint_name(log.name()))).unwrap();
    }
}
