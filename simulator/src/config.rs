//! Configuration: identities, volumes, and the behaviour of endpoints where the facts leave room.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{IdentityConfig, LogType, LogsIngestionConfig};

/// Configuration of the simulators; [`Config::default`] is a small plausible tenant.
#[derive(Clone, Debug)]
pub struct Config {
    /// Equal seed, volumes and times produce equal events.
    pub seed: u64,
    /// Integration key (`ikey`) of the Admin API application.
    pub integration_key: String,
    /// Secret key (`skey`) that must have signed each request.
    pub secret_key: String,
    /// Host name that must be signed, without a port; the request's own `Host` is accepted too.
    pub signed_host: String,
    /// Log Analytics workspace ID, a GUID.
    pub workspace_id: String,
    /// Log Analytics shared key, base64.
    pub shared_key: String,
    /// Port of the Duo simulator on 127.0.0.1; 0 selects a free port.
    pub duo_port: u16,
    /// Port of the Azure Monitor simulator on 127.0.0.1; 0 selects a free port.
    pub log_analytics_port: u16,
    /// Number of events per log between [`Config::from`] and [`Config::to`]; absent means none.
    pub volumes: BTreeMap<LogType, u64>,
    /// Time of the earliest possible event.
    pub from: DateTime<Utc>,
    /// Time of the latest possible event; in the future, events appear as time passes.
    pub to: DateTime<Utc>,
    /// Largest page of the v2 endpoints (Duo: 1000); a larger `limit` is clamped to it.
    pub max_limit: usize,
    /// Approximate records per page of the v1 endpoints (Duo: 1000).
    pub v1_page: usize,
    /// Largest page of Trust Monitor (Duo: 200).
    pub trust_monitor_limit: usize,
    /// How long an event stays invisible (Duo: two minutes), except administrator events.
    pub hidden: Duration,
    /// Delay of the Duo simulator before each response.
    pub duo_latency: Duration,
    /// Delay of the Azure Monitor simulator before each response.
    pub log_analytics_latency: Duration,
    /// Requests granted per log endpoint in any 60 s; further ones get 429.
    pub requests_per_minute: Option<u32>,
    /// Share of events, in thousandths, that appear only [`Config::late_by`] after their time.
    pub late_per_mille: u32,
    /// How long after its time a late event appears.
    pub late_by: Duration,
    /// Share of authentication and activity events, in thousandths, with one text of
    /// [`Config::oversized_bytes`].
    pub oversized_per_mille: u32,
    /// Length of the text that makes an event oversized.
    pub oversized_bytes: usize,
    /// Number of additional fields of each log, one per event: `new_field_0`, `new_field_1` and so
    /// on. Duo may add fields at any time.
    pub new_fields: u32,
    /// Folder in which accepted rows are appended, one per line, to `{Log-Type}_CL.ndjson`.
    pub rows_dir: Option<PathBuf>,
    /// The Logs Ingestion API: its rule, streams and limits.
    pub logs_ingestion: LogsIngestionConfig,
    /// Which clients get tokens, and how long these are valid.
    pub identity: IdentityConfig,
    /// Whether accepted rows are kept in memory in query form, for
    /// [`Simulator::table`](crate::Simulator::table).
    pub keep_tables: bool,
    /// Whether each accepted row is compared with the event it came from.
    pub verify: bool,
}

impl Default for Config {
    fn default() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the default day ends now")]
        let to = Utc::now();
        Self {
            seed: 1,
            integration_key: "DIFAKEFAKEFAKEFAKE01".to_owned(),
            secret_key: "fakefakefakefakefakefakefakefakefakefake".to_owned(),
            signed_host: "127.0.0.1".to_owned(),
            workspace_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            shared_key:
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4\
                         OTo7PD0+Pw=="
                    .to_owned(),
            duo_port: 0,
            log_analytics_port: 0,
            volumes: BTreeMap::from([
                (LogType::Authentication, 5_000),
                (LogType::Administrator, 300),
                (LogType::Telephony, 400),
                (LogType::OfflineEnrollment, 60),
                (LogType::TrustMonitor, 80),
                (LogType::Activity, 1_500),
            ]),
            from: to - TimeDelta::hours(24),
            to,
            max_limit: 1_000,
            v1_page: 1_000,
            trust_monitor_limit: 200,
            hidden: Duration::from_secs(120),
            duo_latency: Duration::ZERO,
            log_analytics_latency: Duration::ZERO,
            requests_per_minute: None,
            late_per_mille: 0,
            late_by: Duration::from_secs(20 * 60),
            oversized_per_mille: 0,
            oversized_bytes: 40_000,
            new_fields: 0,
            rows_dir: None,
            logs_ingestion: LogsIngestionConfig::default(),
            identity: IdentityConfig::default(),
            keep_tables: false,
            verify: true,
        }
    }
}

impl Config {
    /// How long events of `log` stay invisible, in milliseconds.
    ///
    /// No delay is documented for the administrator log, so it returns events up to now and the
    /// client must delay its window itself.
    pub(crate) fn hidden_milliseconds(&self, log: LogType) -> i64 {
        if log == LogType::Administrator { 0 } else { milliseconds(self.hidden) }
    }
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
