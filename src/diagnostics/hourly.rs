//! The hourly diagnostics of the timer; the status page shows their stored result.

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
use crate::status::{CheckStatus, Code, LastCheck};
use crate::storage::{Document as _, StorageError, WriteError, document};

/// Time limit for diagnostics and storing the result, within the function's time limit.
const TIME_LIMIT: Duration = Duration::from_secs(25);

#[derive(Debug, Default)]
pub(crate) struct Hourly(Mutex<Option<Millis>>);

impl Hourly {
    /// Runs all diagnostics and stores the result, if the last ones of any instance are an hour old
    /// or of another program. Not repeated for an hour after an error. Errors do not fail a run.
    pub(crate) async fn check(&self, collector: &Collector) {
        let now = collector.now();
        let mut last = self.0.lock().await;
        if last.is_some_and(|before| (TimeDelta::zero()..HOUR).contains(&(now - before))) {
            return;
        }
        *last = Some(now);
        match timeout(TIME_LIMIT, check_and_store(collector, now)).await {
            Ok(Ok(checked_at)) => *last = Some(checked_at),
            Ok(Err(error)) => debug!(%error, "the result of the hourly check could not be stored"),
            Err(_) => debug!("the hourly check exceeded its time limit"),
        }
    }
}

/// Returns the time of the stored diagnostics, by this or another instance.
async fn check_and_store(collector: &Collector, now: Millis) -> Result<Millis, StorageError> {
    let store = &collector.store;
    let name = LastCheck::name(&collector.settings.duo.host);
    let (last, version) = document::read::<LastCheck>(store, &name).await?;
    let sha256 = release::sha256();
    if let Some(last) = last.filter(|last| !last.is_over(now, sha256)) {
        return Ok(last.check.checked_at);
    }
    let findings = check(collector).await;
    let errors: Vec<&Finding> = findings.iter().filter(|finding| !finding.ok).collect();
    log(findings.len(), &errors);
    let check = CheckStatus {
        checked_at: now,
        program: release::VERSION.to_owned(),
        check_count: findings.len(),
        errors: errors.into_iter().map(Finding::stored).collect(),
    };
    let last = LastCheck::new(sha256, check);
    match store.write(&name, last.to_json(), version.as_ref()).await {
        // A conflict means that another instance checked at the same time.
        Ok(_) | Err(WriteError::Conflict) => Ok(now),
        Err(WriteError::Failed(error)) => Err(error),
    }
}

/// Writes one line. Problems that stop a log are already reported by runs.
fn log(findings: usize, errors: &[&Finding]) {
    let names: Vec<&str> = errors.iter().map(|finding| &*finding.subject).collect();
    let names = names.join(", ");
    if errors.is_empty() {
        info!(event = %LogEvent::DiagnosticsCompleted, findings, "no errors found");
    } else if errors.iter().all(|finding| runs_report(finding)) {
        info!(event = %LogEvent::DiagnosticsCompleted, errors = names, "only errors that runs report");
    } else {
        let hint = "run duo-sentinel check, or open the status page";
        warn!(event = %LogEvent::DiagnosticsCompleted, errors = names, hint, "errors found");
    }
}

fn runs_report(finding: &Finding) -> bool {
    let by_runs = |code| {
        !matches!(
            code,
            Code::Clock | Code::StorageUnconditional | Code::Gap | Code::UnknownHours | Code::NoRun
        )
    };
    // Runs use the dead-letter container only when they dead-letter a record.
    finding.subject != DEAD_LETTERS && finding.code.is_some_and(by_runs)
}
