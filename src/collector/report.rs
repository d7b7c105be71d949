//! The report of a run for logs, the command line and the Functions host.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::duo;
use crate::ingestion;
use crate::logging::LogEvent;
use crate::model::{Hour, LogType, Millis, RecordKey};
use crate::status::{Code, CurrentHealth, Outcome};
use crate::sync::{
    BackOffCause, DeadLetterStats, Failure, HourState, RunCounts, RunError, RunOutcome, RunResult,
    RunStats, Warning,
};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunReport {
    /// One report per log, in the order of the settings.
    pub logs: Vec<LogReport>,
    pub elapsed_ms: i64,
}

impl RunReport {
    /// The report of a run, without its duration.
    pub(super) fn new(mut logs: Vec<LogReport>) -> Self {
        fail_if_nothing_is_permitted(&mut logs);
        Self { logs, elapsed_ms: 0 }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.logs.iter().any(|log| log.outcome == Outcome::Failed)
    }
}

/// A log that Duo never returned is no error, unless Duo returns no log at all. Trust Monitor does
/// not count: it needs a license, and Duo ends it.
fn fail_if_nothing_is_permitted(logs: &mut [LogReport]) {
    let counts = |log: &LogReport| !log.log_type.spec().may_be_retired;
    let is_permitted = |log: &LogReport| log.outcome != Outcome::Unavailable;
    if logs.iter().filter(|log| counts(log)).any(is_permitted) {
        return;
    }
    for log in logs.iter_mut().filter(|log| counts(log)) {
        let code = Code::DuoNothingPermitted;
        log.outcome = Outcome::Failed;
        log.why.code = Some(code);
        log.why.hint = Some(code.hint().to_owned());
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogReport {
    pub log_type: LogType,
    pub outcome: Outcome,
    #[serde(flatten)]
    pub counts: RunCounts,
    /// Events before this time are delivered.
    pub collected_to: Option<Millis>,
    pub lag_seconds: Option<i64>,
    /// End of the back-off.
    pub retry_at: Option<Millis>,
    #[serde(flatten)]
    pub why: Explanation,
    pub warnings: Vec<LogWarning>,
    /// Number of ledger entries that the run appended, per hour.
    #[serde(skip)]
    pub entries: BTreeMap<Hour, u64>,
    /// The first hour whose ledger entries are kept; `None` if none were removed.
    #[serde(skip)]
    pub entries_from: Option<Hour>,
    /// Reconciled hours and their states.
    #[serde(skip)]
    pub reconciled: Vec<(Hour, HourState)>,
    /// Whether to report an unavailable log in this run (once a day).
    #[serde(skip)]
    pub news: bool,
}

/// The cause of an outcome other than success, and a hint.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Explanation {
    pub code: Option<Code>,
    /// HTTP status of the last error.
    pub http_status: Option<u16>,
    pub message: Option<String>,
    pub hint: Option<String>,
}

impl LogReport {
    pub(super) fn new(log_type: LogType, result: RunResult, now: Millis) -> Self {
        let RunResult { outcome: run_outcome, error, checkpoint, stats } = result;
        let error = error.as_ref().map(Explanation::from);
        let http_status = error.as_ref().and_then(|error| error.http_status);
        let (outcome, mut why) = explained(run_outcome, error);
        why.http_status = http_status;
        // The hint of the code, unless the error has its own.
        why.hint = why.hint.or_else(|| why.code.map(|code| code.hint().to_owned()));
        let retry_at = match run_outcome {
            RunOutcome::BackingOff { until, .. } => Some(until),
            _ => None,
        };
        let collected_to = checkpoint.as_ref().map(|checkpoint| checkpoint.mintime);
        let entries_from = checkpoint.and_then(|checkpoint| checkpoint.reconciliation.entries_from);
        let warnings = stats.warnings.iter().map(LogWarning::from);
        Self {
            log_type,
            outcome,
            counts: stats.counts,
            collected_to,
            lag_seconds: collected_to.map(|time| (now - time).num_seconds()),
            retry_at,
            why,
            warnings: warnings.chain(dead_letters(&stats.dead_letters)).collect(),
            entries: stats.entries,
            entries_from,
            reconciled: stats.reconciled,
            news: run_outcome == (RunOutcome::Unavailable { report: true }),
        }
    }

    pub(super) fn current_health(&self, now: Millis) -> CurrentHealth {
        CurrentHealth {
            outcome: self.outcome,
            code: self.why.code,
            http_status: self.why.http_status,
            since: now,
            seen_at: now,
            collected_to: self.collected_to,
            retry_at: self.retry_at,
        }
    }

    /// The report of a log whose run panicked.
    pub(super) fn of_panic(log_type: LogType) -> Self {
        let outcome = RunOutcome::Failed(Failure::Storage);
        let stats = RunStats::default();
        let result = RunResult { outcome, error: None, checkpoint: None, stats };
        let why = Explanation {
            code: Some(Code::Internal),
            hint: Some("report an issue of this project, with the lines above this one".to_owned()),
            ..text("an internal error ended the run of this log; its checkpoint is kept")
        };
        Self { why, ..Self::new(log_type, result, Millis(0)) }
    }
}

impl From<&RunError> for Explanation {
    fn from(error: &RunError) -> Self {
        let (code, http_status, hint) = match error {
            RunError::Fetch(error) => (Code::of_fetch(error.kind), error.status, duo::hint(error)),
            RunError::Send(error) => {
                let hint = ingestion::hint(error).map(str::to_owned);
                (Code::of_send(error.kind), error.status, hint)
            }
            RunError::Storage(error) => (Code::State, None, error.hint.clone()),
            RunError::RecordsRefused { .. } => (Code::RecordsRefused, None, None),
        };
        Self { code: Some(code), http_status, message: Some(error.to_string()), hint }
    }
}

fn text(message: &str) -> Explanation {
    Explanation { message: Some(message.to_owned()), ..Explanation::default() }
}

/// The outcome of a run and its explanation; `error` is the last error.
fn explained(outcome: RunOutcome, error: Option<Explanation>) -> (Outcome, Explanation) {
    let more = |message| (Outcome::MoreToFetch, text(message));
    match outcome {
        RunOutcome::CaughtUp => (Outcome::CaughtUp, Explanation::default()),
        RunOutcome::OutOfTime => more("the run time limit was reached; the next run continues"),
        RunOutcome::RateLimited => {
            more("the limit of CISCO_DUO_REQUESTS_PER_MINUTE was reached; the next run continues")
        }
        RunOutcome::ShutdownRequested => more("shutdown requested; the next run continues"),
        RunOutcome::LeaseHeld => {
            (Outcome::HeldElsewhere, text("another instance is collecting this log"))
        }
        RunOutcome::BackingOff { until, cause } => {
            let error = error.unwrap_or_else(|| text(cause.as_str()));
            let message = error.message.unwrap_or_default();
            let message = format!("{message}; backing off until {until}, the checkpoint is kept");
            // Refused credentials need an operator.
            let needs_operator = cause == BackOffCause::DuoCredentials;
            let outcome = if needs_operator { Outcome::Failed } else { Outcome::BackingOff };
            let code = Some(Code::of_back_off(cause));
            (outcome, Explanation { code, message: Some(message), ..error })
        }
        RunOutcome::Unavailable { .. } => {
            let why = error.unwrap_or_else(|| Explanation {
                code: Some(Code::DuoForbidden),
                ..text("Duo does not permit this log; it is requested again once an hour")
            });
            (Outcome::Unavailable, why)
        }
        RunOutcome::Failed(failure) => (Outcome::Failed, failed(failure, error)),
    }
}

fn failed(failure: Failure, error: Option<Explanation>) -> Explanation {
    let code = Some(Code::of_failure(failure));
    let why = Explanation { code, ..text(&failure.to_string()) };
    let Some(error) = error else {
        return why;
    };
    match failure {
        // The failure first, then the last error in parentheses.
        Failure::Window(_) | Failure::Reconciliation => {
            let cause = error.message.unwrap_or_default();
            Explanation { message: Some(format!("{failure} ({cause})")), ..why }
        }
        Failure::RecordsRefused => Explanation { message: error.message, ..why },
        Failure::Duo | Failure::AzureMonitor | Failure::Storage => error,
        Failure::Future | Failure::OtherDestination { .. } => {
            Explanation { code: why.code, ..error }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct LogWarning {
    #[serde(skip)]
    pub event: LogEvent,
    pub message: String,
}

impl From<&Warning> for LogWarning {
    fn from(warning: &Warning) -> Self {
        let event = match warning {
            Warning::Gap { .. } | Warning::StartAfterLedger { .. } => LogEvent::Gap,
            Warning::CheckpointRestored { .. } => LogEvent::CheckpointRestored,
            Warning::PageLimitExceeded { .. } => LogEvent::PageLimitExceeded,
            Warning::CountDisagrees { .. } => LogEvent::CountDisagrees,
            Warning::CursorMissing { .. } => LogEvent::CursorMissing,
            Warning::WindowRestarted(_) => LogEvent::WindowRestarted,
            Warning::DestinationChanged => LogEvent::DestinationChanged,
            Warning::ClockAhead(_) => LogEvent::ClockAhead,
            Warning::LeaseTakenOver => LogEvent::LeaseTakenOver,
        };
        Self { event, message: warning.to_string() }
    }
}

/// A warning that names the dead letters of a run by id; `None` if there are none.
fn dead_letters(stats: &DeadLetterStats) -> Option<LogWarning> {
    let truncated = format!("{} rows have a truncated value", stats.truncated);
    let refused = format!("{} records were refused when sent alone", stats.refused);
    let what = match (stats.truncated, stats.refused) {
        (0, 0) => return None,
        (_, 0) => truncated,
        (0, _) => refused,
        _ => format!("{truncated}, {refused}"),
    };
    let uid = |key: &RecordKey| hex::encode(key.uid);
    let named: Vec<String> = stats.named.iter().map(uid).collect();
    let more = match stats.count() - named.len() as u64 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = named.join(", ");
    let message =
        format!("{what}; the originals are kept as dead letters: event_uid {named}{more}");
    Some(LogWarning { event: LogEvent::DeadLetters, message })
}
