//! A simulated year of one account, with a log of each kind of paging.
//!
//! `DUO_SENTINEL_DAYS` is the number of days; the short form has every phase of the long one.

mod curve;
mod log;
mod plan;

use self::curve::{Day, Window};
use self::log::Log;
use self::plan::{LEAP_DAY, Phase, begin, plan, tick};
use super::random::setting;
use crate::model::{DAY, LogType, Millis};

/// Default number of days; RELIABILITY.md describes the long run.
const DAYS: i64 = 18;
/// States that the year must reach in each log.
const RARE: [&str; 6] = [
    "ClockAhead",
    "backed off",
    "hour unknown",
    "hour verified late",
    "late event",
    "storage error after an effect",
];

#[test]
fn a_year_of_operation_loses_nothing_and_its_cost_stays_flat() {
    let days = setting("DUO_SENTINEL_DAYS").map_or(DAYS, |days| i64::try_from(days).unwrap());
    let phases = plan(days);
    let mut year = Year::begin(begin(&phases));
    for (phase, length) in &phases {
        year.play(*phase, *length);
    }
    year.finish();
}

/// The account: its logs, and the measured days of each.
struct Year {
    logs: Vec<Log>,
    /// The time by Duo's clock.
    now: Millis,
    day: i64,
    resumed_at: Option<Millis>,
    /// Until this day, fewer ids are stored than usual, because there were no events.
    quiet_until: i64,
    /// The measured windows of normal days, by log.
    windows: Vec<Vec<Window>>,
}

impl Year {
    fn begin(now: Millis) -> Self {
        let mut logs = vec![
            Log::new(LogType::Activity, 96, 100, now),
            Log::new(LogType::Administrator, 24, 1000, now),
            Log::new(LogType::TrustMonitor, 6, 200, now),
        ];
        // One account has one rate limit.
        let account = logs[0].world.account.clone();
        for log in &mut logs {
            log.world.account = account.clone();
        }
        curve::print_header(&logs);
        Self {
            windows: vec![Vec::new(); logs.len()],
            logs,
            now,
            day: 0,
            resumed_at: None,
            quiet_until: 0,
        }
    }

    fn play(&mut self, phase: Phase, length: i64) {
        if phase == Phase::Stopped {
            self.logs.iter().for_each(|log| log.assert_verified_day(LEAP_DAY));
        }
        let mut measured = vec![Vec::new(); self.logs.len()];
        for day in 0..length {
            let days = self.play_day(phase, day, length);
            self.quiet_until =
                if phase == Phase::Silent { self.day + 16 } else { self.quiet_until };
            if phase == Phase::Normal && day >= 3 {
                for (log, day) in measured.iter_mut().zip(days) {
                    log.extend((self.day > self.quiet_until).then_some(day));
                }
                if day % 30 == 3 || day + 1 == length {
                    self.logs.iter_mut().for_each(|log| log.settle(self.now));
                }
            }
        }
        if phase == Phase::Stopped {
            self.logs.iter_mut().for_each(|log| log.resume(self.now));
            self.resumed_at = Some(self.now);
        }
        for (windows, days) in self.windows.iter_mut().zip(measured) {
            windows.extend(curve::windows(&days));
        }
    }

    fn play_day(&mut self, phase: Phase, day: i64, length: i64) -> Vec<Day> {
        let end = self.now + DAY;
        for log in &mut self.logs {
            if phase != Phase::Silent {
                log.happen(self.now, self.now);
            }
        }
        if phase == Phase::Stopped {
            self.now = end;
        }
        while self.now < end {
            for log in &mut self.logs {
                log.run(phase, day * 3 < length * 2, self.now);
            }
            self.now = self.now + tick(day);
        }
        self.day += 1;
        let days: Vec<Day> = self.logs.iter_mut().map(|log| Day::of(log, self.day)).collect();
        if phase != Phase::Stopped && (self.day % 30 == 0 || day + 1 == length) {
            curve::print(phase, &days);
        }
        days
    }

    fn finish(self) {
        let resumed_at = self.resumed_at.expect("the year has a stop");
        for (log, windows) in self.logs.iter().zip(&self.windows) {
            let log_type = log.world.config.log_type;
            log.assert_gap(resumed_at);
            for state in RARE {
                assert!(
                    log.world.rare.contains_key(state),
                    "{log_type}: {state} was never reached"
                );
            }
            let bound = usize::try_from(log.world.may_duplicate).unwrap() * log.world.page_size;
            let duplicates = log.world.duplicates();
            println!(
                "{log_type}: {} events, lost 0, {} gone at Duo during the stop, duplicated \
                 {duplicates} of at most {bound}; {} reports of verified hours agree",
                log.event_count,
                log.gone.len(),
                log.world.judged
            );
            assert!(duplicates <= bound, "{log_type}: {duplicates} duplicates");
            curve::assert_flat(log_type, windows);
        }
    }
}
