//! Times, spans and numbers as people read them.

use maud::{Markup, html};

use crate::model::{LogType, Millis};

/// `2026-11-22 10:05:07`.
pub(super) fn clock(time: Millis) -> String {
    time.date_time().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time that programs can read too.
pub(super) fn moment(time: Millis) -> Markup {
    html! { time datetime=(time) { (clock(time)) } }
}

/// A log's name in a sentence.
pub(super) const fn log_name(log_type: LogType) -> &'static str {
    match log_type {
        LogType::Authentication => "Authentication",
        LogType::Administrator => "Administrator",
        LogType::Telephony => "Telephony",
        LogType::OfflineEnrollment => "Offline enrollment",
        LogType::TrustMonitor => "Trust Monitor",
        LogType::Activity => "Activity",
    }
}
