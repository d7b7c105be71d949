//! The settings about identities: who asks for tokens, and where.

use std::path::PathBuf;

use reqwest::Url;

use super::reader::Reader;
use crate::model::Secret;

/// The Azure cloud whose authority gives tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    /// Azure.
    #[default]
    Public,
    /// Azure US Government.
    UsGov,
    /// Azure operated by 21Vianet.
    China,
}

impl Cloud {
    const ALL: [Self; 3] = [Self::Public, Self::UsGov, Self::China];

    /// Its name as a setting.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGov => "usgov",
            Self::China => "china",
        }
    }
}

/// Which identity asks for tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySettings {
    /// The identity of the function app: the user-assigned one with this client ID, or the system-assigned one.
    Managed(Option<String>),
    /// An application with a secret.
    ClientSecret(Box<Application>, Secret),
    /// An application with a federated token in a file.
    Workload(Box<Application>, PathBuf),
}

impl IdentitySettings {
    /// Who it is, in words and without its secret.
    pub fn about(&self) -> String {
        match self {
            Self::Managed(None) => "the system-assigned identity of the function app".to_owned(),
            Self::Managed(Some(client)) => format!("the user-assigned identity {client}"),
            Self::ClientSecret(application, _) => {
                format!("the application {} with a secret", application.client)
            }
            Self::Workload(application, _) => {
                format!(
                    "the application {} with a federated token",
                    application.client
                )
            }
        }
    }
}

/// An application that is registered with Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// ID of its tenant.
    pub tenant: String,
    /// Its client ID.
    pub client: String,
    /// Who gives its tokens, where that is not the authority of the cloud.
    pub authority: Option<String>,
}

/// The identities that the settings name.
#[derive(Clone, Debug)]
pub(super) struct Identities {
    pub(super) cloud: Cloud,
    /// The one for Blob Storage.
    pub(super) storage: IdentitySettings,
    /// The one for everything else.
    pub(super) general: IdentitySettings,
}

/// Azure Kubernetes Service sets it beside the token file of a workload identity.
fn authority(reader: &mut Reader<'_>) -> Option<String> {
    const NAME: &str = "AZURE_AUTHORITY_HOST";
    let text = reader.optional(NAME)?;
    let host = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https"
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
    });
    if host.is_none() {
        reader.fault(
            NAME,
            format!("\"{text}\" is not of the form https://login.microsoftonline.com"),
        );
    }
    host.map(|url| url.origin().ascii_serialization())
}

/// Reads them; they are read also where they are not needed, because whoever sets them means something.
pub(super) fn read(reader: &mut Reader<'_>) -> Identities {
    let choices = Cloud::ALL.map(|cloud| (cloud.name(), cloud));
    let cloud = reader.choice("CISCO_DUO_CLOUD", &choices, Cloud::Public);
    let tenant = reader.optional("AZURE_TENANT_ID").map(str::to_owned);
    let client = reader.optional("AZURE_CLIENT_ID").map(str::to_owned);
    let secret = reader.optional("AZURE_CLIENT_SECRET").map(Secret::new);
    let token_file = reader
        .optional("AZURE_FEDERATED_TOKEN_FILE")
        .map(PathBuf::from);
    let for_storage = reader
        .optional("AzureWebJobsStorage__clientId")
        .map(str::to_owned);
    let managed = reader
        .optional("AzureWebJobsStorage__credential")
        .is_some_and(|credential| credential.eq_ignore_ascii_case("managedidentity"));
    let authority = authority(reader);
    for (name, is_set) in [
        ("AZURE_CLIENT_SECRET", secret.is_some()),
        ("AZURE_FEDERATED_TOKEN_FILE", token_file.is_some()),
    ] {
        for (needed, is_there) in [
            ("AZURE_TENANT_ID", tenant.is_some()),
            ("AZURE_CLIENT_ID", client.is_some()),
        ] {
            if is_set && !is_there {
                // Or the identity of the function app would be used without a word.
                reader.fault(
                    needed,
                    format!("is not set, and {name} is: set both, or neither"),
                );
            }
        }
    }
    let application = tenant.zip(client.clone());
    let application = application.map(|(tenant, client)| {
        Box::new(Application {
            tenant,
            client,
            authority,
        })
    });
    let general = match (application, secret, token_file) {
        (Some(application), Some(secret), _) => IdentitySettings::ClientSecret(application, secret),
        (Some(application), None, Some(file)) => IdentitySettings::Workload(application, file),
        _ => IdentitySettings::Managed(client.clone()),
    };
    let storage = match &general {
        IdentitySettings::ClientSecret(..) | IdentitySettings::Workload(..) if !managed => {
            general.clone()
        }
        // Without a client ID of its own, storage is reached by the system-assigned identity.
        _ => IdentitySettings::Managed(for_storage.or(client.filter(|_| !managed))),
    };
    Identities {
        cloud,
        storage,
        general,
    }
}
