//! The settings of a handler in a test.

use std::collections::BTreeMap;
use std::path::Path;

use simulator::Simulator;

/// Environment variables of a handler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The settings for a simulated tenant, with limits for tests and no location for the state.
    pub(crate) fn of(simulator: &Simulator) -> Self {
        let config = simulator.config();
        Self::default()
            .with("CISCO_DUO_INTEGRATION_KEY", &config.integration_key)
            .with("CISCO_DUO_SECRET_KEY", &config.secret_key)
            .with("CISCO_DUO_API_HOSTNAME", simulator.duo_url())
            .with("WORKSPACE_ID", &config.workspace_id)
            .with("SHARED_KEY", &config.shared_key)
            .with("logAnalyticsUri", simulator.log_analytics_url())
            // A test covers hours in seconds: no rate limit, short pauses, few windows.
            .with("CISCO_DUO_REQUESTS_PER_MINUTE", "0")
            .with("CISCO_DUO_THROTTLE_BACKOFF_SECONDS", "1")
            .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "20")
            .with("CISCO_DUO_LOOKBACK_HOURS", "6")
    }

    /// Settings with the state in a folder.
    pub(crate) fn in_folder(simulator: &Simulator, folder: &Path) -> Self {
        Self::of(simulator).with("CISCO_DUO_STATE_DIR", folder.display().to_string())
    }

    /// Settings with the state in a blob container.
    pub(crate) fn in_storage(simulator: &Simulator, connection: &str, container: &str) -> Self {
        Self::of(simulator)
            .with("AzureWebJobsStorage", connection)
            .with("CISCO_DUO_CONTAINER", container)
    }

    /// Switches to the Logs Ingestion API, with the identity of the function app, and removes the
    /// settings of the Data Collector API.
    pub(crate) fn by_logs_ingestion(self, simulator: &Simulator) -> Self {
        let config = simulator.config();
        self.without("WORKSPACE_ID")
            .without("SHARED_KEY")
            .without("logAnalyticsUri")
            .with("LOGS_INGESTION_ENDPOINT", simulator.logs_ingestion_url())
            .with("LOGS_INGESTION_RULE_ID", &config.logs_ingestion.rule_id)
            .with("IDENTITY_ENDPOINT", simulator.identity_url())
            .with("IDENTITY_HEADER", &config.identity.header)
    }

    /// Sets one setting.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Removes one setting.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
