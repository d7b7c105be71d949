//! Checks that responses are from Blob Storage: a proxy's page must not be read as a checkpoint or
//! a ledger, nor as a missing blob or a successful write.

use std::error::Error;
use std::iter::once;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request, StatusCode};

use crate::http::causes;

/// A header of every response of Blob Storage, errors included.
/// <https://learn.microsoft.com/rest/api/storageservices/common-rest-api-response-headers>
const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
/// A header of every success; Azurite omits it in errors.
const VERSION: HeaderName = HeaderName::from_static("x-ms-version");

/// A response that is not from Blob Storage.
#[derive(Debug, thiserror::Error)]
#[error(
    "the response with HTTP {status} is not from Blob Storage; a proxy may be intercepting the connection"
)]
pub(super) struct NotBlobStorage {
    status: u16,
}

impl NotBlobStorage {
    pub(super) const HINT: &str = "check HTTPS_PROXY, the proxy or firewall between this machine and the storage account, and the endpoint \
         in AzureWebJobsStorage";

    /// Finds it in an error or its causes.
    pub(super) fn of(error: &azure_core::Error) -> Option<&Self> {
        let itself: &(dyn Error + 'static) = error;
        once(itself).chain(causes(error)).find_map(<dyn Error>::downcast_ref)
    }
}

/// Checks the last response of a request, after the retries.
#[derive(Debug)]
pub(super) struct OriginPolicy;

#[async_trait]
impl Policy for OriginPolicy {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let response = next[0].send(context, request, &next[1..]).await?;
        if is_from_blob_storage(response.status(), response.headers()) {
            return Ok(response);
        }
        let error = NotBlobStorage { status: response.status().into() };
        let message = error.to_string();
        Err(azure_core::Error::with_error(ErrorKind::DataConversion, error, message))
    }
}

fn is_from_blob_storage(status: StatusCode, headers: &Headers) -> bool {
    // An overloaded server or a gateway in front of it sends these; they say nothing about a blob.
    let is_transient = matches!(u16::from(status), 408 | 429 | 500..=599);
    let has = |name: &HeaderName| headers.get_optional_str(name).is_some();
    is_transient || (has(&REQUEST_ID) && (has(&VERSION) || !status.is_success()))
}

#[cfg(test)]
mod tests {
    use azure_core::http::StatusCode;
    use azure_core::http::headers::Headers;

    use super::{HeaderName, REQUEST_ID, VERSION, is_from_blob_storage};

    fn is_from(status: u16, names: &[HeaderName]) -> bool {
        let mut headers = Headers::new();
        for name in names {
            headers.insert(name.clone(), "1");
        }
        is_from_blob_storage(StatusCode::from(status), &headers)
    }

    #[test]
    fn a_success_needs_both_headers_an_error_one_and_a_transient_status_none() {
        for status in [200, 201, 202, 204] {
            assert!(is_from(status, &[REQUEST_ID, VERSION]), "{status}");
            for names in [&[][..], &[REQUEST_ID], &[VERSION]] {
                assert!(!is_from(status, names), "{status}");
            }
        }
        for status in [302, 403, 404, 407, 409, 412] {
            assert!(is_from(status, &[REQUEST_ID]), "{status}");
            assert!(!is_from(status, &[]) && !is_from(status, &[VERSION]), "{status}");
        }
        for status in [408, 429, 500, 502, 503] {
            assert!(is_from(status, &[]), "{status}");
        }
    }
}
