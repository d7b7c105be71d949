//! Duo: may each log be read, and does its clock agree?

use chrono::{DateTime, TimeZone as _, Utc};

use super::{Finding, PATIENCE};
use crate::collector::{Clock, Collector};
use crate::duo::Unread;
use crate::model::{FetchError, FetchErrorKind, LogType, MINUTE, Millis, PageRequest};
use crate::status::Code;
use crate::sync::{BackOffCause, Checkpoint};

/// Clock difference from which requests may be refused or windows delayed, in seconds.
const WORRYING_SKEW: i64 = 60;
/// Clock difference below which nothing is told, in seconds: the header has whole seconds, and an answer takes time.
const AGREEING: i64 = 2;

/// What Duo said about one log.
pub(super) struct Asked {
    pub(super) finding: Finding,
    clock_ahead_seconds: Option<i64>,
}

/// Asks for the smallest page there is; not for a log that waits because Duo asked for fewer calls.
pub(super) async fn ask(collector: &Collector, log_type: LogType, clock: Clock) -> Asked {
    let subject = format!("Duo {log_type}");
    if let Some(until) = throttled_until(collector, log_type, clock.now()).await {
        return Asked {
            finding: Finding::ok(
                subject,
                format!("not asked: until {until} it waits, as Duo asked for fewer calls"),
            ),
            clock_ahead_seconds: None,
        };
    }
    let now = clock.now();
    let maxtime = now - collector.settings().pace.settle;
    let request = PageRequest {
        mintime: maxtime - MINUTE,
        maxtime,
        cursor: None,
        limit: Some(1),
        timeout: PATIENCE,
        is_reconciliation: false,
    };
    match collector
        .duo()
        .page(log_type, &request, now, &mut Unread)
        .await
    {
        Ok(answer) => Asked {
            finding: readable(subject, log_type, now.date_time()),
            clock_ahead_seconds: answer.server_time.map(|time| (now - time).num_seconds()),
        },
        Err(fault) => Asked {
            clock_ahead_seconds: fault.clock_ahead.map(|ahead| ahead.num_seconds()),
            finding: refusal(subject, log_type, &fault),
        },
    }
}

async fn throttled_until(collector: &Collector, log_type: LogType, now: Millis) -> Option<Millis> {
    // What cannot be read is told where the stored places are looked at.
    let (checkpoint, _) = collector
        .state_of(log_type)
        .load::<Checkpoint>()
        .await
        .ok()??;
    let back_off = checkpoint.back_off?;
    (back_off.cause == BackOffCause::DuoThrottled && back_off.retry_at > now)
        .then_some(back_off.retry_at)
}

/// Duo ends the endpoint of Trust Monitor on 2027-01-31: <https://duo.com/docs/adminapi#trust-monitor>.
fn end_of_life() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2027, 1, 31, 0, 0, 0)
        .single()
        .expect("it is a day")
}

fn readable(subject: String, log_type: LogType, now: DateTime<Utc>) -> Finding {
    if !log_type.spec().may_be_retired {
        return Finding::ok(subject, "may be read");
    }
    let end = end_of_life();
    let days = (end - now).num_days();
    let day = end.format("%Y-%m-%d");
    let message = if now < end {
        format!("may be read; Duo ends this log on {day}, in {days} days")
    } else {
        format!("may still be read; Duo announced to end this log on {day}")
    };
    Finding::ok(subject, message)
}

fn refusal(subject: String, log_type: LogType, fault: &FetchError) -> Finding {
    let is_gone = matches!(fault.kind, FetchErrorKind::Forbidden | FetchErrorKind::Gone);
    if log_type.spec().may_be_retired && is_gone {
        return Finding::ok(
            subject,
            "not licensed or retired; nothing is collected from it",
        );
    }
    Finding::of_duo(subject, fault)
}

/// Compares the clock with that of the first answer that had one.
pub(super) fn clock(asked: &[Asked]) -> Option<Finding> {
    let ahead = asked.iter().find_map(|asked| asked.clock_ahead_seconds)?;
    if ahead.abs() <= AGREEING {
        return Some(Finding::ok("clock", "agrees with Duo's"));
    }
    let direction = if ahead >= 0 { "ahead of" } else { "behind" };
    let message = format!("{} s {direction} Duo's", ahead.abs());
    Some(if ahead.abs() > WORRYING_SKEW {
        let hint = "set the clock of this machine: Duo refuses requests that are off by minutes";
        Finding::problem("clock", Code::Clock, message).with_hint(Some(hint.to_owned()))
    } else {
        Finding::ok("clock", message)
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{end_of_life, readable};
    use crate::model::LogType;

    #[test]
    fn the_end_of_trust_monitor_is_told_before_and_after() {
        let told = |log, days| {
            let now = end_of_life() + TimeDelta::days(days);
            readable(String::new(), log, now).message
        };
        assert_eq!(
            told(LogType::TrustMonitor, -69),
            "may be read; Duo ends this log on 2027-01-31, in 69 days"
        );
        assert!(told(LogType::TrustMonitor, 1).starts_with("may still be read"));
        assert_eq!(told(LogType::Activity, 1), "may be read");
    }
}
