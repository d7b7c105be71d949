//! Status and health: the documents stored after runs and checks, the rows of `CiscoDuoHealth_CL`,
//! and the status page and JSON, which are built only from stored results, without requests.
//!
//! All texts are those of this program: messages of Duo and Azure Monitor stay in the log stream,
//! because a page and a table have more readers.

mod code;
mod hour_status;
mod last_check;
mod log;
mod log_health;
mod page;
mod row;

use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;
use tokio::time::timeout;

use crate::model::{IngestionApi, LogType, Millis};
use crate::release;
use crate::storage::{LogState, Store, document};

pub use code::{Cause, Code};
pub(crate) use hour_status::Day;
pub use hour_status::HourStatus;
pub use last_check::{CheckError, CheckStatus, LastCheck};
pub(crate) use log::LogStatus;
pub use log::State;
pub use log_health::{Activity, CurrentHealth, LastError, LogHealth, Outcome};
pub use page::page;
pub(crate) use page::{content_security_policy, page_of_error};
pub(crate) use row::{Fields, body, hour_row, run_row};

const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The status of the connector.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Version of the format; fields are only ever added.
    version: u32,
    generated_at: Millis,
    /// Version of the program that generated it.
    program: &'static str,
    sha256: Option<&'static str>,
    ingestion_api: IngestionApi,
    /// The last diagnostics, if stored and readable.
    pub(crate) check: Option<CheckStatus>,
    pub(crate) logs: Vec<LogStatus>,
}

impl Status {
    /// Reads the stored state of the logs. An unreadable log does not affect the others.
    pub async fn read(
        store: &Store,
        host: &str,
        log_types: &[LogType],
        ingestion_api: IngestionApi,
        now: Millis,
    ) -> Self {
        let logs = log_types.iter().map(|&log_type| async move {
            let state = LogState::new(store.clone(), host, log_type);
            LogStatus::read(&state, log_type, now, TIME_LIMIT).await
        });
        let name = LastCheck::name(host);
        let check = timeout(TIME_LIMIT, document::read::<LastCheck>(store, &name));
        let (logs, check) = futures::join!(join_all(logs), check);
        // If storage does not respond, each log reports it.
        let check = check.ok().and_then(Result::ok).and_then(|(check, _)| check);
        Self {
            version: 1,
            generated_at: now,
            program: release::VERSION,
            sha256: release::sha256(),
            ingestion_api,
            check: check.map(|last| last.check),
            logs,
        }
    }
}
