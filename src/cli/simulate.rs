//! `simulate`: the simulated services alone, for trying things by hand.

use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use simulator::{Config, IdentityConfig, LogsIngestionConfig, Simulator};

use super::output;
use super::road::{self, Road};
use crate::model::number;

/// Arguments of `simulate`.
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
    /// Calls a minute that each endpoint of Duo allows [default: no limit]
    #[arg(long)]
    calls_per_minute: Option<u32>,
    /// Folder to which accepted rows are written
    #[arg(long)]
    rows: Option<PathBuf>,
}

pub(super) async fn simulate(arguments: &Arguments) -> u8 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulated time is the real one"
    )]
    let now = Utc::now();
    if let Some(rows) = &arguments.rows
        && let Err(fault) = std::fs::create_dir_all(rows)
    {
        let message = format!("{} cannot be made: {fault}", rows.display());
        output::error(&message, Some("choose another folder with --rows"));
        return super::FAILED;
    }
    let config = Config {
        seed: arguments.seed,
        duo_port: arguments.duo_port,
        log_analytics_port: arguments.log_analytics_port,
        calls_per_minute: arguments.calls_per_minute,
        rows_dir: arguments.rows.clone(),
        logs_ingestion: LogsIngestionConfig {
            port: arguments.logs_ingestion_port,
            ..road::rule()
        },
        identity: IdentityConfig {
            port: arguments.identity_port,
            ..IdentityConfig::default()
        },
        // A day that was and a day to come: events go on appearing.
        from: now - TimeDelta::hours(23),
        to: now + TimeDelta::hours(24),
        ..Config::default()
    };
    let simulator = match Simulator::start(config).await {
        Ok(simulator) => simulator,
        Err(fault) => {
            let ports = [
                arguments.duo_port,
                arguments.log_analytics_port,
                arguments.logs_ingestion_port,
                arguments.identity_port,
            ];
            let hint = format!(
                "the ports {ports:?} must be free: choose others with --duo-port, --log-analytics-port, \
                 --logs-ingestion-port and --identity-port"
            );
            output::error(
                &format!("the simulators cannot listen: {fault}"),
                Some(&hint),
            );
            return super::FAILED;
        }
    };
    let config = simulator.config();
    output::talk("Simulated Duo and Azure Monitor until Ctrl+C. Settings for them:\n");
    let of_duo = [
        ("CISCO_DUO_INTEGRATION_KEY", config.integration_key.clone()),
        ("CISCO_DUO_SECRET_KEY", config.secret_key.clone()),
        ("CISCO_DUO_API_HOSTNAME", simulator.duo_url()),
    ];
    let of_azure = Road::of(arguments.logs_ingestion).settings(&simulator);
    let of_state = [(
        "CISCO_DUO_STATE_DIR",
        "duo-sentinel-simulated-state".to_owned(),
    )];
    for (name, value) in of_duo.into_iter().chain(of_azure).chain(of_state) {
        output::data(format!("{name}={value}"));
    }
    super::serve::asked_to_end().await;
    let report = simulator.report().await;
    let rows = report.logs.iter().map(|(log, counts)| {
        let counts = [counts.shown, counts.delivered, counts.duplicates].map(number);
        let [shown, delivered, repeated] = counts;
        [log.name().to_owned(), shown, delivered, repeated]
    });
    output::talk(format!(
        "\n{}",
        output::table(["log", "shown", "delivered", "repeated"], rows, 1)
    ));
    0
}
