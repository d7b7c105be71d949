//! What a run did, for logs, the command line and the response to the host.

use serde::{Serialize, Serializer};

use crate::duo;
use crate::ingestion;
use crate::logging::LogEvent;
use crate::model::{FetchErrorKind, Hour, LogType, Millis, RecordKey};
use crate::status::{Code, Outcome, Standing};
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
    pub(crate) fn has_failed(&self) -> bool {
        self.logs.iter().any(|log| log.outcome == Outcome::Failed)
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogReport {
    pub log_type: LogType,
    pub outcome: Outcome,
    #[serde(flatten)]
    pub counts: RunCounts,
    /// Everything before this moment was delivered.
    pub collected_to: Option<Millis>,
    pub lag_seconds: Option<i64>,
    /// When a log that backs off continues.
    pub parked_until: Option<Millis>,
    pub code: Option<Code>,
    pub http_status: Option<u16>,
    /// What happened, where the run was not just completed.
    pub message: Option<String>,
    pub hint: Option<String>,
    pub notices: Vec<LogWarning>,
    /// Closed hours that were reconciled, and their states.
    #[serde(skip)]
    pub reconciled: Vec<(Hour, HourState)>,
    /// Whether an unavailable log is to be reported in this run (once a day).
    #[serde(skip)]
    pub news: bool,
}

impl LogReport {
    pub(super) fn new(log_type: LogType, result: RunResult, now: Millis) -> Self {
        let RunResult { outcome: run_outcome, error, checkpoint, stats } = result;
        let (outcome, until) = match run_outcome {
            RunOutcome::CaughtUp => (Outcome::CaughtUp, None),
            RunOutcome::OutOfTime | RunOutcome::RateLimited | RunOutcome::ShutdownRequested => {
                (Outcome::MoreToFetch, None)
            }
            // A log whose credentials were refused needs an operator.
            RunOutcome::BackingOff { until, cause: BackOffCause::DuoCredentials } => {
                (Outcome::Failed, Some(until))
            }
            RunOutcome::BackingOff { until, .. } => (Outcome::Parked, Some(until)),
            RunOutcome::Unavailable { .. } => (Outcome::Unavailable, None),
            RunOutcome::LeaseHeld => (Outcome::HeldElsewhere, None),
            RunOutcome::Failed(_) => (Outcome::Failed, None),
        };
        let (message, hint) = words(run_outcome, error.as_ref());
        let collected_to = checkpoint.map(|checkpoint| checkpoint.mintime);
        let warnings = stats.warnings.iter().map(LogWarning::from);
        Self {
            log_type,
            outcome,
            counts: stats.counts,
            collected_to,
            lag_seconds: collected_to.map(|time| (now - time).num_seconds()),
            parked_until: until,
            code: code(run_outcome, error.as_ref()),
            http_status: error.as_ref().and_then(status),
            message,
            hint,
            notices: warnings.chain(dead_letters(&stats.dead_letters)).collect(),
            reconciled: stats.reconciled,
            news: run_outcome == (RunOutcome::Unavailable { report: true }),
        }
    }

    pub(super) fn standing(&self, now: Millis) -> Standing {
        Standing {
            outcome: self.outcome,
            code: self.code,
            http_status: self.http_status,
            since: now,
            seen_at: now,
            collected_to: self.collected_to,
            parked_until: self.parked_until,
        }
    }

    /// The report of a log whose run ended in a bug of this program.
    pub(super) fn of_panic(log_type: LogType) -> Self {
        let outcome = RunOutcome::Failed(Failure::Storage);
        let stats = RunStats::default();
        let report = Self::new(
            log_type,
            RunResult { outcome, error: None, checkpoint: None, stats },
            Millis(0),
        );
        let message = "an internal error ended the run of this log; its checkpoint is kept";
        let hint = "report it with the lines above this one";
        Self {
            code: Some(Code::Internal),
            message: Some(message.to_owned()),
            hint: Some(hint.to_owned()),
            ..report
        }
    }
}

fn status(error: &RunError) -> Option<u16> {
    match error {
        RunError::Fetch(error) => error.status,
        RunError::Send(error) => error.status,
        RunError::RecordsRefused { .. } | RunError::Storage(_) => None,
    }
}

/// The code of an outcome: that of the last error where it led there.
fn code(outcome: RunOutcome, error: Option<&RunError>) -> Option<Code> {
    let of_error = match error {
        Some(RunError::Fetch(error)) => Some(Code::of_fetch(error.kind)),
        Some(RunError::Send(error)) => Some(Code::of_send(error.kind)),
        Some(RunError::Storage(_)) => Some(Code::State),
        Some(RunError::RecordsRefused { .. }) | None => None,
    };
    match outcome {
        RunOutcome::CaughtUp
        | RunOutcome::OutOfTime
        | RunOutcome::RateLimited
        | RunOutcome::ShutdownRequested
        | RunOutcome::LeaseHeld => None,
        RunOutcome::BackingOff { cause, .. } => Some(Code::of_back_off(cause)),
        RunOutcome::Unavailable { .. } => Some(of_error.unwrap_or(Code::DuoForbidden)),
        RunOutcome::Failed(failure @ (Failure::Duo | Failure::AzureMonitor | Failure::Storage)) => {
            Some(of_error.unwrap_or(Code::of_failure(failure)))
        }
        RunOutcome::Failed(failure) => Some(Code::of_failure(failure)),
    }
}

fn words(outcome: RunOutcome, error: Option<&RunError>) -> (Option<String>, Option<String>) {
    let text = |text: &str| (Some(text.to_owned()), None);
    let of_error = error.map(|error| (error.to_string(), hint(error)));
    match outcome {
        RunOutcome::CaughtUp => (None, None),
        RunOutcome::OutOfTime => text("the run time limit was reached; the next run continues"),
        RunOutcome::RateLimited => {
            text("the limit of CISCO_DUO_CALLS_PER_MINUTE was reached; the next run continues")
        }
        RunOutcome::ShutdownRequested => text("shutdown requested; the next run continues"),
        RunOutcome::LeaseHeld => text("another instance is collecting this log"),
        RunOutcome::BackingOff { until, cause } => {
            let (why, hint) = of_error.unwrap_or((cause.as_str().to_owned(), None));
            let message = format!("{why}; backing off until {until}, the checkpoint is kept");
            let of_cause = (cause == BackOffCause::DuoCredentials).then(|| {
                "check CISCO_DUO_INTEGRATION_KEY, CISCO_DUO_SECRET_KEY and the local clock"
                    .to_owned()
            });
            (Some(message), hint.or(of_cause))
        }
        RunOutcome::Unavailable { .. } => match of_error {
            Some((message, hint)) => (Some(message), hint),
            None => text("Duo does not permit this log; it is requested again once an hour"),
        },
        RunOutcome::Failed(failure) => {
            let (message, hint) = (failure.to_string(), failure_hint(failure).map(str::to_owned));
            match (failure, of_error) {
                // What the run decided comes first, and behind it the last error that led to it.
                (Failure::Window(_) | Failure::Reconciliation, Some((cause, _))) => {
                    (Some(format!("{message} ({cause})")), hint)
                }
                (Failure::RecordsRefused, Some((cause, _))) => (Some(cause), hint),
                (_, Some((cause, hint))) => (Some(cause), hint),
                (_, None) => (Some(message), hint),
            }
        }
    }
}

fn hint(error: &RunError) -> Option<String> {
    match error {
        RunError::Fetch(error) if matches!(error.kind, FetchErrorKind::Throttled { .. }) => None,
        RunError::Fetch(error) => duo::hint(error),
        RunError::Send(error) => ingestion::hint(error).map(str::to_owned),
        RunError::Storage(error) => error.hint.clone(),
        RunError::RecordsRefused { .. } => None,
    }
}

/// What to do about a log that failed, where no error says more.
const fn failure_hint(failure: Failure) -> Option<&'static str> {
    match failure {
        Failure::Future => Some(
            "check the clock and CISCO_DUO_START; if a wrong clock moved the checkpoint, restore an earlier version of it",
        ),
        Failure::OtherDestination { .. } => Some(
            "if the settings were changed, wait: collection continues where the other destination stopped; if another \
             instance uses the same state, give each its own CISCO_DUO_CONTAINER",
        ),
        Failure::Window(_) => {
            Some("it is retried with every run; if it stays, report it to Duo with the time")
        }
        Failure::RecordsRefused => Some(
            "the log is stopped so that nothing is lost, because the records may not be at fault: Azure Monitor accepted \
             no other record in this run, or refused more than ten; the other records were delivered",
        ),
        Failure::Reconciliation => {
            Some("they are made again with every run; if it stays, report it to Duo with the time")
        }
        Failure::Duo | Failure::AzureMonitor | Failure::Storage => None,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogWarning {
    pub event: LogEvent,
    pub message: String,
}

impl Serialize for LogWarning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.message)
    }
}

impl From<&Warning> for LogWarning {
    fn from(warning: &Warning) -> Self {
        let event = match warning {
            Warning::Gap { .. } => LogEvent::Gap,
            Warning::PageLimitExceeded { .. } => LogEvent::CrowdedSecond,
            Warning::CountDisagrees { .. } => LogEvent::CountDisagrees,
            Warning::WindowRestarted(_) => LogEvent::WindowRestarted,
            Warning::DestinationChanged => LogEvent::DestinationChanged,
            Warning::ClockAhead(_) => LogEvent::ClockAhead,
            Warning::LeaseTakenOver => LogEvent::ClaimTakenOver,
        };
        Self { event, message: warning.to_string() }
    }
}

/// The originals that a run dead-lettered, by their identity; `None` where there are none.
fn dead_letters(stats: &DeadLetterStats) -> Option<LogWarning> {
    let truncated = format!("{} rows have a truncated value", stats.truncated);
    let refused = format!("{} records were refused one by one", stats.refused);
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
