//! The settings about where state lives.
//!
//! Forms of `AzureWebJobsStorage`: <https://learn.microsoft.com/azure/azure-functions/functions-reference#connections>,
//! connection strings: <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::identity::{Cloud, Identities, IdentitySettings};
use super::reader::Reader;
use crate::model::Secret;

/// Where state lives.
#[derive(Clone, Debug)]
pub enum StateSettings {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A blob container.
    Blob(BlobSettings),
}

/// A blob container and how it is reached.
#[derive(Clone, Debug)]
pub struct BlobSettings {
    /// Blob endpoint of the account, without a final slash.
    pub service_url: Url,
    /// Name of the container.
    pub container: String,
    /// Name of the container for dead letters, another one.
    pub dead_letter_container: String,
    /// How requests are authorised.
    pub access: BlobAccess,
}

/// How requests to Blob Storage are authorised.
#[derive(Clone, Debug)]
pub enum BlobAccess {
    /// The account's name and Base64 key.
    AccountKey(String, Secret),
    /// A shared access signature, without the question mark.
    SharedAccessSignature(Secret),
    /// A token of an identity of this cloud.
    Identity(IdentitySettings, Cloud),
}

const STORAGE: &str = "AzureWebJobsStorage";
const SERVICE_URI: &str = "AzureWebJobsStorage__blobServiceUri";
const ACCOUNT_NAME: &str = "AzureWebJobsStorage__accountName";
const CONTAINER: &str = "CISCO_DUO_CONTAINER";
const DEAD_LETTER_CONTAINER: &str = "CISCO_DUO_DEAD_LETTER_CONTAINER";

/// Azurite's account; its key is published: <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>.
const DEVELOPMENT_ACCOUNT: &str = "devstoreaccount1";
const DEVELOPMENT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const DEVELOPMENT_ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";

pub(super) fn read(reader: &mut Reader<'_>, identities: &Identities) -> Option<StateSettings> {
    // Read also where they are not needed: whoever sets them means something.
    let state = container(reader, CONTAINER, "cisco-duo");
    let dead_letters = container(reader, DEAD_LETTER_CONTAINER, "cisco-duo-dead-letter");
    if state.is_some() && state == dead_letters {
        // What removes old dead letters would remove the places of the logs with them.
        let problem =
            format!("names the container of {CONTAINER}; give dead letters one of their own");
        reader.fault(DEAD_LETTER_CONTAINER, problem);
    }
    if let Some(folder) = reader.optional("CISCO_DUO_STATE_DIR") {
        return Some(StateSettings::Folder(folder.into()));
    }
    // A connection string wins over an identity, as in the Functions host.
    let (service_url, access) = if let Some(text) = reader.optional(STORAGE) {
        let read = connection_string(text);
        read.map_err(|problem| reader.fault(STORAGE, problem))
            .ok()?
    } else {
        let url = identity_endpoint(reader);
        let access = BlobAccess::Identity(identities.storage.clone(), identities.cloud);
        (url?, access)
    };
    Some(StateSettings::Blob(BlobSettings {
        service_url,
        container: state?,
        dead_letter_container: dead_letters?,
        access,
    }))
}

fn container(
    reader: &mut Reader<'_>,
    setting: &'static str,
    default: &'static str,
) -> Option<String> {
    let name = reader.optional(setting).unwrap_or(default);
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well_formed = (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    if !well_formed {
        reader.fault(
            setting,
            format!("\"{name}\" is not a container name: 3 to 63 lower-case letters, digits and single hyphens"),
        );
        return None;
    }
    Some(name.to_owned())
}

fn identity_endpoint(reader: &mut Reader<'_>) -> Option<Url> {
    if let Some(text) = reader.optional(SERVICE_URI) {
        let url = endpoint(text).filter(|url| url.scheme() == "https");
        if url.is_none() {
            reader.fault(
                SERVICE_URI,
                "is not of the form https://ACCOUNT.blob.core.windows.net, with nothing behind it",
            );
        }
        return url;
    }
    if let Some(name) = reader.optional(ACCOUNT_NAME) {
        let url = account_url(name, "https", "core.windows.net");
        if url.is_none() {
            reader.fault(
                ACCOUNT_NAME,
                "is not a storage account name: 3 to 24 lower-case letters and digits",
            );
        }
        return url;
    }
    if reader.environment.get(STORAGE).is_none() && reader.environment.get(SERVICE_URI).is_none() {
        reader.fault(
            STORAGE,
            "is not set; give a connection string, or AzureWebJobsStorage__blobServiceUri for an identity, or \
             CISCO_DUO_STATE_DIR for a local folder",
        );
    }
    None
}

/// Reads a connection string; the error never shows a part of it.
fn connection_string(text: &str) -> Result<(Url, BlobAccess), String> {
    let mut parts = BTreeMap::new();
    for part in text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        // Keys and signatures contain the sign themselves: only the first one separates.
        let Some((name, value)) = part.split_once('=') else {
            return Err("is not a connection string: a part of it has no \"=\"; copy it again from the storage \
                        account's page \"Access keys\""
                .to_owned());
        };
        parts.insert(name.trim().to_ascii_lowercase(), value.trim());
    }
    let part = |name: &str| parts.get(name).copied().filter(|value| !value.is_empty());
    if part("usedevelopmentstorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        let url = Url::parse(DEVELOPMENT_ENDPOINT).expect("a constant");
        let access =
            BlobAccess::AccountKey(DEVELOPMENT_ACCOUNT.to_owned(), Secret::new(DEVELOPMENT_KEY));
        return Ok((url, access));
    }
    let account = part("accountname");
    let url = match (part("blobendpoint"), account) {
        (Some(url), _) => endpoint(url).ok_or("has a BlobEndpoint that is not a bare URL")?,
        (None, Some(account)) => {
            let scheme = part("defaultendpointsprotocol").unwrap_or("https");
            account_url(
                account,
                scheme,
                part("endpointsuffix").unwrap_or("core.windows.net"),
            )
            .ok_or("has an AccountName that is not one: 3 to 24 lower-case letters and digits")?
        }
        (None, None) => {
            return Err("names no account: AccountName or BlobEndpoint is missing".to_owned());
        }
    };
    let access = match (part("accountkey"), part("sharedaccesssignature"), account) {
        (Some(key), _, Some(account)) => {
            if STANDARD.decode(key).is_err() {
                return Err(
                    "has an AccountKey that is not Base64; copy it again, up to the final =="
                        .to_owned(),
                );
            }
            BlobAccess::AccountKey(account.to_owned(), Secret::new(key))
        }
        (Some(_), _, None) => return Err("has an AccountKey but no AccountName".to_owned()),
        (None, Some(signature), _) => {
            BlobAccess::SharedAccessSignature(Secret::new(signature.trim_start_matches('?')))
        }
        (None, None, _) => {
            return Err("has neither AccountKey nor SharedAccessSignature".to_owned());
        }
    };
    Ok((url, access))
}

fn account_url(name: &str, scheme: &str, suffix: &str) -> Option<Url> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let well_formed = (3..=24).contains(&name.len()) && name.bytes().all(allowed);
    well_formed
        .then(|| endpoint(&format!("{scheme}://{name}.blob.{suffix}")))
        .flatten()
}

/// A blob endpoint without the final slash, which would make the container's name begin with one. One that carries a
/// signature or a password is refused: an endpoint is shown in messages.
fn endpoint(text: &str) -> Option<Url> {
    let mut url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.host()?;
    let is_bare = url.query().is_none() && url.username().is_empty() && url.password().is_none();
    if !is_bare {
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}
