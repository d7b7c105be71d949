//! The real handler with the Logs Ingestion API: what arrives, what is refused, whose tokens are used, and whether the
//! table is the same as on the other road.

mod applications;
mod arrives;
mod both_roads;
mod check;
mod refusals;
mod switching;
mod tokens;

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};
use simulator::{Config, Simulator};
use tempfile::TempDir;

/// A tenant with a data collection rule, its handler with the state in a folder, and the folder.
async fn start(seed: u64, events: u64) -> (Simulator, FunctionsHost, TempDir) {
    start_with(tenant_with_rule(seed, events), |settings| settings).await
}

/// The same with the tenant and the settings of choice.
async fn start_with(
    config: Config,
    change: impl FnOnce(Settings) -> Settings,
) -> (Simulator, FunctionsHost, TempDir) {
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path()).by_logs_ingestion(&simulator);
    let host = FunctionsHost::start(&change(settings)).await;
    (simulator, host, state)
}

/// Message and hint about a log.
fn message(invocation: &crate::common::Invocation, log: &str) -> String {
    let report = invocation.log(log);
    format!("{} {}", report["message"], report["hint"])
}
