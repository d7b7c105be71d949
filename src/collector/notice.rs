//! What the core noticed, in words for people.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::logging::LogEvent;
use crate::model::SECOND;
use crate::sync::{DeadLetterTally, Failure, Notice, ParkCause, WindowFault};

/// Something worth telling that did not end a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The name of its line in the log stream.
    pub event: LogEvent,
    /// The sentence.
    pub message: String,
}

impl Told {
    pub(super) fn of(notice: &Notice) -> Self {
        Self {
            event: event(notice),
            message: sentence(notice),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.message)
    }
}

const fn event(notice: &Notice) -> LogEvent {
    match notice {
        Notice::Gap { .. } => LogEvent::Gap,
        Notice::CrowdedSecond { .. } => LogEvent::CrowdedSecond,
        Notice::CountDisagrees { .. } => LogEvent::CountDisagrees,
        Notice::WindowRestarted(_) => LogEvent::WindowRestarted,
        Notice::DestinationChanged => LogEvent::DestinationChanged,
        Notice::ClockAhead(_) => LogEvent::ClockAhead,
        Notice::ClaimTakenOver => LogEvent::ClaimTakenOver,
    }
}

/// A notice as a sentence.
fn sentence(notice: &Notice) -> String {
    match notice {
        Notice::Gap { from, to } => format!(
            "gap: events from {from} to {to} are beyond Duo's retention and were not collected"
        ),
        Notice::CrowdedSecond { second, rows } => format!(
            "possible gap: the second {second} holds {rows} records or more, and Duo's endpoint gives no way to see \
             the rest of it"
        ),
        Notice::CountDisagrees { from, to, counted, shown } => format!(
            "possible gap: from {from} to {to} Duo counts {counted} records and shows {shown}, however often it is \
             asked; the log goes on"
        ),
        Notice::WindowRestarted(fault) => format!("{}; the window was started again", window_fault(*fault)),
        Notice::DestinationChanged => {
            "the rows of this log went to another workspace before; they go to this one from here on".to_owned()
        }
        Notice::ClockAhead(milliseconds) => format!(
            "the local clock is {} s ahead of Duo's; windows are closed by Duo's clock",
            milliseconds / SECOND
        ),
        Notice::ClaimTakenOver => {
            "a process ended in the middle of this log; its work is taken over".to_owned()
        }
    }
}

/// The originals that a run set aside, by their identity; `None` where there are none.
pub(super) fn dead_letters(tally: &DeadLetterTally) -> Option<Told> {
    let what = match (tally.cut, tally.refused) {
        (0, 0) => return None,
        (cut, 0) => format!("{cut} rows have a value cut"),
        (0, refused) => format!("{refused} records were refused even alone"),
        (cut, refused) => {
            format!("{cut} rows have a value cut, {refused} records were refused even alone")
        }
    };
    let named: Vec<String> = tally.named.iter().map(hex::encode).collect();
    let more = tally.count() - named.len() as u64;
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(Told {
        event: LogEvent::DeadLetters,
        message: format!(
            "{what}; the originals are kept as dead letters: event_uid {}{more}",
            named.join(", ")
        ),
    })
}

/// Why a log failed where no other text tells it, and what to do.
pub(super) fn failure(failure: Failure) -> (String, Option<&'static str>) {
    match failure {
        Failure::Future => (
            "the log would begin in the future".to_owned(),
            Some(
                "check the clock and CISCO_DUO_START; if a wrong clock moved the checkpoint, restore an earlier version \
                 of it",
            ),
        ),
        Failure::OtherDestination { free_at } => (
            format!(
                "rows of this state went to another workspace, endpoint or API a moment ago; this one sends nothing \
                 before {free_at}"
            ),
            Some(
                "if the settings were changed, wait: it goes on by itself where the other one stopped; if another \
                 instance is at work on the same state, give each its own CISCO_DUO_CONTAINER",
            ),
        ),
        Failure::Window(fault) => (
            format!(
                "{}, twice; the place of the log is kept",
                window_fault(fault)
            ),
            Some("it is tried again with every run; if it stays, report it to Duo with the time"),
        ),
        Failure::RecordsRefused => ("records were refused even alone".to_owned(), None),
        Failure::Duo => ("Duo refused the request".to_owned(), None),
        Failure::Check => (
            "the log is read, but Duo refuses what is asked to prove its closed hours".to_owned(),
            Some("it is asked again with every run; if it stays, report it to Duo with the time"),
        ),
        Failure::AzureMonitor => ("Azure Monitor refused the request".to_owned(), None),
        Failure::State => ("the state could not be read or written".to_owned(), None),
    }
}

/// Why a log waits.
pub(super) fn park_cause(cause: ParkCause) -> &'static str {
    match cause {
        ParkCause::DuoThrottled => "Duo asked for fewer calls",
        ParkCause::DuoUnreachable => "Duo could not be reached",
        ParkCause::DuoCredentials => "Duo refused the credentials",
        ParkCause::AzureThrottled => "Azure Monitor asked for less",
        ParkCause::AzureUnreachable => "Azure Monitor could not be reached",
        ParkCause::StateUnreachable => "the ledger could not be written",
        ParkCause::Unknown => "a later release parked it",
    }
}

fn window_fault(fault: WindowFault) -> &'static str {
    match fault {
        WindowFault::CursorRepeated => "Duo answered with a cursor it had given before",
        WindowFault::CursorRefused => "Duo refused its own cursor",
        WindowFault::CountShort => "Duo showed fewer records than it counted",
    }
}
