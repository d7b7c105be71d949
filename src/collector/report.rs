//! What a run did, for logs, the command line and the host's answer.

use serde::Serialize;

use super::hours_found::HoursFound;
use super::notice::{self, Told};
use crate::model::{Hour, IngestionApi, LogType, Millis, SECOND};
use crate::release;
use crate::status::{Activity, Code, Outcome, RunSeen, Standing};
use crate::sync::{Checkpoint, Ending, Failure, ParkCause, Tally};

/// What one run did.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// One report a log, in the order of the settings.
    pub logs: Vec<LogReport>,
    /// How long the run took, in milliseconds.
    pub elapsed_ms: i64,
}

impl RunReport {
    /// Whether a log failed for good: somebody must act.
    pub fn has_failed(&self) -> bool {
        self.logs.iter().any(|log| log.outcome == Outcome::Failed)
    }
}

/// What one run did for one log.
#[derive(Clone, Debug, Serialize)]
pub struct LogReport {
    /// The log.
    pub log_type: LogType,
    /// How its run ended.
    pub outcome: Outcome,
    /// Rows that Azure Monitor accepted.
    pub events: u64,
    /// Rows among them that were seen only after their window had been closed.
    pub late: u64,
    /// Records whose originals were set aside: delivered with a value cut, or refused even alone.
    pub dead_letters: u64,
    /// Records that had been delivered before and were not sent again.
    pub duplicates_dropped: u64,
    /// Pages that Duo gave.
    pub pages: u64,
    /// Calls to Duo.
    pub requests: u64,
    /// Answers that asked for fewer calls.
    pub throttled: u64,
    /// Calls made again after a passing fault.
    pub retries: u64,
    /// Everything before this moment was delivered.
    pub collected_to: Option<Millis>,
    /// How far that is behind now, in seconds.
    pub lag_seconds: Option<i64>,
    /// When a parked log goes on.
    pub parked_until: Option<Millis>,
    /// What is wrong, as a known code.
    pub code: Option<Code>,
    /// HTTP status of the answer behind it, where there was one.
    pub http_status: Option<u16>,
    /// What happened, where it is not simply done.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What else is worth telling.
    pub notices: Vec<Told>,
    /// Closed hours that were checked.
    #[serde(skip)]
    pub(super) checked_hours: Vec<Hour>,
    /// What was found out about them.
    #[serde(skip)]
    pub hours: HoursFound,
    /// Whether an unavailable log is worth telling of in this run (once a day).
    #[serde(skip)]
    pub news: bool,
}

/// The last thing that went wrong, as a code and in words.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) code: Code,
    pub(super) http_status: Option<u16>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl LogReport {
    pub(super) fn new(
        log_type: LogType,
        ending: Ending,
        tally: &Tally,
        checkpoint: Option<&Checkpoint>,
        trouble: Option<Trouble>,
        now: Millis,
    ) -> Self {
        let (outcome, until) = match ending {
            Ending::CaughtUp => (Outcome::CaughtUp, None),
            Ending::OutOfTime | Ending::OutOfCalls | Ending::Interrupted => {
                (Outcome::MoreToFetch, None)
            }
            // A log that waits because its credentials were refused needs somebody.
            Ending::Parked {
                until,
                cause: ParkCause::DuoCredentials,
            } => (Outcome::Failed, Some(until)),
            Ending::Parked { until, .. } => (Outcome::Parked, Some(until)),
            Ending::Unavailable { .. } => (Outcome::Unavailable, None),
            Ending::HeldElsewhere => (Outcome::HeldElsewhere, None),
            Ending::Failed(_) => (Outcome::Failed, None),
        };
        let code = code(ending, trouble.as_ref());
        let http_status = trouble
            .as_ref()
            .filter(|trouble| Some(trouble.code) == code)
            .and_then(|trouble| trouble.http_status);
        let (message, hint) = words(ending, trouble);
        let collected_to = checkpoint.map(|checkpoint| checkpoint.mintime);
        Self {
            log_type,
            outcome,
            events: tally.events,
            late: tally.late,
            dead_letters: tally.dead_letters.count(),
            duplicates_dropped: tally.duplicates_dropped,
            pages: tally.pages,
            requests: tally.requests,
            throttled: tally.throttled,
            retries: tally.retries,
            collected_to,
            lag_seconds: collected_to.map(|time| (now - time) / SECOND),
            parked_until: until,
            code,
            http_status,
            message,
            hint,
            notices: tally
                .notices
                .iter()
                .map(Told::of)
                .chain(notice::dead_letters(&tally.dead_letters))
                .collect(),
            checked_hours: Vec::new(),
            hours: HoursFound::default(),
            news: ending == Ending::Unavailable { report: true },
        }
    }

    /// With the closed hours that were checked, and what was found out about them.
    pub(super) fn with_checked(self, checked_hours: Vec<Hour>, hours: HoursFound) -> Self {
        Self {
            checked_hours,
            hours,
            ..self
        }
    }

    /// What the run leaves behind in how the log fares.
    pub(super) fn seen(&self, ingestion_api: IngestionApi, now: Millis) -> RunSeen {
        RunSeen {
            standing: Standing {
                outcome: self.outcome,
                code: self.code,
                http_status: self.http_status,
                since: now,
                seen_at: now,
                collected_to: self.collected_to,
                parked_until: self.parked_until,
                program: release::VERSION.to_owned(),
                sha256: release::sha256().map(str::to_owned),
                ingestion_api,
            },
            activity: Activity {
                runs: 1,
                events: self.events,
                late: self.late,
                duplicates_dropped: self.duplicates_dropped,
                dead_letters: self.dead_letters,
                pages: self.pages,
                requests: self.requests,
                throttled: self.throttled,
                retries: self.retries,
            },
        }
    }

    /// The report of a log whose run broke off by a fault of this program.
    pub(super) fn of_panic(log_type: LogType) -> Self {
        let message =
            "a fault of this program ended the run of this log; its place is kept".to_owned();
        let hint = "report it with the lines above this one".to_owned();
        let trouble = Some(Trouble {
            code: Code::Internal,
            http_status: None,
            message,
            hint: Some(hint),
        });
        let ending = Ending::Failed(Failure::State);
        Self::new(
            log_type,
            ending,
            &Tally::default(),
            None,
            trouble,
            Millis(0),
        )
    }
}

/// The code of an ending: that of the last answer where it led there, else what the core decided.
fn code(ending: Ending, trouble: Option<&Trouble>) -> Option<Code> {
    let told = trouble.map(|trouble| trouble.code);
    match ending {
        Ending::CaughtUp
        | Ending::OutOfTime
        | Ending::OutOfCalls
        | Ending::Interrupted
        | Ending::HeldElsewhere => None,
        Ending::Parked { cause, .. } => Some(Code::of_park(cause)),
        Ending::Unavailable { .. } => Some(told.unwrap_or(Code::DuoForbidden)),
        Ending::Failed(failure) => Some(match failure {
            Failure::Duo | Failure::AzureMonitor | Failure::State => {
                told.unwrap_or(Code::of_failure(failure))
            }
            _ => Code::of_failure(failure),
        }),
    }
}

/// Message and hint of an ending.
fn words(ending: Ending, trouble: Option<Trouble>) -> (Option<String>, Option<String>) {
    let text = |text: &str| (Some(text.to_owned()), None);
    match ending {
        Ending::CaughtUp => (None, None),
        Ending::OutOfTime => text("the run's time is over; the next run goes on"),
        Ending::OutOfCalls => {
            text("the limit of CISCO_DUO_CALLS_PER_MINUTE is reached; the next run goes on")
        }
        Ending::Interrupted => text("asked to end; the next run goes on"),
        Ending::HeldElsewhere => text("another instance is at work on this log"),
        Ending::Parked { until, cause } => {
            let why = trouble
                .as_ref()
                .map_or(notice::park_cause(cause), |trouble| &trouble.message);
            let message = format!("{why}; waits until {until}, its place is kept");
            let hint = match cause {
                ParkCause::DuoCredentials => Some(
                    "check CISCO_DUO_INTEGRATION_KEY, CISCO_DUO_SECRET_KEY and the local clock"
                        .to_owned(),
                ),
                _ => None,
            };
            (
                Some(message),
                trouble.and_then(|trouble| trouble.hint).or(hint),
            )
        }
        Ending::Unavailable { .. } => match trouble {
            Some(trouble) => (Some(trouble.message), trouble.hint),
            None => {
                text("Duo does not give this log to this application; it is asked once an hour")
            }
        },
        Ending::Failed(failure) => {
            let (message, hint) = notice::failure(failure);
            match (failure, trouble) {
                // What the core decided comes first, and behind it the last answer that led to it.
                (Failure::Window(_) | Failure::Check, Some(trouble)) => (
                    Some(format!("{message} ({})", trouble.message)),
                    hint.map(str::to_owned),
                ),
                (_, Some(trouble)) => (Some(trouble.message), trouble.hint),
                (_, None) => (Some(message), hint.map(str::to_owned)),
            }
        }
    }
}
