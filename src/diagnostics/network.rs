//! The network: proxies.

use super::Finding;
use crate::collector::Collector;
use crate::http::proxy_for;
use crate::settings::IngestionSettings;

/// Whether requests to Duo and to Azure Monitor go through a proxy; none if no proxy is set.
pub(super) fn check(collector: &Collector) -> Option<Finding> {
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
