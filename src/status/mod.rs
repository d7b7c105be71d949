//! Status and health: what is stored after each run and each check, the rows of `CiscoDuoHealth_CL`, and the status page and
//! JSON, which are built from stored results alone and call neither Duo nor Azure Monitor.
//!
//! Everything here is in the words of this program: texts of Duo and of Azure Monitor stay in the log stream, because more
//! people read a page and a table.

mod activity;
mod check;
mod code;
mod last_check;
mod log;
mod log_health;
mod mark;
mod outcome;
mod page;
mod row;

use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;

use crate::model::{IngestionApi, LogType, Millis};
use crate::release;
use crate::storage::{LogState, Store, document};

pub use activity::Activity;
pub use check::{CheckStatus, Problem};
pub use code::Code;
pub use last_check::{Found, LastCheck};
pub use log::{LogStatus, State};
pub use log_health::{LogHealth, RunSeen, Standing, Trouble};
pub use mark::{Day, Mark, Marks};
pub use outcome::Outcome;
pub use page::{content_security_policy, page, page_of_fault};
pub(crate) use row::{Fields, Sender, body};
pub use row::{HourRow, RunRow};

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
        let name = LastCheck::name(host);
        let check = document::read::<LastCheck>(store, &name);
        let check = tokio::time::timeout(PATIENCE, check);
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
