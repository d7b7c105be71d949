//! How the Logs Ingestion API is simulated.

use std::time::Duration;

use super::StreamDeclaration;

/// The data collection rule and how its endpoint behaves where facts leave room.
#[derive(Clone, Debug)]
pub struct LogsIngestionConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Immutable ID of the data collection rule: `dcr-` and 32 hexadecimal digits.
    pub rule_id: String,
    /// What the rule declares; without streams every call is answered 404.
    pub streams: Vec<StreamDeclaration>,
    /// The audience (`aud`) that tokens must be made out to; each cloud has its own.
    pub audience: String,
    /// How long each answer is delayed.
    pub latency: Duration,
    /// Whether bodies may be compressed with gzip; if not, they are answered 501.
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
