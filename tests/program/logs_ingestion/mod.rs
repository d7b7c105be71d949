//! The handler with the Logs Ingestion API: delivery, refusals, tokens, and the same rows as
//! through the Data Collector API.

mod applications;
mod both_apis;
mod check;
mod delivery;
mod refusals;
mod switching;
mod tokens;

use crate::common::{FunctionsHost, Settings, running_with, tenant_with_rule};
use simulator::{Config, Simulator};
use tempfile::TempDir;

/// A tenant with a data collection rule, its handler with the state in a folder, and the folder.
async fn start(seed: u64, events: u64) -> (Simulator, FunctionsHost, TempDir) {
    start_with(tenant_with_rule(seed, events), |settings| settings).await
}

/// Like [`start`], with the given tenant and changed settings.
async fn start_with(
    config: Config,
    change: impl FnOnce(Settings) -> Settings,
) -> (Simulator, FunctionsHost, TempDir) {
    running_with(config, |settings, simulator| change(settings.by_logs_ingestion(simulator))).await
}
