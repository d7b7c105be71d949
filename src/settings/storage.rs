//! The settings of state storage.
//!
//! Formats of `AzureWebJobsStorage`:
//! <https://learn.microsoft.com/azure/azure-functions/functions-reference#connections>, connection
//! strings: <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::catalog::{
    ACCOUNT_NAME, CONTAINER, DEAD_LETTER_CONTAINER, SERVICE_URI, STATE_DIR, STORAGE,
};
use super::identity::{Cloud, Identities, IdentitySettings};
use super::reader::{Reader, parts};
use crate::model::Secret;

/// Where state is stored.
#[derive(Clone, Debug)]
pub enum StateSettings {
    /// A local folder.
    Folder(PathBuf),
    /// A blob container.
    Blob(BlobSettings),
}

#[derive(Clone, Debug)]
pub struct BlobSettings {
    /// Blob endpoint of the account, without a final slash.
    pub(crate) service_url: Url,
    pub(crate) container: String,
    /// Always differs from `container`.
    pub(crate) dead_letter_container: String,
    pub(crate) access: BlobAccess,
}

#[derive(Clone, Debug)]
pub(crate) enum BlobAccess {
    /// The account's name and Base64 key.
    AccountKey(String, Secret),
    /// A shared access signature, without the question mark.
    SharedAccessSignature(Secret),
    Identity(IdentitySettings, Cloud),
}

/// Azurite's account; its key is published: <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>.
const DEVELOPMENT_ACCOUNT: &str = "devstoreaccount1";
const DEVELOPMENT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const DEVELOPMENT_ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";

pub(super) fn read(reader: &mut Reader<'_>, identities: &Identities) -> Option<StateSettings> {
    // Read even if unused: an invalid setting is always an error.
    let state = reader.form(CONTAINER);
    let dead_letters = reader.form(DEAD_LETTER_CONTAINER);
    if state.is_some() && state == dead_letters {
        // A lifecycle rule for dead letters would also delete the checkpoints.
        let other = CONTAINER.name;
        let problem = format!("names the container of {other}; use a separate container");
        reader.error(DEAD_LETTER_CONTAINER, problem);
    }
    if let Some(folder) = reader.optional(STATE_DIR) {
        return Some(StateSettings::Folder(folder.into()));
    }
    // A connection string takes precedence over an identity, as in the Functions host.
    let (service_url, access) = if let Some(text) = reader.optional(STORAGE) {
        let read = connection_string(text);
        read.map_err(|problem| reader.error(STORAGE, problem)).ok()?
    } else {
        let url = identity_endpoint(reader);
        let access = BlobAccess::Identity(identities.storage.clone(), identities.cloud);
        (url?, access)
    };
    Some(StateSettings::Blob(BlobSettings {
        service_url,
        container: state?.to_owned(),
        dead_letter_container: dead_letters?.to_owned(),
        access,
    }))
}

fn identity_endpoint(reader: &mut Reader<'_>) -> Option<Url> {
    if let Some(text) = reader.optional(SERVICE_URI) {
        return reader.valid(
            SERVICE_URI,
            endpoint(text).filter(|url| url.scheme() == "https"),
            "is not of the form https://ACCOUNT.blob.core.windows.net, without a path",
        );
    }
    if let Some(name) = reader.optional(ACCOUNT_NAME) {
        return reader.valid(
            ACCOUNT_NAME,
            account_url(name, "https", "core.windows.net"),
            "is not a storage account name: 3 to 24 lower-case letters and digits",
        );
    }
    if !reader.is_set(SERVICE_URI) && !reader.is_set(STORAGE) {
        reader.required(STORAGE);
    }
    None
}

/// Parses a connection string; the error never quotes it.
fn connection_string(text: &str) -> Result<(Url, BlobAccess), &'static str> {
    const NO_PART: &str = "is not a connection string: a part of it has no \"=\"; copy it again from the storage account's page \
                           \"Access keys\"";
    let mut values = BTreeMap::new();
    for part in parts(text, ';') {
        // Only the first "=" separates: keys and signatures may contain it.
        let (name, value) = part.split_once('=').ok_or(NO_PART)?;
        values.insert(name.trim().to_ascii_lowercase(), value.trim());
    }
    let part = |name: &str| values.get(name).copied().filter(|value| !value.is_empty());
    if part("usedevelopmentstorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        let (account, key) = (DEVELOPMENT_ACCOUNT.to_owned(), Secret::new(DEVELOPMENT_KEY));
        let url = Url::parse(DEVELOPMENT_ENDPOINT).expect("a constant");
        return Ok((url, BlobAccess::AccountKey(account, key)));
    }
    let account = part("accountname");
    let url = match (part("blobendpoint"), account) {
        (Some(url), _) => endpoint(url).ok_or("has a BlobEndpoint that is not a bare URL")?,
        (None, Some(account)) => {
            let scheme = part("defaultendpointsprotocol").unwrap_or("https");
            let suffix = part("endpointsuffix").unwrap_or("core.windows.net");
            account_url(account, scheme, suffix)
                .ok_or("has an invalid AccountName: use 3 to 24 lower-case letters and digits")?
        }
        (None, None) => return Err("names no account: AccountName or BlobEndpoint is missing"),
    };
    let access = match (part("accountkey"), part("sharedaccesssignature"), account) {
        (Some(key), _, Some(_)) if STANDARD.decode(key).is_err() => {
            return Err("has an AccountKey that is not Base64; copy it again, up to the final ==");
        }
        (Some(key), _, Some(account)) => {
            BlobAccess::AccountKey(account.to_owned(), Secret::new(key))
        }
        (Some(_), _, None) => return Err("has an AccountKey but no AccountName"),
        (None, Some(signature), _) => {
            BlobAccess::SharedAccessSignature(Secret::new(signature.trim_start_matches('?')))
        }
        (None, None, _) => return Err("has neither AccountKey nor SharedAccessSignature"),
    };
    Ok((url, access))
}

fn account_url(name: &str, scheme: &str, suffix: &str) -> Option<Url> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !(3..=24).contains(&name.len()) || !name.bytes().all(allowed) {
        return None;
    }
    endpoint(&format!("{scheme}://{name}.blob.{suffix}"))
}

/// Parses a blob endpoint and removes the final slash, which would become part of the container
/// name. An endpoint with a signature or password is refused, because it appears in messages.
fn endpoint(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    url.host()?;
    let is_bare = url.query().is_none() && url.username().is_empty() && url.password().is_none();
    if !is_bare || !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}
