//! How the connector fares, from what is stored and nothing else: any instance tells the same, and nobody who asks makes a
//! call to Duo or to Azure Monitor.

mod check;
mod log;
mod mark;
mod page;

use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;

use crate::model::{IngestionApi, LogType, Millis};
use crate::release;
use crate::storage::{LogState, Store};

pub use check::{CheckStatus, Problem};
pub use log::{LogStatus, State};
pub use mark::{Day, Mark, Marks};
pub use page::{content_security_policy, page, page_of_fault};

/// Longest wait for the storage.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the connector fares.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Version of this form; what is in it is only ever added to.
    pub version: u32,
    /// When it was put together.
    pub generated_at: Millis,
    /// Version of the program that put it together.
    pub program: &'static str,
    /// SHA-256 of that program's file.
    pub sha256: Option<&'static str>,
    /// Where rows go.
    pub ingestion_api: IngestionApi,
    /// What the last check found; none where none is stored, or it cannot be read.
    pub check: Option<CheckStatus>,
    /// One a log, in the order of the settings.
    pub logs: Vec<LogStatus>,
}

impl Status {
    /// Reads what is stored of these logs. What cannot be read is told, and hides nothing else.
    pub async fn read(
        store: &Store,
        host: &str,
        log_types: &[LogType],
        ingestion_api: IngestionApi,
        now: Millis,
    ) -> Self {
        let logs = log_types.iter().map(|&log_type| async move {
            let state = LogState::new(store.clone(), host, log_type);
            match tokio::time::timeout(PATIENCE, LogStatus::read(&state, log_type, now)).await {
                Ok(status) => status,
                Err(_) => LogStatus::unreadable(log_type),
            }
        });
        let check = tokio::time::timeout(PATIENCE, store.last_check(host));
        let (logs, check) = futures::join!(join_all(logs), check);
        // A storage that does not answer is told with each log.
        let check = check.ok().and_then(Result::ok).and_then(|(check, _)| check);
        Self {
            version: 1,
            generated_at: now,
            program: release::VERSION,
            sha256: release::sha256(),
            ingestion_api,
            check: check.map(CheckStatus::of),
            logs,
        }
    }
}
