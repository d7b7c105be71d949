//! What a run reported, as a name and a sentence.

use serde::{Serialize, Serializer};

use crate::logging::LogEvent;
use crate::model::RecordKey;
use crate::sync::{DeadLetterStats, Warning};

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
