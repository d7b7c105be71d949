//! Stored state as after weeks of runs, written at once.

mod log;

use std::fs;
use std::path::Path;

use chrono::{TimeDelta, Utc};
use duo_sentinel::model::{Hour, LogType, Millis};
use duo_sentinel::status::{Code, Outcome};

pub(crate) use log::Log;

/// Longest time between two reads of one history.
const LONGEST_TEST: TimeDelta = TimeDelta::minutes(2);

/// The present, with enough time left in its hour for a test: a new hour adds a pending one.
pub(crate) fn now() -> Millis {
    #[expect(clippy::disallowed_methods, reason = "the program under test uses the current time")]
    let now = || Millis::from(Utc::now());
    let left = Hour::of(now()).end() - now();
    if left < LONGEST_TEST {
        std::thread::sleep(left.to_std().expect("the hour ends later"));
    }
    now()
}

/// Six logs in six states, with every status that an hour can have.
pub(crate) fn every_state(now: Millis) -> Vec<Log> {
    vec![
        Log::working(LogType::Authentication, 2_400, now).late(31, 4).error(
            Code::AzureUnreachable,
            503,
            4_000,
            3_990,
            3,
        ),
        Log::working(LogType::Administrator, 14, now).current(
            Outcome::BackingOff,
            Some((Code::DuoThrottled, 429)),
            6,
        ),
        Log::working(LogType::Telephony, 120, now).behind(7).current(
            Outcome::Failed,
            Some((Code::DuoCredentials, 401)),
            6 * 60,
        ),
        Log::working(LogType::OfflineEnrollment, 1, now).unavailable(),
        Log::working(LogType::TrustMonitor, 3, now).silent(5),
        Log::working(LogType::Activity, 640, now)
            .gap(75..=77)
            .unknown(120)
            .late(50, 12)
            .behind(3)
            .current(Outcome::MoreToFetch, None, 200),
    ]
}

/// A typical state: all logs work, one hour has late events, and one log backs off.
pub(crate) fn usual(now: Millis) -> Vec<Log> {
    vec![
        Log::working(LogType::Authentication, 2_400, now).late(31, 4),
        Log::working(LogType::Administrator, 14, now),
        Log::working(LogType::Telephony, 120, now).current(
            Outcome::BackingOff,
            Some((Code::DuoThrottled, 429)),
            2,
        ),
        Log::working(LogType::OfflineEnrollment, 2, now),
        Log::working(LogType::TrustMonitor, 3, now),
        Log::working(LogType::Activity, 640, now),
    ]
}

/// Writes these logs to a folder.
pub(crate) fn write(logs: &[Log], folder: &Path) {
    for (name, content) in logs.iter().flat_map(Log::files) {
        let file = folder.join(name);
        let parent = file.parent().expect("the file is in a folder");
        fs::create_dir_all(parent).expect("a new folder");
        fs::write(file, content).expect("a new file");
    }
}

/// Six logs after weeks, each but one with something to report.
pub(crate) fn worn() -> Vec<Log> {
    let now = now();
    vec![
        Log::working(LogType::Authentication, 2_400, now)
            .throttled()
            .unknown_fields(&[("access_device_moon_phase", 71), ("tide\u{1b}[31m", 2)]),
        Log::working(LogType::Administrator, 14, now).unknown(40),
        Log::working(LogType::Telephony, 120, now).silent(5),
        Log::working(LogType::OfflineEnrollment, 2, now).elsewhere(),
        Log::working(LogType::TrustMonitor, 3, now),
        Log::working(LogType::Activity, 640, now)
            .gap(75..=77)
            .gap(90..=90)
            .unknown(120)
            .unknown(121),
    ]
}
