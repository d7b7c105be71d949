//! Configuration of identities.

use std::time::Duration;

/// The identities of the simulated tenant, and the lifetime of their tokens.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// Port on 127.0.0.1; 0 selects a free port.
    pub port: u16,
    /// Expected `x-identity-header`: the setting `IDENTITY_HEADER` of the function app.
    pub header: String,
    /// Client ID of the managed identity, a GUID; the default of a request without `client_id`.
    pub managed_client_id: String,
    /// Directory (tenant) ID, a GUID, in the URL of the Entra token endpoint.
    pub tenant_id: String,
    /// Client ID of the app registration, a GUID.
    pub client_id: String,
    /// Client secret of the app registration.
    pub client_secret: String,
    /// The federated token of the app registration (workload identity).
    pub federated_token: String,
    /// Lifetime of a token.
    pub token_lifetime: Duration,
    /// The form of the managed identity's responses.
    pub managed_form: ManagedForm,
}

/// The form of a managed identity's response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManagedForm {
    /// As documented: `expires_on` is a text with Unix seconds.
    #[default]
    Documented,
    /// `expires_on` is a number.
    Number,
    /// `expires_on` is a date, as App Service on Linux sends it: `11/28/2026 18:18:31 +00:00`.
    Date,
    /// `expires_on` is a date, as App Service on Windows sends it: `11/28/2026 6:18:31 PM +00:00`.
    DateOfWindows,
    /// `resource` is absent.
    WithoutResource,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            port: 0,
            header: "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a".to_owned(),
            managed_client_id: "0a1b2c3d-0000-4000-8000-000000000001".to_owned(),
            tenant_id: "0a1b2c3d-0000-4000-8000-000000000002".to_owned(),
            client_id: "0a1b2c3d-0000-4000-8000-000000000003".to_owned(),
            client_secret: "fake~client.secret_of+the/app=registration".to_owned(),
            federated_token: "fake.federated.token".to_owned(),
            token_lifetime: Duration::from_secs(24 * 3_600),
            managed_form: ManagedForm::default(),
        }
    }
}
