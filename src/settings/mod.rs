//! Every setting: its name, default, bounds and advice. Nothing else reads the environment.
//!
//! All faults are collected before any is reported, so that one look at the log is enough to mend them.

mod catalog;
mod clock;
mod duo;
mod environment;
mod fault;
mod function_timeout;
mod identity;
mod reader;
mod sink;
mod storage;

use std::collections::BTreeMap;

pub use catalog::{CATALOG, SettingInfo};
pub use environment::Environment;
pub use fault::{SettingFault, SettingFaults};
pub use identity::{Application, Cloud, IdentitySettings};
pub use sink::{
    DataCollectorSettings, IngestionSettings, LogsIngestionSettings, SinkSettings, TimeGenerated,
};
pub use storage::{BlobAccess, BlobSettings, StateSettings};

use crate::duo::{Credentials, Endpoint, SignatureVersion};
use crate::model::{HOUR, LogType, MINUTE, Millis, SECOND};
use reader::Reader;

/// Everything the connector is told from outside, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the Admin API is and what is signed.
    pub duo: Endpoint,
    /// Keys of the Admin API application.
    pub credentials: Credentials,
    /// How requests are signed.
    pub signature: SignatureVersion,
    /// Logs to collect, in the order given, none twice.
    pub log_types: Vec<LogType>,
    /// Where rows go.
    pub sink: SinkSettings,
    /// Where state lives.
    pub state: StateSettings,
    /// How collection is paced; durations in milliseconds.
    pub pace: Pace,
    /// Where the first run of each log begins.
    pub start: Start,
    /// Whether rows about the connector itself are sent.
    pub health: bool,
    /// How far the clock of runs is ahead of this machine's, in milliseconds; 0 but in the demo.
    pub clock_offset: i64,
}

/// How collection is paced. Durations are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Longest window.
    pub window: i64,
    /// How far behind now a window ends.
    pub settle: i64,
    /// Calls a minute for each log; 0 for no limit.
    pub calls_per_minute: u32,
    /// First pause after a refusal for too many calls.
    pub park: i64,
    /// Longest time a run begins new work.
    pub run: i64,
}

/// Where the first run of a log begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// How far back, in milliseconds, where no time is given.
    pub lookback: i64,
    /// A time for every log.
    pub all: Option<Millis>,
    /// Times for single logs.
    pub each: BTreeMap<LogType, Millis>,
}

impl Start {
    /// The first moment to collect of a log that was never collected, on a whole second.
    pub fn of(&self, log_type: LogType, now: Millis) -> Millis {
        let start = self.each.get(&log_type).copied().or(self.all);
        let start = start.unwrap_or(now - self.lookback);
        Millis::from_seconds(start.seconds())
    }
}

/// Longest look back, in hours: a request at the edge of Duo's 180 days is refused by the time it arrives.
const LONGEST_LOOKBACK_HOURS: i64 = 179 * 24;

impl Settings {
    /// Reads and checks every setting.
    pub fn read(environment: &Environment) -> Result<Self, SettingFaults> {
        let mut reader = Reader::new(environment);
        let credentials = duo::credentials(&mut reader);
        let duo = duo::endpoint(&mut reader);
        let signature = duo::signature(&mut reader);
        let log_types = duo::log_types(&mut reader);
        let identities = identity::read(&mut reader);
        let sink = sink::read(&mut reader, &identities);
        let state = storage::read(&mut reader, &identities);
        let pace = Pace {
            window: reader.number("MAX_SYNC_WINDOW_PER_RUN_MINUTES", 1..=30 * 24 * 60, 60) * MINUTE,
            settle: reader.number("CISCO_DUO_SETTLE_SECONDS", 120..=24 * 60 * 60, 180) * SECOND,
            calls_per_minute: u32::try_from(reader.number(
                "CISCO_DUO_CALLS_PER_MINUTE",
                0..=600,
                10,
            ))
            .expect("checked to be at most 600"),
            park: reader.number("CISCO_DUO_PARK_SECONDS", 1..=600, 60) * SECOND,
            run: function_timeout::run_budget(&mut reader),
        };
        let start = Start {
            lookback: reader.number("CISCO_DUO_LOOKBACK_HOURS", 1..=LONGEST_LOOKBACK_HOURS, 24)
                * HOUR,
            ..duo::start(&mut reader)
        };
        let health = reader.choice("CISCO_DUO_HEALTH", &[("on", true), ("off", false)], true);
        let clock_offset = clock::offset(&mut reader);
        reader.finish()?;
        // Each of them is there, or a fault was reported.
        let missing = "a setting that is missing was reported as a fault";
        Ok(Self {
            duo: duo.expect(missing),
            credentials: credentials.expect(missing),
            signature,
            log_types,
            sink: sink.expect(missing),
            state: state.expect(missing),
            pace,
            start,
            health,
            clock_offset,
        })
    }
}

#[cfg(test)]
mod tests;
