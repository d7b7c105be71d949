//! Diagnostics of all requirements, with one real request per service and no lasting effects.

mod azure_monitor;
mod duo;
mod finding;
mod hourly;
mod logs;
mod storage;

use std::time::Duration;

use crate::collector::{Clock, Collector};
use crate::http::proxy_for;
use crate::release;
use crate::settings::IngestionSettings;

pub(crate) use finding::Finding;
pub(crate) use hourly::Hourly;

const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Runs all checks. Findings are in the order in which to correct them.
pub(crate) async fn check(collector: &Collector) -> Vec<Finding> {
    let clock = Clock::start(collector.settings.clock_offset);
    let logs = &collector.settings.log_types;
    // Computed first: other readers of the SHA-256 would otherwise block the checks.
    let sha256 = tokio::task::spawn_blocking(release::sha256).await;
    let sha256 = sha256.ok().flatten().unwrap_or("unknown");
    let (duo, storage, stored, azure_monitor) = futures::join!(
        duo::check(collector, clock),
        storage::check(collector),
        Box::pin(logs::check(collector)),
        Box::pin(azure_monitor::check(collector, clock)),
    );
    let program = format!("duo-sentinel {}, SHA-256 {sha256}", release::VERSION);
    let plural = if logs.len() == 1 { "" } else { "s" };
    let settings = format!("complete; {} log{plural}", logs.len());
    let mut findings = vec![Finding::ok("program", program), Finding::ok("settings", settings)];
    findings.extend(proxies(collector));
    findings.extend(duo::clock(&duo));
    findings.extend(duo.into_iter().map(Finding::from));
    findings.extend(storage);
    findings.extend(azure_monitor);
    findings.extend(stored);
    findings
}

/// The proxies of requests to Duo and Azure Monitor; `None` if no proxy is set.
fn proxies(collector: &Collector) -> Option<Finding> {
    let settings = &collector.settings;
    let azure_monitor = match &settings.sink.ingestion {
        IngestionSettings::DataCollector(settings) => &settings.origin,
        IngestionSettings::LogsIngestion(settings) => &settings.origin,
    };
    let routes = [("Duo", &settings.duo.origin), ("Azure Monitor", azure_monitor)];
    let routes = routes.map(|(name, origin)| (name, proxy_for(origin)));
    if routes.iter().all(|(_, proxy)| proxy.is_none()) {
        return None;
    }
    let routes = routes.map(|(name, proxy)| match proxy {
        Some(proxy) => format!("{name} through the proxy {proxy}"),
        None => format!("{name} directly"),
    });
    Some(Finding::ok("network", routes.join(", ")))
}
