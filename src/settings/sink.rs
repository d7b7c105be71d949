//! The settings about where rows go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use sha2::{Digest as _, Sha256};

use super::reader::Reader;
use crate::model::Secret;
use crate::transport::loopback;

/// The workspace behind the HTTP Data Collector API.
#[derive(Clone, Debug)]
pub struct DataCollectorSettings {
    /// Scheme and host of the endpoint, without a path.
    pub origin: String,
    /// ID of the workspace.
    pub workspace_id: String,
    /// Primary or secondary key of the workspace, in Base64.
    pub shared_key: Secret,
    /// What becomes `TimeGenerated`.
    pub time_generated: TimeGenerated,
}

impl DataCollectorSettings {
    /// Tells this destination from another one without naming it.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(format!("{}\n{}", self.origin, self.workspace_id));
        hex::encode(&hash[..8])
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

pub(super) fn read(reader: &mut Reader<'_>) -> Option<DataCollectorSettings> {
    let workspace_id = workspace_id(reader);
    let shared_key = shared_key(reader);
    let origin = endpoint(reader, workspace_id.as_deref());
    let choices = [
        ("ingestion", TimeGenerated::Ingestion),
        ("event", TimeGenerated::Event),
    ];
    let time_generated = reader.choice(
        "CISCO_DUO_TIME_GENERATED",
        &choices,
        TimeGenerated::Ingestion,
    );
    Some(DataCollectorSettings {
        origin: origin?,
        workspace_id: workspace_id?,
        shared_key: shared_key?,
        time_generated,
    })
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
