//! Configuration of the Logs Ingestion API.

use std::time::Duration;

use super::StreamDeclaration;

/// The data collection rule, and the behaviour of its endpoint where the facts leave room.
#[derive(Clone, Debug)]
pub struct LogsIngestionConfig {
    /// Port on 127.0.0.1; 0 selects a free port.
    pub port: u16,
    /// Immutable ID of the data collection rule: `dcr-` and 32 hexadecimal digits.
    pub rule_id: String,
    /// Declared streams; without any, every request gets 404.
    pub streams: Vec<StreamDeclaration>,
    /// The required audience (`aud`) of tokens; each cloud has its own.
    pub audience: String,
    /// Delay of each response.
    pub latency: Duration,
    /// Whether gzip bodies are accepted; if not, they get 501.
    pub gzip: bool,
}

impl Default for LogsIngestionConfig {
    fn default() -> Self {
        Self {
            port: 0,
            rule_id: "dcr-00112233445566778899aabbccddeeff".to_owned(),
            streams: Vec::new(),
            audience: "https://monitor.azure.com".to_owned(),
            latency: Duration::ZERO,
            gzip: true,
        }
    }
}
