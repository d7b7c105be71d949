//! The same checks once an hour, by the timer, and what they found in the storage, where the status page reads it.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::storage::DEAD_LETTERS;
use super::{Finding, check};
use crate::collector::Collector;
use crate::logging::LogEvent;
use crate::model::{HOUR, Millis};
use crate::release;
use crate::status::{Code, LastCheck};
use crate::storage::{BlobStore as _, Document as _, StorageError, WriteError, document};

/// Longest time that a check and its storing may take together: less than what a run leaves of the time of a function.
const LONGEST: Duration = Duration::from_secs(25);
/// Pause after a check that could not be stored: Duo is not asked again every minute.
const PAUSE: TimeDelta = HOUR;

/// When this process last looked.
#[derive(Debug, Default)]
pub struct Hourly(Mutex<Option<Millis>>);

impl Hourly {
    /// Looks at everything and stores what was found, if the last check, whoever made it, is an hour old or of another
    /// program. Nothing here can fail a run.
    pub async fn check(&self, collector: &Collector, now: Millis) {
        let mut looked_at = self.0.lock().await;
        if looked_at.is_some_and(|before| (TimeDelta::zero()..PAUSE).contains(&(now - before))) {
            return;
        }
        *looked_at = Some(now);
        match timeout(LONGEST, look(collector, now)).await {
            // What another process or instance found counts from when it was found.
            Ok(Ok(checked_at)) => *looked_at = Some(checked_at),
            Ok(Err(fault)) => debug!(error = %fault, "what was checked could not be stored"),
            Err(_) => debug!("the hourly check took too long and was given up"),
        }
    }
}

/// Says when the check that is stored now was made.
async fn look(collector: &Collector, now: Millis) -> Result<Millis, StorageError> {
    let host = &collector.settings().duo.host;
    let store = collector.store();
    let name = LastCheck::name(host);
    let (last, version) = document::read::<LastCheck>(store, &name).await?;
    let sha256 = release::sha256();
    if let Some(last) = last.filter(|last| !last.is_over(now, sha256)) {
        return Ok(last.checked_at);
    }
    let findings = check(collector).await;
    tell(&findings);
    let found = findings.iter().map(Finding::found).collect();
    let check = LastCheck::new(now, release::VERSION, sha256, found);
    match store.write(&name, check.to_json(), version.as_ref()).await {
        // Another instance looked at the same time.
        Ok(_) | Err(WriteError::Conflict) => Ok(now),
        Err(WriteError::Failed(fault)) => Err(fault),
    }
}

/// One line. What stops a log is told of by its runs, and is no second reason to wake somebody.
fn tell(findings: &[Finding]) {
    let problems = findings.iter().filter(|finding| !finding.ok);
    let names: Vec<&str> = problems
        .clone()
        .map(|finding| finding.subject.as_str())
        .collect();
    let names = names.join(", ");
    if names.is_empty() {
        info!(event = %LogEvent::Checked, findings = findings.len(), "checked: everything is in order");
    } else if problems.clone().all(is_told_by_runs) {
        info!(event = %LogEvent::Checked, problems = names, "checked: what the runs tell of");
    } else {
        let hint = "run duo-sentinel check, or see the function CiscoDuoStatus";
        warn!(event = %LogEvent::Checked, problems = names, hint, "checked: something is wrong");
    }
}

fn is_told_by_runs(finding: &Finding) -> bool {
    let tells = |code| {
        !matches!(
            code,
            Code::Clock | Code::StorageUnconditional | Code::Gap | Code::UnknownHours | Code::NoRun
        )
    };
    // Only runs that set something aside need their storage.
    finding.subject != DEAD_LETTERS && finding.code.is_some_and(tells)
}
