//! Writes the report of a run to the log stream.

use crate::collector::RunReport;
use crate::logging::LogEvent;
use crate::status::{Code, Outcome};

/// The summary line of a log. A macro, because the level must be a constant.
macro_rules! summary {
    ($level:ident, $log:ident, $($message:tt)+) => {
        tracing::$level!(
            event = %LogEvent::LogRun,
            log_type = $log.log_type.as_str(),
            outcome = $log.outcome.as_str(),
            code = $log.why.code.map(Code::as_str),
            http_status = $log.why.http_status,
            events = $log.counts.events,
            late = $log.counts.late,
            dead_letters = $log.counts.dead_letters,
            deduplicated = $log.counts.deduplicated,
            pages = $log.counts.pages,
            requests = $log.counts.requests,
            throttled = $log.counts.throttled,
            retries = $log.counts.retries,
            lag_s = $log.lag_seconds,
            collected_to = $log.collected_to.map(tracing::field::display),
            hint = $log.why.hint.as_deref(),
            $($message)+
        )
    };
}

/// Writes a line per log: ERROR if an operator must act, WARN while it backs off, else INFO.
pub(super) fn log_report(report: &RunReport) {
    for log in &report.logs {
        for warning in &log.warnings {
            tracing::warn!(event = %warning.event, log_type = log.log_type.as_str(), "{}", warning.message);
        }
        let message = log.why.message.as_deref().unwrap_or(log.outcome.as_str());
        match log.outcome {
            Outcome::Failed | Outcome::Unknown => summary!(error, log, "failed: {message}"),
            Outcome::BackingOff => summary!(warn, log, "{message}"),
            Outcome::Unavailable if log.news => {
                summary!(info, log, "unavailable, retried hourly: {message}");
            }
            Outcome::Unavailable => summary!(debug, log, "unavailable"),
            Outcome::CaughtUp | Outcome::MoreToFetch | Outcome::HeldElsewhere => {
                summary!(info, log, "{message}");
            }
        }
    }
}
