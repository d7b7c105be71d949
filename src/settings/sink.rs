use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::catalog::{
    CLOUD, ENDPOINT, GZIP, LOG_ANALYTICS_URI, RULE_ID, SHARED_KEY, STREAM, TIME_GENERATED,
    WORKSPACE_ID,
};
use super::identity::{Cloud, Identities, IdentitySettings};
use super::reader::Reader;
use crate::model::{Secret, loopback};

#[derive(Clone, Debug)]
pub(crate) struct SinkSettings {
    pub(crate) ingestion: IngestionSettings,
    /// Whether `TimeGenerated` of live rows is the event time instead of the ingestion time.
    pub(crate) is_dated_by_event: bool,
}

#[derive(Clone, Debug)]
pub enum IngestionSettings {
    DataCollector(DataCollectorSettings),
    LogsIngestion(LogsIngestionSettings),
}

/// Settings of the HTTP Data Collector API.
#[derive(Clone, Debug)]
pub struct DataCollectorSettings {
    /// Scheme and host of the endpoint, without a path.
    pub(crate) origin: String,
    pub(crate) workspace_id: String,
    /// Primary or secondary key of the workspace, in Base64.
    pub(crate) shared_key: Secret,
}

#[derive(Clone, Debug)]
pub struct LogsIngestionSettings {
    pub(crate) origin: String,
    pub(crate) rule_id: String,
    pub(crate) stream: String,
    pub(crate) gzip: bool,
    pub(crate) identity: (IdentitySettings, Cloud),
}

impl SinkSettings {
    /// Identifies the destination without naming it.
    pub(crate) fn fingerprint(&self) -> String {
        let destination = match &self.ingestion {
            IngestionSettings::DataCollector(to) => format!("{}\n{}", to.origin, to.workspace_id),
            IngestionSettings::LogsIngestion(to) => {
                format!("{}\n{}\n{}", to.origin, to.rule_id, to.stream)
            }
        };
        hex::encode(&Sha256::digest(destination)[..8])
    }
}

pub(super) fn read(reader: &mut Reader<'_>, identities: &Identities) -> Option<SinkSettings> {
    let is_dated_by_event = reader.choice(TIME_GENERATED, [false, true]);
    // Read even if unused: an invalid setting is always an error.
    let gzip = reader.choice(GZIP, [true, false]);
    let stream = reader.form(STREAM);
    let ingestion = if reader.is_set(ENDPOINT) || reader.is_set(RULE_ID) {
        let origin = ingestion_endpoint(reader, identities.cloud);
        let rule_id = reader.form(RULE_ID);
        IngestionSettings::LogsIngestion(LogsIngestionSettings {
            origin: origin?,
            rule_id: rule_id?.to_ascii_lowercase(),
            stream: stream?.to_owned(),
            gzip,
            identity: (identities.general.clone(), identities.cloud),
        })
    } else {
        let workspace_id = reader.form(WORKSPACE_ID);
        let workspace_id = workspace_id.map(str::to_ascii_lowercase);
        let shared_key = shared_key(reader);
        let origin = endpoint(reader, workspace_id.as_deref());
        IngestionSettings::DataCollector(DataCollectorSettings {
            origin: origin?,
            workspace_id: workspace_id?,
            shared_key: shared_key?,
        })
    };
    Some(SinkSettings { ingestion, is_dated_by_event })
}

/// Host suffixes by cloud. The full name is read from the rule, never constructed.
const INGESTION_HOSTS: [(&str, Cloud); 3] = [
    (".ingest.monitor.azure.com", Cloud::Public),
    (".ingest.monitor.azure.us", Cloud::UsGov),
    (".ingest.monitor.azure.cn", Cloud::China),
];

fn ingestion_endpoint(reader: &mut Reader<'_>, cloud: Cloud) -> Option<String> {
    let text = reader.required(ENDPOINT)?;
    let lower = text.to_ascii_lowercase();
    if let Some(loopback) = loopback(&lower) {
        return Some(loopback.origin().ascii_serialization());
    }
    let named = host_of(&lower).and_then(|host| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let (name, of) =
            INGESTION_HOSTS.iter().find_map(|(end, of)| Some((host.strip_suffix(end)?, *of)))?;
        (!name.is_empty() && name.bytes().all(allowed)).then_some((host, of))
    });
    let problem = format!(
        "\"{text}\" is not of the form https://NAME.REGION.ingest.monitor.azure.com (or .us, .cn)"
    );
    let (host, of) = reader.valid(ENDPOINT, named, problem)?;
    if of != cloud {
        let problem = format!(
            "is {cloud}, but {} is in {of}, which refuses tokens of other clouds; set it to {of}",
            ENDPOINT.name
        );
        reader.error(CLOUD, problem);
    }
    Some(format!("https://{host}"))
}

fn shared_key(reader: &mut Reader<'_>) -> Option<Secret> {
    let text = reader.required(SHARED_KEY)?;
    let is_valid = STANDARD.decode(text).is_ok_and(|key| key.len() >= 16);
    reader.valid(
        SHARED_KEY,
        is_valid.then(|| Secret::new(text)),
        "is not a workspace key (Base64 of 64 bytes); copy it again, up to the final ==",
    )
}

fn endpoint(reader: &mut Reader<'_>, workspace_id: Option<&str>) -> Option<String> {
    let Some(text) = reader.optional(LOG_ANALYTICS_URI) else {
        return workspace_id.map(|id| format!("https://{id}.ods.opinsights.azure.com"));
    };
    let lower = text.to_ascii_lowercase();
    if let Some(loopback) = loopback(&lower) {
        return Some(loopback.origin().ascii_serialization());
    }
    let host = host_of(&lower);
    let parts = host.and_then(|host| host.split_once(".ods.opinsights.azure."));
    let id = parts.and_then(|(id, end)| matches!(end, "com" | "us" | "cn").then_some(id));
    let problem = format!(
        "\"{text}\" is not of the form https://WORKSPACE_ID.ods.opinsights.azure.us (or .com, .cn)"
    );
    let id = reader.valid(LOG_ANALYTICS_URI, id, problem)?;
    let expected = workspace_id.unwrap_or(id);
    let problem = format!("names the workspace \"{id}\", but WORKSPACE_ID is \"{expected}\"");
    let valid_uri = (id == expected).then(|| lower.trim_end_matches('/').to_owned());
    reader.valid(LOG_ANALYTICS_URI, valid_uri, problem)
}

/// The host of an HTTPS URL without a path.
fn host_of(address: &str) -> Option<&str> {
    Some(address.strip_prefix("https://")?.trim_end_matches('/'))
}
