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
    /// What the limit of 1,048,576 bytes a call is held against.
    pub measured: Measured,
    /// What happens to a value that does not fit its column.
    pub misfits: Misfits,
    /// Whether bodies may be compressed with gzip; if not, they are answered 501.
    pub gzip: bool,
    /// The dynamic column in which the judge expects what an event has beyond the declared columns, an
    /// object of values by path. Not looked at where it is `None` or not declared.
    pub additional_fields: Option<String>,
    /// The status of an accepted call; documents name 204, and one 200 and 202.
    pub accepted_status: u16,
}

/// The size of a call, of which documents say "both compressed and uncompressed data".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// The JSON before compression: the stricter reading.
    Uncompressed,
    /// What was sent, that is `Content-Length`.
    Sent,
}

/// What happens to a value that cannot be converted to the type of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfits {
    /// It becomes null and is counted.
    Null,
    /// The whole call is answered 400.
    Refused,
}

impl Default for LogsIngestionConfig {
    fn default() -> Self {
        Self {
            port: 0,
            rule_id: "dcr-00112233445566778899aabbccddeeff".to_owned(),
            streams: Vec::new(),
            audience: "https://monitor.azure.com".to_owned(),
            latency: Duration::ZERO,
            measured: Measured::Uncompressed,
            misfits: Misfits::Null,
            gzip: true,
            additional_fields: Some("AdditionalFields".to_owned()),
            accepted_status: 204,
        }
    }
}
