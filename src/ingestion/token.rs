//! Bearer tokens for the Logs Ingestion API.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;
use tokio::time::timeout;

use crate::http::{Transport, causes};
use crate::identity::{self, UnusableResponse};
use crate::settings::{Cloud, IdentitySettings};

const NO_RESPONSE: &str = "no usable response from the token endpoint";

/// The identity in the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the identity for Azure Monitor cannot be used: {0}")]
pub struct IdentityError(String);

impl IdentityError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        "check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE, and that the environment of the function \
         app was not changed by hand (IDENTITY_ENDPOINT, MSI_ENDPOINT)"
    }
}

#[derive(Debug)]
pub(super) struct TokenError {
    /// Whether a retry may succeed.
    pub(super) is_transient: bool,
    pub(super) reason: String,
    pub(super) source: Option<UnusableResponse>,
}

/// Requests tokens and caches them until shortly before they expire.
#[derive(derive_more::Debug)]
#[debug("Tokens({identity:?}, {cloud:?})")]
pub(super) struct Tokens {
    identity: IdentitySettings,
    cloud: Cloud,
    transport: Transport,
    /// The credential, which caches the current token.
    credential: Mutex<Arc<dyn TokenCredential>>,
}

/// A token, and the credential that issued it.
pub(super) struct Token {
    pub(super) authorization: String,
    issuer: Arc<dyn TokenCredential>,
}

/// The scope of a token.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>
const fn scope(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "https://monitor.azure.com/.default",
        Cloud::UsGov => "https://monitor.azure.us/.default",
        Cloud::China => "https://monitor.azure.cn/.default",
    }
}

impl Tokens {
    pub(super) fn new(
        identity: IdentitySettings,
        cloud: Cloud,
        transport: Transport,
    ) -> Result<Self, IdentityError> {
        let credential = identity::credential(&identity, cloud, &transport)
            .map_err(|error| IdentityError(error.to_string()))?;
        Ok(Self { identity, cloud, transport, credential: Mutex::new(credential) })
    }

    /// Returns the cached token or requests one.
    pub(super) async fn token(&self, limit: Duration) -> Result<Token, TokenError> {
        let issuer = Arc::clone(&self.lock());
        let scopes = [scope(self.cloud)];
        let requested = timeout(limit, issuer.get_token(&scopes, None)).await;
        let result = requested.unwrap_or_else(|_| {
            let kind = ErrorKind::Io;
            Err(azure_core::Error::with_message(kind, NO_RESPONSE))
        });
        match result {
            Ok(token) => {
                Ok(Token { authorization: format!("Bearer {}", token.token.secret()), issuer })
            }
            Err(error) => {
                let has_file = matches!(self.identity, IdentitySettings::Workload(..));
                Err(TokenError::of(&error, has_file))
            }
        }
    }

    /// Discards a refused token. Logs refused with the same token share one new token.
    pub(super) fn forget(&self, token: &Token) {
        let mut credential = self.lock();
        if Arc::ptr_eq(&credential, &token.issuer)
            && let Ok(new) = identity::credential(&self.identity, self.cloud, &self.transport)
        {
            *credential = new;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<dyn TokenCredential>> {
        self.credential.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenError {
    /// The error for a token that is not a valid header value.
    pub(super) fn unusable() -> Self {
        Self::new(true, NO_RESPONSE.to_owned())
    }

    const fn new(is_transient: bool, reason: String) -> Self {
        Self { is_transient, reason, source: None }
    }

    /// Reports only the status and the authority's error number, because the message may quote the
    /// request. `has_file`: the identity has a token file, which may be unreadable.
    fn of(error: &azure_core::Error, has_file: bool) -> Self {
        if let Some(unusable) = UnusableResponse::of(error) {
            // After a success status, a retry would get the same response.
            let is_transient = is_transient(unusable.status);
            return Self {
                source: Some(unusable.clone()),
                ..Self::new(is_transient, unusable.to_string())
            };
        }
        let itself: &(dyn Error + 'static) = error;
        for cause in std::iter::once(itself).chain(causes(error)) {
            if let Some(error) = cause.downcast_ref::<azure_core::Error>()
                && let ErrorKind::HttpResponse { status, error_code, .. } = error.kind()
            {
                return Self::of_response(*status, error_code.as_deref());
            }
            if has_file
                && let Some(error) = cause.downcast_ref::<io::Error>()
                && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
            {
                let reason = "the file of AZURE_FEDERATED_TOKEN_FILE cannot be read";
                return Self::new(false, reason.to_owned());
            }
        }
        Self::unusable()
    }

    fn of_response(status: StatusCode, code: Option<&str>) -> Self {
        let is_number =
            |code: &&str| code.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        let code = code.filter(is_number).map(|code| format!(" AADSTS{code}"));
        let status = u16::from(status);
        let reason = format!("HTTP {status}{}", code.unwrap_or_default());
        Self::new(is_transient(status), reason)
    }
}

const fn is_transient(status: u16) -> bool {
    // Identity endpoints return 404 and 410 while they are being set up.
    matches!(status, 404 | 408 | 410 | 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use std::io;

    use azure_core::error::ErrorKind;
    use azure_core::http::StatusCode;

    use super::{NO_RESPONSE, TokenError, is_transient, scope};
    use crate::settings::Cloud;

    #[test]
    fn each_cloud_has_its_own_audience() {
        assert_eq!(scope(Cloud::Public), "https://monitor.azure.com/.default");
        assert_eq!(scope(Cloud::UsGov), "https://monitor.azure.us/.default");
        assert_eq!(scope(Cloud::China), "https://monitor.azure.cn/.default");
    }

    #[test]
    fn a_refused_token_is_permanent_and_a_busy_authority_transient() {
        for refused in [400, 401, 403] {
            assert!(!is_transient(refused), "{refused}");
        }
        for transient in [404, 408, 410, 429, 500, 503] {
            assert!(is_transient(transient), "{transient}");
        }
    }

    #[test]
    fn only_numbers_of_a_token_error_are_reported() {
        let reason = |code| TokenError::of_response(StatusCode::Unauthorized, code).reason;
        assert_eq!(reason(Some("7000215")), "HTTP 401 AADSTS7000215");
        assert_eq!(reason(Some("secret hunter2")), "HTTP 401");
        assert_eq!(reason(None), "HTTP 401");
        let text = azure_core::Error::with_message(ErrorKind::Credential, "hunter2");
        assert_eq!(TokenError::of(&text, true).reason, NO_RESPONSE);
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let missing = azure_core::Error::with_error(ErrorKind::Credential, missing, "hunter2");
        let of_another = TokenError::of(&missing, false);
        assert_eq!(of_another.reason, NO_RESPONSE);
        let missing = TokenError::of(&missing, true);
        assert!(!missing.is_transient);
        assert!(missing.reason.contains("AZURE_FEDERATED_TOKEN_FILE"));
    }
}
