//! `simulate`: the simulated services alone, for trying things by hand.

use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use simulator::{Config, IdentityConfig, LogsIngestionConfig, Simulator};

use super::{output, simulated};
use crate::model::number;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Port of the simulated Duo Admin API
    #[arg(long, default_value_t = 7600)]
    duo_port: u16,
    /// Port of the simulated HTTP Data Collector API
    #[arg(long, default_value_t = 7601)]
    log_analytics_port: u16,
    /// Port of the simulated Logs Ingestion API
    #[arg(long, default_value_t = 7602)]
    logs_ingestion_port: u16,
    /// Port from which the simulated function app gets its tokens
    #[arg(long, default_value_t = 7603)]
    identity_port: u16,
    /// Print settings for the Logs Ingestion API instead of the HTTP Data Collector API
    #[arg(long)]
    logs_ingestion: bool,
    /// Seed of the events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests per minute that each endpoint of Duo allows [default: no limit]
    #[arg(long)]
    calls_per_minute: Option<u32>,
    /// Folder to which accepted rows are written
    #[arg(long)]
    rows: Option<PathBuf>,
}

pub(super) async fn simulate(arguments: &Arguments) -> Result<(), u8> {
    #[expect(clippy::disallowed_methods, reason = "the simulated time is the real one")]
    let now = Utc::now();
    if let Some(rows) = &arguments.rows
        && let Err(fault) = std::fs::create_dir_all(rows)
    {
        let message = format!("{} cannot be created: {fault}", rows.display());
        output::error(&message, Some("choose another folder with --rows"));
        return Err(super::FAILED);
    }
    let &Arguments { duo_port, log_analytics_port, logs_ingestion_port, identity_port, .. } =
        arguments;
    let config = Config {
        seed: arguments.seed,
        duo_port,
        log_analytics_port,
        calls_per_minute: arguments.calls_per_minute,
        rows_dir: arguments.rows.clone(),
        logs_ingestion: LogsIngestionConfig { port: logs_ingestion_port, ..simulated::rule() },
        identity: IdentityConfig { port: identity_port, ..IdentityConfig::default() },
        // The last day and the next one: new events keep appearing.
        from: now - TimeDelta::hours(23),
        to: now + TimeDelta::hours(24),
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.map_err(|error| {
        let hint = format!(
            "the ports {duo_port}, {log_analytics_port}, {logs_ingestion_port} and {identity_port} must be free: choose \
             others with --duo-port, --log-analytics-port, --logs-ingestion-port and --identity-port"
        );
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
        let [shown, delivered, repeated] = counts;
        [log.name().to_owned(), shown, delivered, repeated]
    });
    let table = output::table(["log", "shown", "delivered", "repeated"], rows, 1);
    output::talk(format!("\n{table}"));
    Ok(())
}
