//! What a run reported, as a name and a sentence.

use serde::{Serialize, Serializer};

use crate::logging::LogEvent;
use crate::model::RecordKey;
use crate::sync::{DeadLetterStats, Warning, WindowError};

/// Something to report that did not end a run.
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
        let (event, message) = match warning {
            Warning::Gap { from, to } => (
                LogEvent::Gap,
                format!("gap: events from {from} to {to} are older than Duo's retention and were not collected"),
            ),
            Warning::PageLimitExceeded { second, rows } => (
                LogEvent::CrowdedSecond,
                format!(
                    "possible gap: the second {second} holds {rows} records or more, and Duo's endpoint has no way to read \
                     the rest of it"
                ),
            ),
            Warning::CountDisagrees { from, to, counted, returned } => (
                LogEvent::CountDisagrees,
                format!(
                    "completeness is unknown from {from} to {to}: Duo counts {counted} records and returns {returned}, also \
                     when they are read again; collection continues"
                ),
            ),
            Warning::WindowRestarted(error) => {
                (LogEvent::WindowRestarted, format!("{}; the window is read again", window_error(*error)))
            }
            Warning::DestinationChanged => (
                LogEvent::DestinationChanged,
                "the rows of this log went to another workspace before; from now on they go to this one".to_owned(),
            ),
            Warning::ClockAhead(ahead) => (
                LogEvent::ClockAhead,
                format!("the local clock is {} s ahead of Duo's; windows are closed by Duo's clock", ahead.num_seconds()),
            ),
            Warning::LeaseTakenOver => (
                LogEvent::ClaimTakenOver,
                "a process ended in the middle of this log; its lease was taken over".to_owned(),
            ),
        };
        Self { event, message }
    }
}

/// The originals that a run dead-lettered, by their identity; `None` where there are none.
pub(super) fn dead_letters(stats: &DeadLetterStats) -> Option<LogWarning> {
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

pub(super) const fn window_error(error: WindowError) -> &'static str {
    match error {
        WindowError::CursorRepeated => "Duo returned a cursor that it had returned before",
        WindowError::CursorRefused => "Duo refused its own cursor",
        WindowError::CountShort => "Duo returned fewer records than it counted",
    }
}
