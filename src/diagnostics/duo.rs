//! Checks the permission to read each log of Duo, and the clock.

use chrono::{DateTime, TimeZone as _, Utc};

use super::{Finding, TIME_LIMIT};
use crate::collector::{Clock, Collector};
use crate::model::{FetchError, FetchErrorKind, LogType, MINUTE, Millis, PageRequest};
use crate::status::Code;
use crate::sync::Checkpoint;

/// Clock difference in seconds above which requests may be refused or windows delayed.
const MAX_SKEW: i64 = 60;
/// Clock difference in seconds that is not reported: responses have whole seconds and take time.
const AGREEING: i64 = 2;

/// The finding for one log, and the seconds that the local clock is ahead of Duo's.
pub(super) type LogFinding = (Finding, Option<i64>);

/// Requests the smallest page, unless the log backs off because Duo is throttling requests.
pub(super) async fn check(collector: &Collector, log_type: LogType, clock: Clock) -> LogFinding {
    let subject = format!("Duo {log_type}");
    let now = clock.now();
    if let Some(until) = throttled_until(collector, log_type, now).await {
        let message = format!("no request sent: Duo throttled requests, backing off until {until}");
        return (Finding::ok(subject, message), None);
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
    match request.await {
        Ok(page) => {
            let ahead = page.server_time.map(|time| (now - time).num_seconds());
            (readable(subject, log_type, now.date_time()), ahead)
        }
        Err(error) => {
            let ahead = error.clock_ahead.map(|ahead| ahead.num_seconds());
            (refusal(subject, log_type, error), ahead)
        }
    }
}

async fn throttled_until(collector: &Collector, log_type: LogType, now: Millis) -> Option<Millis> {
    // An unreadable checkpoint is reported by its own check.
    let stored = collector.state_of(log_type).load::<Checkpoint>().await;
    stored.ok()??.0.throttled_until(now)
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

pub(super) fn clock(logs: &[LogFinding]) -> Option<Finding> {
    let ahead = logs.iter().find_map(|(_, ahead)| *ahead)?;
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
