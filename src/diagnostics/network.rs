//! The network: which way calls take.

use super::Finding;
use crate::collector::Collector;
use crate::http::proxy_for;
use crate::settings::IngestionSettings;

/// Tells whether calls to Duo and to Azure Monitor go through a proxy; nothing where none is set.
pub(super) fn check(collector: &Collector) -> Option<Finding> {
    let settings = collector.settings();
    let azure_monitor = match &settings.sink.ingestion {
        IngestionSettings::DataCollector(settings) => &settings.origin,
        IngestionSettings::LogsIngestion(settings) => &settings.origin,
    };
    let ways = [
        ("Duo", &settings.duo.origin),
        ("Azure Monitor", azure_monitor),
    ];
    let ways = ways.map(|(name, origin)| (name, proxy_for(origin)));
    if ways.iter().all(|(_, proxy)| proxy.is_none()) {
        return None;
    }
    let ways = ways.map(|(name, proxy)| match proxy {
        Some(proxy) => format!("{name} through the proxy {proxy}"),
        None => format!("{name} directly"),
    });
    Some(Finding::ok("network", ways.join(", ")))
}
