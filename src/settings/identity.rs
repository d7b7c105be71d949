use std::path::PathBuf;

use reqwest::Url;

use super::catalog::{
    AUTHORITY_HOST, CLIENT_ID, CLIENT_SECRET, CLOUD, STORAGE_CLIENT_ID, STORAGE_CREDENTIAL,
    Setting, TENANT_ID, TOKEN_FILE,
};
use super::reader::Reader;
use crate::model::Secret;

/// The Azure cloud whose authority issues tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Cloud {
    #[default]
    Public,
    UsGov,
    /// Azure operated by 21Vianet.
    China,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IdentitySettings {
    /// The managed identity: user-assigned with this client ID, or system-assigned.
    Managed(Option<String>),
    /// An application with a client secret.
    ClientSecret(Box<Application>, Secret),
    /// An application with a federated token file.
    Workload(Box<Application>, PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Application {
    pub(crate) tenant: String,
    pub(crate) client: String,
    /// Token authority, if it is not that of the cloud.
    pub(crate) authority: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Identities {
    pub(super) cloud: Cloud,
    /// The identity for Blob Storage.
    pub(super) storage: IdentitySettings,
    /// The identity for everything else.
    pub(super) general: IdentitySettings,
}

/// Azure Kubernetes Service sets this together with the token file of a workload identity.
fn authority(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.optional(AUTHORITY_HOST)?;
    let host = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https"
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
    });
    let problem = format!("\"{text}\" is not of the form https://login.microsoftonline.com");
    let host = reader.valid(AUTHORITY_HOST, host, problem)?;
    Some(host.origin().ascii_serialization())
}

/// Reads the identities even if unused: an invalid setting is always an error.
pub(super) fn read(reader: &mut Reader<'_>) -> Identities {
    let cloud = reader.choice(CLOUD, [Cloud::Public, Cloud::UsGov, Cloud::China]);
    let tenant = reader.owned(TENANT_ID);
    let client = reader.owned(CLIENT_ID);
    let secret = reader.optional(CLIENT_SECRET).map(Secret::new);
    let token_file = reader.optional(TOKEN_FILE).map(PathBuf::from);
    let for_storage = reader.owned(STORAGE_CLIENT_ID);
    let managed = reader
        .optional(STORAGE_CREDENTIAL)
        .is_some_and(|credential| credential.eq_ignore_ascii_case("managedidentity"));
    let authority = authority(reader);
    for one in [CLIENT_SECRET, TOKEN_FILE] {
        for other in [TENANT_ID, CLIENT_ID] {
            needs(reader, one, other);
        }
    }
    let application = tenant.zip(client.clone());
    let application =
        application.map(|(tenant, client)| Box::new(Application { tenant, client, authority }));
    let general = match (application, secret, token_file) {
        (Some(application), Some(secret), _) => IdentitySettings::ClientSecret(application, secret),
        (Some(application), None, Some(file)) => IdentitySettings::Workload(application, file),
        _ => IdentitySettings::Managed(client.clone()),
    };
    let storage = match &general {
        IdentitySettings::ClientSecret(..) | IdentitySettings::Workload(..) if !managed => {
            general.clone()
        }
        // Without its own client ID, storage uses the system-assigned identity.
        _ => IdentitySettings::Managed(for_storage.or(client.filter(|_| !managed))),
    };
    Identities { cloud, storage, general }
}

/// An incomplete application is an error: otherwise the managed identity would be used silently.
fn needs(reader: &mut Reader<'_>, one: &Setting, other: &Setting) {
    if reader.is_set(one) && !reader.is_set(other) {
        let problem = format!("is not set, and {} is: set both, or neither", one.name);
        reader.error(other, problem);
    }
}
