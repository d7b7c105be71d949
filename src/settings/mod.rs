//! The settings of `catalog`, read and validated. No other module reads the environment.
//!
//! All errors are reported together.

mod catalog;
mod collection;
mod duo;
mod environment;
mod identity;
mod reader;
mod sink;
mod storage;

pub use catalog::{CATALOG, Group, Kind, Need, Setting};
pub use collection::Limits;
pub(crate) use collection::Start;
pub(crate) use duo::{Credentials, Endpoint, SignatureVersion};
pub use environment::Environment;
pub(crate) use identity::{Cloud, IdentitySettings};
pub(crate) use reader::SettingErrors;
pub(crate) use sink::{
    DataCollectorSettings, IngestionSettings, LogsIngestionSettings, SinkSettings,
};
pub use storage::StateSettings;
pub(crate) use storage::{BlobAccess, BlobSettings};

use chrono::TimeDelta;

use crate::model::LogType;
use reader::Reader;

/// The validated settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) duo: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) signature: SignatureVersion,
    /// Logs to collect, in the given order, without duplicates.
    pub(crate) log_types: Vec<LogType>,
    pub(crate) sink: SinkSettings,
    pub(crate) state: StateSettings,
    pub(crate) limits: Limits,
    pub(crate) start: Start,
    pub(crate) health: bool,
    /// Offset of the clock of runs; zero except in the demo.
    pub(crate) clock_offset: TimeDelta,
}

impl Settings {
    /// Reads and validates every setting.
    pub fn read(environment: &Environment) -> Result<Self, SettingErrors> {
        let mut reader = Reader::new(environment);
        let credentials = duo::credentials(&mut reader);
        let duo = duo::endpoint(&mut reader);
        let versions = [SignatureVersion::V5, SignatureVersion::V2];
        let signature = reader.choice(catalog::SIGNATURE, versions);
        let log_types = duo::log_types(&mut reader);
        let identities = identity::read(&mut reader);
        let sink = sink::read(&mut reader, &identities);
        let state = storage::read(&mut reader, &identities);
        let limits = Limits::read(&mut reader);
        let start = Start::read(&mut reader);
        let health = reader.choice(catalog::HEALTH, [true, false]);
        let clock_offset = collection::clock_offset(&reader);
        reader.finish()?;
        let missing = "a missing setting is reported as an error";
        Ok(Self {
            duo: duo.expect(missing),
            credentials: credentials.expect(missing),
            signature,
            log_types,
            sink: sink.expect(missing),
            state: state.expect(missing),
            limits,
            start,
            health,
            clock_offset,
        })
    }
}

#[cfg(test)]
mod tests;
