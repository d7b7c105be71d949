//! The settings about where rows go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use sha2::{Digest as _, Sha256};

use super::identity::{Cloud, Identities, IdentitySettings};
use super::reader::Reader;
use crate::http::loopback;
use crate::model::Secret;

/// Where rows go.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// The API that takes them.
    pub ingestion: IngestionSettings,
    /// What becomes `TimeGenerated`.
    pub time_generated: TimeGenerated,
}

/// The API that takes rows, and what it is told.
#[derive(Clone, Debug)]
pub enum IngestionSettings {
    /// The HTTP Data Collector API.
    DataCollector(DataCollectorSettings),
    /// The Logs Ingestion API.
    LogsIngestion(LogsIngestionSettings),
}

/// The workspace behind the HTTP Data Collector API.
#[derive(Clone, Debug)]
pub struct DataCollectorSettings {
    /// Scheme and host of the endpoint, without a path.
    pub origin: String,
    /// ID of the workspace.
    pub workspace_id: String,
    /// Primary or secondary key of the workspace, in Base64.
    pub shared_key: Secret,
}

/// The data collection rule behind the Logs Ingestion API.
#[derive(Clone, Debug)]
pub struct LogsIngestionSettings {
    /// Scheme and host of the endpoint, without a path.
    pub origin: String,
    /// Immutable ID of the rule.
    pub rule_id: String,
    /// Stream of the rule that rows go to.
    pub stream: String,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// Who asks for tokens, and where.
    pub identity: (IdentitySettings, Cloud),
}

impl SinkSettings {
    /// Tells this destination from another one without naming it.
    pub fn fingerprint(&self) -> String {
        let destination = match &self.ingestion {
            IngestionSettings::DataCollector(DataCollectorSettings {
                origin,
                workspace_id,
                ..
            }) => format!("{origin}\n{workspace_id}"),
            IngestionSettings::LogsIngestion(LogsIngestionSettings {
                origin,
                rule_id,
                stream,
                ..
            }) => format!("{origin}\n{rule_id}\n{stream}"),
        };
        hex::encode(&Sha256::digest(destination)[..8])
    }
}

/// What becomes `TimeGenerated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeGenerated {
    /// The time at which the service takes the row in, as the older connectors have it.
    #[default]
    Ingestion,
    /// The event's own time, for rows sent in their turn.
    Event,
}

const URI: &str = "logAnalyticsUri";
const ENDPOINT: &str = "LOGS_INGESTION_ENDPOINT";
const RULE_ID: &str = "LOGS_INGESTION_RULE_ID";
const STREAM: &str = "LOGS_INGESTION_STREAM";

pub(super) fn read(reader: &mut Reader<'_>, identities: &Identities) -> Option<SinkSettings> {
    let choices = [
        ("ingestion", TimeGenerated::Ingestion),
        ("event", TimeGenerated::Event),
    ];
    let time_generated = reader.choice(
        "CISCO_DUO_TIME_GENERATED",
        &choices,
        TimeGenerated::Ingestion,
    );
    let switch = [("on", true), ("off", false)];
    let gzip = reader.choice("LOGS_INGESTION_GZIP", &switch, true);
    let stream = stream(reader);
    let names_rule = [ENDPOINT, RULE_ID]
        .iter()
        .any(|name| reader.environment.get(name).is_some());
    let ingestion = if names_rule {
        let origin = ingestion_endpoint(reader, identities.cloud);
        let rule_id = rule_id(reader);
        IngestionSettings::LogsIngestion(LogsIngestionSettings {
            origin: origin?,
            rule_id: rule_id?,
            stream: stream?,
            gzip,
            identity: (identities.general.clone(), identities.cloud),
        })
    } else {
        let workspace_id = workspace_id(reader);
        let shared_key = shared_key(reader);
        let origin = endpoint(reader, workspace_id.as_deref());
        IngestionSettings::DataCollector(DataCollectorSettings {
            origin: origin?,
            workspace_id: workspace_id?,
            shared_key: shared_key?,
        })
    };
    Some(SinkSettings {
        ingestion,
        time_generated,
    })
}

/// Every cloud has its own end of the host's name; the rest is read from the rule, never built.
const INGESTION_HOSTS: [(&str, Cloud); 3] = [
    (".ingest.monitor.azure.com", Cloud::Public),
    (".ingest.monitor.azure.us", Cloud::UsGov),
    (".ingest.monitor.azure.cn", Cloud::China),
];

fn ingestion_endpoint(reader: &mut Reader<'_>, cloud: Cloud) -> Option<String> {
    let text = reader.required(
        ENDPOINT,
        "copy the logs ingestion endpoint of the data collection rule (JSON view: endpoints.logsIngestion)",
    )?;
    let lower = text.to_ascii_lowercase();
    if let Some(loopback) = loopback(&lower) {
        return Some(origin(&loopback));
    }
    let host = lower
        .strip_prefix("https://")
        .map(|rest| rest.trim_end_matches('/'));
    let named = host.and_then(|host| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let (name, of) = INGESTION_HOSTS
            .iter()
            .find_map(|(end, of)| Some((host.strip_suffix(end)?, *of)))?;
        (!name.is_empty() && name.bytes().all(allowed)).then_some((host, of))
    });
    let Some((host, of)) = named else {
        reader.fault(
            ENDPOINT,
            format!("\"{text}\" is not of the form https://NAME.REGION.ingest.monitor.azure.com (or .us, .cn)"),
        );
        return None;
    };
    if of != cloud {
        let (here, there) = (cloud.name(), of.name());
        reader.fault(
            "CISCO_DUO_CLOUD",
            format!("is {here}, but {ENDPOINT} is of {there}: its tokens would be refused; set it to {there}"),
        );
    }
    Some(format!("https://{host}"))
}

fn rule_id(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.required(
        RULE_ID,
        "copy the immutable ID of the data collection rule (JSON view: immutableId)",
    )?;
    let digits = text.strip_prefix("dcr-").unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(text.to_ascii_lowercase());
    }
    reader.fault(
        RULE_ID,
        "is not of the form dcr- and 32 hexadecimal digits; copy the immutable ID, not the name, of the rule",
    );
    None
}

fn stream(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.optional(STREAM).unwrap_or("Custom-CiscoDuo");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let name = text.strip_prefix("Custom-").unwrap_or_default();
    if !name.is_empty() && name.bytes().all(allowed) {
        return Some(text.to_owned());
    }
    reader.fault(
        STREAM,
        format!("\"{text}\" is not of the form Custom-NAME, as in streamDeclarations of the rule"),
    );
    None
}

fn workspace_id(reader: &mut Reader<'_>) -> Option<String> {
    const NAME: &str = "WORKSPACE_ID";
    let text = reader.required(NAME, "copy the workspace ID of the Log Analytics workspace")?;
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let digits = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if groups == [8, 4, 4, 4, 12] && digits {
        return Some(text.to_ascii_lowercase());
    }
    reader.fault(
        NAME,
        "is not of the form 00000000-0000-0000-0000-000000000000; copy the ID, not the name, of the workspace",
    );
    None
}

fn shared_key(reader: &mut Reader<'_>) -> Option<Secret> {
    const NAME: &str = "SHARED_KEY";
    let text = reader.required(NAME, "copy the primary key of the Log Analytics workspace")?;
    if STANDARD.decode(text).is_ok_and(|key| key.len() >= 16) {
        return Some(Secret::new(text));
    }
    reader.fault(
        NAME,
        "is not a workspace key (Base64 of 64 bytes); copy it again, up to the final ==",
    );
    None
}

fn endpoint(reader: &mut Reader<'_>, workspace_id: Option<&str>) -> Option<String> {
    let Some(text) = reader.optional(URI) else {
        return workspace_id.map(|id| format!("https://{id}.ods.opinsights.azure.com"));
    };
    let lower = text.to_ascii_lowercase();
    if let Some(loopback) = loopback(&lower) {
        return Some(origin(&loopback));
    }
    let host = lower
        .strip_prefix("https://")
        .map(|rest| rest.trim_end_matches('/'));
    let parts = host.and_then(|host| host.split_once(".ods.opinsights.azure."));
    let Some((id, "com" | "us" | "cn")) = parts else {
        reader.fault(
            URI,
            format!("\"{text}\" is not of the form https://WORKSPACE_ID.ods.opinsights.azure.us (or .com, .cn)"),
        );
        return None;
    };
    if let Some(workspace_id) = workspace_id
        && id != workspace_id
    {
        reader.fault(
            URI,
            format!("names the workspace \"{id}\", but WORKSPACE_ID is \"{workspace_id}\""),
        );
        return None;
    }
    Some(lower.trim_end_matches('/').to_owned())
}

pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
