//! A simulated tenant with a backlog, and the connector that catches up with it.

use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use simulator::{Config, LogType, LogsIngestionConfig, Simulator};
use tempfile::TempDir;

use crate::Fault;
use crate::child::{self, Usage};
use crate::settings::Settings;
use crate::small_tenant::declared_streams;

/// The program under measurement.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_duo-sentinel");

/// The API for sending rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IngestionApi {
    DataCollector,
    /// Logs Ingestion without compression.
    Plain,
    /// Logs Ingestion with the default compression.
    Compressed,
}

/// Simulators with the backlog of a day.
pub(crate) struct Tenant {
    pub(crate) simulator: Simulator,
    log_types: String,
    events: u64,
}

/// The result of a catch-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CatchUp {
    pub(crate) usage: Usage,
    /// Requests to Duo.
    pub(crate) requests: u64,
    /// Requests to Azure Monitor.
    pub(crate) posts: u64,
    /// Bytes of the rows before compression.
    pub(crate) posted: u64,
    /// Bytes of the rows as sent.
    pub(crate) sent: u64,
}

impl Tenant {
    pub(crate) async fn start(
        volumes: &[(LogType, u64)],
        duo_latency: Duration,
        log_analytics_latency: Duration,
    ) -> Result<Self, Fault> {
        let config = Config::default();
        let now = config.to;
        let names: Vec<&str> = volumes.iter().map(|(log, _)| log.name()).collect();
        let config = Config {
            volumes: volumes.iter().copied().collect(),
            from: now - TimeDelta::hours(23),
            to: now - TimeDelta::minutes(10),
            duo_latency,
            log_analytics_latency,
            logs_ingestion: LogsIngestionConfig {
                streams: declared_streams(),
                latency: log_analytics_latency,
                ..LogsIngestionConfig::default()
            },
            // Verifying every row would use the CPU time that is being measured.
            verify: false,
            ..config
        };
        let simulator = Simulator::start(config).await?;
        Ok(Self {
            simulator,
            log_types: names.join(","),
            events: volumes.iter().map(|(_, events)| events).sum(),
        })
    }

    /// Runs the connector once without state, with one of the APIs.
    pub(crate) async fn catch_up(&self, api: IngestionApi) -> Result<CatchUp, Fault> {
        let state = state_folder()?;
        let before = self.simulator.counts();
        let settings = self.settings(state.path());
        let by_rule = |gzip| {
            let settings = settings.clone().by_logs_ingestion(&self.simulator);
            settings.with("LOGS_INGESTION_GZIP", gzip)
        };
        let settings = match api {
            IngestionApi::DataCollector => settings.clone(),
            IngestionApi::Plain => by_rule("off"),
            IngestionApi::Compressed => by_rule("on"),
        };
        let usage = child::run(PROGRAM, &["run"], settings.iter()).await?;
        let counts = self.simulator.counts();
        let rows = |counts: &simulator::Counts| {
            // Without health rows.
            let apis = [&counts.log_analytics.rows, &counts.logs_ingestion.rows];
            apis.iter().filter_map(|rows| rows.get("CiscoDuo_CL")).sum::<u64>()
        };
        let delivered = rows(&counts) - rows(&before);
        if delivered != self.events {
            return Err(format!("{delivered} rows of {} events", self.events).into());
        }
        let requests =
            |counts: &simulator::Counts| counts.duo.values().map(|log| log.requests).sum::<u64>();
        let requests = requests(&counts) - requests(&before);
        let (one, other) = (&counts.log_analytics, &counts.logs_ingestion);
        let posted = one.bytes - before.log_analytics.bytes;
        Ok(CatchUp {
            usage,
            requests,
            posts: one.requests + other.requests
                - before.log_analytics.requests
                - before.logs_ingestion.requests,
            posted: posted + other.bytes - before.logs_ingestion.bytes,
            sent: posted + other.bytes_sent - before.logs_ingestion.bytes_sent,
        })
    }

    /// The settings of the connector.
    pub(crate) fn settings(&self, state: &Path) -> Settings {
        settings(&self.simulator, &self.log_types, state)
    }
}

/// The settings of a connector for simulated services: no pauses, and everything in one run.
pub(crate) fn settings(simulator: &Simulator, log_types: &str, state: &Path) -> Settings {
    Settings::in_folder(simulator, state)
        .with("CISCO_DUO_LOG_TYPES", log_types)
        .with("CISCO_DUO_LOOKBACK_HOURS", "24")
        .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "3000")
        .with("AzureFunctionsJobHost__functionTimeout", "-1")
}

/// An empty folder for state, in memory if possible, because disks are not part of any figure.
pub(crate) fn state_folder() -> Result<TempDir, Fault> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    Ok(tempfile::tempdir_in(parent)?)
}
