use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;

use super::catalog::{
    FUNCTION_TIMEOUT, LOOKBACK, REQUESTS_PER_MINUTE, RUN_TIME_LIMIT, START_TIME, THROTTLE_BACKOFF,
    WINDOW, WINDOW_DELAY,
};
use super::reader::{Reader, parts};
use crate::model::{HOUR, LogType, MINUTE, Millis};

/// The shortest default time limit of the hosting plans (Consumption).
const DEFAULT_TIMEOUT: TimeDelta = TimeDelta::minutes(5);
/// Time between the end of a run and the host's time limit, so that the host never kills a run.
const MARGIN: TimeDelta = MINUTE;

/// Rate and time limits of collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of a window of a log that is not far behind; it doubles while the log is behind.
    pub first_window: TimeDelta,
    /// Longest window.
    pub longest_window: TimeDelta,
    /// Time between the end of a window and now.
    pub window_delay: TimeDelta,
    /// Requests to Duo per minute and log; 0 for no limit.
    pub requests_per_minute: u32,
    /// First back-off after a 429 without `Retry-After`.
    pub throttle_backoff: TimeDelta,
    /// Time during which a run starts new requests.
    pub run_time_limit: TimeDelta,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let longest_window = TimeDelta::minutes(reader.number(WINDOW));
        Self {
            first_window: longest_window.min(HOUR),
            longest_window,
            window_delay: TimeDelta::seconds(reader.number(WINDOW_DELAY)),
            requests_per_minute: u32::try_from(reader.number(REQUESTS_PER_MINUTE))
                .expect("the catalog bounds it to 600"),
            throttle_backoff: TimeDelta::seconds(reader.number(THROTTLE_BACKOFF)),
            run_time_limit: run_time_limit(reader),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    lookback: TimeDelta,
    all: Option<Millis>,
    each: BTreeMap<LogType, Millis>,
}

impl Start {
    /// Start of collection of a log without a checkpoint, on a whole second, and whether
    /// [`START_TIME`] sets it.
    pub(crate) fn of(&self, log_type: LogType, now: Millis) -> (Millis, bool) {
        let set = self.each.get(&log_type).copied().or(self.all);
        let start = set.unwrap_or(now - self.lookback);
        (Millis::from_seconds(start.seconds()), set.is_some())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut start =
            Self { lookback: TimeDelta::hours(reader.number(LOOKBACK)), ..Self::default() };
        for part in parts(reader.optional(START_TIME).unwrap_or_default(), ',') {
            let (name, time) = part.split_once('=').unzip();
            let time = time.map_or(part, str::trim);
            let problem = format!(
                "\"{time}\" is not a time; use 2026-11-22T12:00:00Z, or Unix seconds or milliseconds"
            );
            let Some(time) = reader.valid(START_TIME, moment(time), problem) else {
                continue;
            };
            match name.map(|name| LogType::named(name.trim())) {
                None => start.all = Some(time),
                Some(Ok(log_type)) => {
                    start.each.insert(log_type, time);
                }
                Some(Err(problem)) => reader.error(START_TIME, problem),
            }
        }
        start
    }
}

/// Parses RFC 3339, or Unix seconds or milliseconds, which other connectors store.
fn moment(text: &str) -> Option<Millis> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        10 if is_number => text.parse().ok().map(Millis::from_seconds),
        13 if is_number => text.parse().ok().map(Millis),
        _ => Millis::parse(text),
    }
}

/// Offset of the clock of runs, for the demo and for tests. The deployed program ignores it.
pub(super) fn clock_offset(reader: &Reader<'_>) -> TimeDelta {
    let text = reader.environment.get("CISCO_DUO_DEMO_CLOCK_SECONDS");
    let seconds: Option<i64> = text.and_then(|text| text.parse().ok());
    let seconds = seconds.filter(|_| cfg!(feature = "demo"));
    seconds.and_then(TimeDelta::try_seconds).unwrap_or_default()
}

/// Time during which a run starts new requests; always less than the host's time limit.
fn run_time_limit(reader: &mut Reader<'_>) -> TimeDelta {
    let wanted = TimeDelta::seconds(reader.number(RUN_TIME_LIMIT));
    let limit = match reader.optional(FUNCTION_TIMEOUT) {
        Some(text) => {
            let problem = format!("\"{text}\" is not of the form hh:mm:ss");
            reader.valid(FUNCTION_TIMEOUT, time_limit(text), problem)
        }
        // Errors in host.json are reported by the host.
        None => (reader.environment.host_json.as_deref())
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .and_then(|json| time_limit(json.get("functionTimeout")?.as_str()?)),
    };
    let limit = limit.unwrap_or(DEFAULT_TIMEOUT);
    // A short limit is halved instead.
    wanted.min((limit - MARGIN).max(limit / 2))
}

/// Parses `hh:mm:ss` or `d.hh:mm:ss`; "-1" is no limit.
fn time_limit(text: &str) -> Option<TimeDelta> {
    if text == "-1" {
        return Some(TimeDelta::MAX);
    }
    let days_and_clock = text.split_once('.').filter(|(_, rest)| rest.contains(':'));
    let (days, clock) = days_and_clock.unwrap_or(("0", text));
    // The host may write fractions of a second.
    let clock = clock.split('.').next()?.split(':');
    let numbers: Vec<u32> = clock.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours @ ..=23, minutes @ ..=59, seconds @ ..=59] = numbers[..] else {
        return None;
    };
    let days: u16 = days.parse().ok()?;
    let minutes = (i64::from(days) * 24 + i64::from(hours)) * 60 + i64::from(minutes);
    let total = TimeDelta::minutes(minutes) + TimeDelta::seconds(i64::from(seconds));
    (!total.is_zero()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::{TimeDelta, time_limit};

    #[test]
    fn time_limits_are_parsed_in_the_formats_of_the_host() {
        assert_eq!(time_limit("00:10:00"), Some(TimeDelta::minutes(10)));
        assert_eq!(time_limit("1.00:00:30"), Some(TimeDelta::seconds(86_430)));
        assert_eq!(time_limit("00:05:00.0000000"), Some(TimeDelta::minutes(5)));
        assert_eq!(time_limit("-1"), Some(TimeDelta::MAX));
        for wrong in ["", "ten", "10", "00:99:00", "-00:10:00", "25:00:00"] {
            assert_eq!(time_limit(wrong), None, "{wrong}");
        }
    }
}
