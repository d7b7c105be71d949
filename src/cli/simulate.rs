//! `simulate`: serves the simulated services for manual tests.

use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use simulator::{Config, IdentityConfig, LogsIngestionConfig, Simulator};

use super::{output, simulated};
use crate::model::number;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// First of four ports: the Duo Admin API, the two ingestion APIs, and the identity endpoint
    #[arg(long, default_value_t = 7600, value_parser = clap::value_parser!(u16).range(1..=65_532))]
    port: u16,
    /// Print settings for the Logs Ingestion API instead of the HTTP Data Collector API
    #[arg(long)]
    logs_ingestion: bool,
    /// Seed of the events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests per minute that each endpoint of Duo allows [default: no limit]
    #[arg(long)]
    requests_per_minute: Option<u32>,
    /// Folder to which accepted rows are written
    #[arg(long)]
    rows: Option<PathBuf>,
}

pub(super) async fn simulate(arguments: &Arguments) -> Result<(), u8> {
    #[expect(clippy::disallowed_methods, reason = "the simulation uses the real time")]
    let now = Utc::now();
    if let Some(rows) = &arguments.rows
        && let Err(error) = std::fs::create_dir_all(rows)
    {
        let message = format!("{} cannot be created: {error}", rows.display());
        output::error(&message, Some("choose another folder with --rows"));
        return Err(super::FAILED);
    }
    let first = arguments.port;
    let config = Config {
        seed: arguments.seed,
        duo_port: first,
        log_analytics_port: first + 1,
        requests_per_minute: arguments.requests_per_minute,
        rows_dir: arguments.rows.clone(),
        logs_ingestion: LogsIngestionConfig { port: first + 2, ..simulated::rule() },
        identity: IdentityConfig { port: first + 3, ..IdentityConfig::default() },
        // The last and the next day, so that new events keep appearing.
        from: now - TimeDelta::hours(23),
        to: now + TimeDelta::hours(24),
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.map_err(|error| {
        let last = first + 3;
        let hint = format!("the ports {first} to {last} must be free; choose others with --port");
        let message = format!("the simulators cannot listen: {error}");
        output::error(&message, Some(&hint));
        super::FAILED
    })?;
    output::talk("Simulated Duo and Azure Monitor until Ctrl+C. Settings for them:\n");
    let api = simulated::selected(arguments.logs_ingestion);
    for (name, value) in simulated::settings(api, &simulator) {
        output::data(format!("{name}={value}"));
    }
    output::data("CISCO_DUO_STATE_DIR=duo-sentinel-simulated-state");
    super::serve::shutdown_requested().await;
    let report = simulator.report().await;
    let rows = report.logs.iter().map(|(log, counts)| {
        let counts = [counts.shown, counts.delivered, counts.duplicates].map(number);
        let [shown, delivered, duplicates] = counts;
        [log.name().to_owned(), shown, delivered, duplicates]
    });
    let table = output::table(["log", "returned by Duo", "delivered", "duplicates"], rows, 1);
    output::talk(format!("\n{table}"));
    Ok(())
}
