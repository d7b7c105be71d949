//! Credentials for Microsoft Entra ID, built from the identity settings.

mod response;

use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::http::{ClientOptions, Transport as AzureTransport};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use crate::http::Transport;
use crate::settings::{Cloud, IdentitySettings};
pub(crate) use response::UnusableResponse;
use response::{Endpoint, ResponsePolicy};

pub(crate) fn credential(
    settings: &IdentitySettings,
    cloud: Cloud,
    transport: &Transport,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let options = |endpoint, client: reqwest::Client, authority: Option<&String>| ClientOptions {
        per_call_policies: vec![Arc::new(ResponsePolicy(endpoint))],
        transport: Some(AzureTransport::new(Arc::new(client))),
        // `None` would read the authority from the environment instead of the settings.
        cloud: Some(Arc::new(match (authority, cloud) {
            (Some(authority), _) => {
                let mut custom = CustomConfiguration::default();
                custom.authority_host.clone_from(authority);
                custom.into()
            }
            (None, Cloud::Public) => CloudConfiguration::AzurePublic,
            (None, Cloud::UsGov) => CloudConfiguration::AzureGovernment,
            (None, Cloud::China) => CloudConfiguration::AzureChina,
        })),
        ..ClientOptions::default()
    };
    Ok(match settings {
        IdentitySettings::Managed(client_id) => {
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                // The endpoint is on this machine or its host, where a proxy cannot reach it.
                client_options: options(Endpoint::ManagedIdentity, transport.direct.clone(), None),
            }))?
        }
        IdentitySettings::ClientSecret(application, secret) => {
            let options = ClientSecretCredentialOptions {
                client_options: options(
                    Endpoint::Entra,
                    transport.outside.clone(),
                    application.authority.as_ref(),
                ),
            };
            let secret = AzureSecret::new(secret.expose().to_owned());
            let client = application.client.clone();
            ClientSecretCredential::new(&application.tenant, client, secret, Some(options))?
        }
        IdentitySettings::Workload(application, file) => {
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                tenant_id: Some(application.tenant.clone()),
                client_id: Some(application.client.clone()),
                token_file_path: Some(file.clone()),
                credential_options: ClientAssertionCredentialOptions {
                    client_options: options(
                        Endpoint::Entra,
                        transport.outside.clone(),
                        application.authority.as_ref(),
                    ),
                },
            }))?
        }
    })
}
