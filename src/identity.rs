//! Tokens of the identity that the settings name.

use std::sync::Arc;

use azure_core::cloud::CloudConfiguration;
use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::http::{ClientOptions, Transport as AzureTransport};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use crate::settings::{Cloud, IdentitySettings};
use crate::transport::Transport;

/// The credential that the settings name.
pub(crate) fn credential(
    settings: &IdentitySettings,
    cloud: Cloud,
    transport: &Transport,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let through = |client: reqwest::Client| ClientOptions {
        transport: Some(AzureTransport::new(Arc::new(client))),
        // `None` would take the authority from the environment.
        cloud: Some(Arc::new(match cloud {
            Cloud::Public => CloudConfiguration::AzurePublic,
            Cloud::UsGov => CloudConfiguration::AzureGovernment,
            Cloud::China => CloudConfiguration::AzureChina,
        })),
        ..ClientOptions::default()
    };
    Ok(match settings {
        IdentitySettings::Managed(client_id) => {
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                // The endpoint is on this machine or its host: a proxy could not reach it.
                client_options: through(transport.direct()),
            }))?
        }
        IdentitySettings::ClientSecret(tenant, client, secret) => {
            let options = ClientSecretCredentialOptions {
                client_options: through(transport.outside()),
            };
            let secret = AzureSecret::new(secret.expose().to_owned());
            ClientSecretCredential::new(tenant, client.clone(), secret, Some(options))?
        }
        IdentitySettings::Workload(tenant, client, file) => {
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                tenant_id: Some(tenant.clone()),
                client_id: Some(client.clone()),
                token_file_path: Some(file.clone()),
                credential_options: ClientAssertionCredentialOptions {
                    client_options: through(transport.outside()),
                },
            }))?
        }
    })
}
