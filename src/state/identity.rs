//! Tokens for Blob Storage.

use std::sync::Arc;

use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::http::{ClientOptions, Transport as AzureTransport};
use azure_identity::{
    ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};

use crate::settings::IdentitySettings;
use crate::transport::Transport;

/// The credential that the settings name.
pub(super) fn credential(
    settings: &IdentitySettings,
    transport: &Transport,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let through = |client: reqwest::Client| ClientOptions {
        transport: Some(AzureTransport::new(Arc::new(client))),
        ..ClientOptions::default()
    };
    Ok(match settings {
        IdentitySettings::Managed(client_id) => {
            let mut options = ManagedIdentityCredentialOptions::default();
            options.user_assigned_id = client_id.clone().map(UserAssignedId::ClientId);
            // The endpoint is on this machine or its host: a proxy could not reach it.
            options.client_options = through(transport.direct());
            ManagedIdentityCredential::new(Some(options))?
        }
        IdentitySettings::ClientSecret(tenant, client, secret) => {
            let mut options = ClientSecretCredentialOptions::default();
            options.client_options = through(transport.outside());
            let secret = AzureSecret::new(secret.expose().to_owned());
            ClientSecretCredential::new(tenant, client.clone(), secret, Some(options))?
        }
        IdentitySettings::Workload(tenant, client, file) => {
            let mut options = WorkloadIdentityCredentialOptions::default();
            options.tenant_id = Some(tenant.clone());
            options.client_id = Some(client.clone());
            options.token_file_path = Some(file.clone());
            options.credential_options.client_options = through(transport.outside());
            WorkloadIdentityCredential::new(Some(options))?
        }
    })
}
