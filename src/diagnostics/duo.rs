//! Checks the permission to read each log of Duo, and the clock.

use chrono::{DateTime, TimeZone as _, Utc};
use futures::future::join_all;

use super::{Finding, TIME_LIMIT};
use crate::collector::{Clock, Collector};
use crate::model::{FetchError, FetchErrorKind, LogType, MINUTE, PageRequest};
use crate::status::Code;
use crate::sync::Checkpoint;

/// Clock difference in seconds above which requests may be refused or windows delayed.
const MAX_SKEW: i64 = 60;
/// Clock difference in seconds that is not reported: responses have whole seconds and take time.
const AGREEING: i64 = 2;

/// Hint if the other logs show that the application is right.
const SKIPPED: &str = "no action needed if the Duo edition lacks this log: runs skip it. Otherwise check the permission Grant read log of the Admin API application";

/// The finding for one log.
pub(super) struct LogFinding {
    log_type: LogType,
    finding: Finding,
    access: Access,
    /// Seconds that the local clock is ahead of Duo's.
    clock_ahead: Option<i64>,
}

/// Whether Duo returns a log to this application.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Permitted,
    /// Forbidden, and never permitted before.
    NeverPermitted,
    /// Not known because of another error.
    Unknown,
}

/// Checks each log. A log that Duo never returned is a warning if Duo returns another one; Trust
/// Monitor does not count.
pub(super) async fn check(collector: &Collector, clock: Clock) -> Vec<LogFinding> {
    let logs = collector.settings.log_types.iter();
    let mut logs = join_all(logs.map(|&log| check_log(collector, log, clock))).await;
    let counted = || logs.iter().filter(|log| !log.log_type.spec().may_be_retired);
    let is_any_permitted = counted().any(|log| log.access == Access::Permitted);
    let is_none_permitted = counted().all(|log| log.access == Access::NeverPermitted);
    for LogFinding { finding, .. } in
        logs.iter_mut().filter(|log| log.access == Access::NeverPermitted && !log.finding.ok)
    {
        let code = Code::DuoNothingPermitted;
        if is_any_permitted {
            (finding.ok, finding.warning) = (true, true);
            finding.hint = Some(SKIPPED.to_owned());
        } else if is_none_permitted {
            (finding.code, finding.hint) = (Some(code), Some(code.hint().to_owned()));
        }
    }
    logs
}

/// Requests the smallest page, unless the log backs off because Duo is throttling requests.
async fn check_log(collector: &Collector, log_type: LogType, clock: Clock) -> LogFinding {
    let subject = format!("Duo {log_type}");
    let now = clock.now();
    // An unreadable checkpoint is reported by its own check.
    let stored = collector.state_of(log_type).load::<Checkpoint>().await;
    let checkpoint = stored.ok().flatten().map(|(checkpoint, _)| checkpoint);
    let has_answered = checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.answered);
    if let Some(until) = checkpoint.and_then(|checkpoint| checkpoint.throttled_until(now)) {
        let message = format!("no request sent: Duo throttled requests, backing off until {until}");
        let access = if has_answered { Access::Permitted } else { Access::Unknown };
        let finding = Finding::ok(subject, message);
        return LogFinding { log_type, finding, access, clock_ahead: None };
    }
    let maxtime = now - collector.settings.limits.window_delay;
    let request = PageRequest {
        mintime: maxtime - MINUTE,
        maxtime,
        cursor: None,
        limit: Some(1),
        timeout: TIME_LIMIT,
        is_reconciliation: false,
    };
    let request =
        collector.duo.page(log_type, &request, now, |_, scanner| scanner.value().map(|_| None));
    let (finding, access, ahead) = match request.await {
        Ok(page) => {
            let ahead = page.server_time.map(|time| now - time);
            (readable(subject, log_type, now.date_time()), Access::Permitted, ahead)
        }
        Err(error) => {
            let is_never = error.kind == FetchErrorKind::Forbidden && !has_answered;
            let access = if is_never { Access::NeverPermitted } else { Access::Unknown };
            let ahead = error.clock_ahead;
            (refusal(subject, log_type, error), access, ahead)
        }
    };
    LogFinding { log_type, finding, access, clock_ahead: ahead.map(|ahead| ahead.num_seconds()) }
}

/// Duo ends the endpoint of Trust Monitor on 2027-01-31: <https://duo.com/docs/adminapi#trust-monitor>.
fn end_of_life() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2027, 1, 31, 0, 0, 0).single().expect("a valid date")
}

fn readable(subject: String, log_type: LogType, now: DateTime<Utc>) -> Finding {
    if !log_type.spec().may_be_retired {
        return Finding::ok(subject, "readable");
    }
    let end = end_of_life();
    let days = (end - now).num_days();
    let day = end.format("%Y-%m-%d");
    let message = if now < end {
        format!("readable; Duo ends this log on {day}, in {days} days")
    } else {
        format!("still readable, although Duo announced its end for {day}")
    };
    Finding::ok(subject, message)
}

fn refusal(subject: String, log_type: LogType, error: FetchError) -> Finding {
    let is_gone = matches!(error.kind, FetchErrorKind::Forbidden | FetchErrorKind::Gone);
    if log_type.spec().may_be_retired && is_gone {
        return Finding::ok(subject, "unavailable: not licensed, or ended by Duo; not collected");
    }
    Finding::of(subject, error)
}

impl From<LogFinding> for Finding {
    fn from(log: LogFinding) -> Self {
        log.finding
    }
}

pub(super) fn clock(logs: &[LogFinding]) -> Option<Finding> {
    let ahead = logs.iter().find_map(|log| log.clock_ahead)?;
    let direction = if ahead >= 0 { "ahead of" } else { "behind" };
    let message = format!("{} s {direction} Duo's", ahead.abs());
    Some(if ahead.abs() <= AGREEING {
        Finding::ok("clock", "agrees with Duo's")
    } else if ahead.abs() <= MAX_SKEW {
        Finding::ok("clock", message)
    } else {
        Finding::error("clock", Code::Clock, message).with_hint(Some(
            "synchronize the clock of this machine: Duo refuses requests whose time is wrong by minutes",
        ))
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{end_of_life, readable};
    use crate::model::LogType;

    #[test]
    fn the_end_of_trust_monitor_is_reported_before_and_after() {
        let message = |log, days| {
            let now = end_of_life() + TimeDelta::days(days);
            readable(String::new(), log, now).message
        };
        assert_eq!(
            message(LogType::TrustMonitor, -69),
            "readable; Duo ends this log on 2027-01-31, in 69 days"
        );
        assert!(message(LogType::TrustMonitor, 1).starts_with("still readable"));
        assert_eq!(message(LogType::Activity, 1), "readable");
    }
}
