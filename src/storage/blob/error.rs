//! Errors of Blob Storage: reason and hint.

use std::error::Error;

use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;

use super::origin::NotBlobStorage;
use crate::http::causes;
use crate::identity::UnusableResponse;

pub(super) fn hint(error: &azure_core::Error, is_on_this_machine: bool) -> Option<&'static str> {
    if let Some(token) = UnusableResponse::of(error) {
        return Some(token.hint());
    }
    if NotBlobStorage::of(error).is_some() {
        return Some(NotBlobStorage::HINT);
    }
    match error.http_status() {
        _ if matches!(error.kind(), ErrorKind::Credential) => Some(
            "check the identity: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET outside Azure, \
                 AzureWebJobsStorage__clientId for a user-assigned identity",
        ),
        Some(StatusCode::Forbidden | StatusCode::Unauthorized) => Some(
            "check AzureWebJobsStorage: the key or signature must be valid, and an identity needs the role \
                 Storage Blob Data Owner on the account (a new role takes up to 30 minutes)",
        ),
        _ if is_code(error, "ContainerBeingDeleted") => Some(
            "set CISCO_DUO_START_TIME to the earliest of the logs' last collected_to_t in CiscoDuoHealth_CL, and \
                 CISCO_DUO_CONTAINER to another name to continue at once: the container is being deleted, Azure cannot \
                 recreate it yet, and without these settings later runs start CISCO_DUO_LOOKBACK_HOURS hours before now",
        ),
        _ if is_code(error, "ContainerNotFound") => Some(
            "set CISCO_DUO_START_TIME to the earliest of the logs' last collected_to_t in CiscoDuoHealth_CL, or events \
                 may be lost: the container was deleted, and the next run creates it and starts \
                 CISCO_DUO_LOOKBACK_HOURS hours before now",
        ),
        Some(StatusCode::Conflict | StatusCode::PreconditionFailed) => Some(
            "check the container for a lease, a legal hold or an immutability policy: the blob is protected",
        ),
        Some(
            StatusCode::TooManyRequests
            | StatusCode::InternalServerError
            | StatusCode::ServiceUnavailable,
        ) => Some(
            "wait for the next run; if the error lasts, check the account's metrics for throttling, or use a separate \
                 storage account",
        ),
        None if is_on_this_machine => {
            Some("check AzureWebJobsStorage, and that Azurite runs: npx --yes azurite")
        }
        None => Some("check AzureWebJobsStorage, DNS and the storage account's firewall"),
        _ => None,
    }
}

pub(super) fn is_code(error: &azure_core::Error, code: &str) -> bool {
    matches!(error.kind(), ErrorKind::HttpResponse { error_code: Some(found), .. } if found == code)
}

/// The cause in one line. Messages down to the HTTP client's may contain a URL with a shared access
/// signature, so only the error code and the causes below the client are reported.
pub(super) fn reason(error: &azure_core::Error) -> String {
    if let Some(token) = UnusableResponse::of(error) {
        return format!("the identity got no token: {token}");
    }
    if let Some(other) = NotBlobStorage::of(error) {
        return other.to_string();
    }
    match error.kind() {
        ErrorKind::HttpResponse { status, error_code, .. } => {
            let code = error_code.as_deref().unwrap_or("no code");
            format!("HTTP {} {code}", u16::from(*status))
        }
        ErrorKind::Credential => {
            let azure_status = |cause: &'_ (dyn Error + 'static)| {
                let error = cause.downcast_ref::<azure_core::Error>();
                error.and_then(azure_core::Error::http_status)
            };
            match causes(error).find_map(azure_status) {
                Some(status) => format!("the identity got no token (HTTP {})", u16::from(status)),
                None => "the identity got no token".to_owned(),
            }
        }
        _ => {
            let mut causes = causes(error);
            match causes.find_map(|cause| cause.downcast_ref::<reqwest::Error>()) {
                Some(client) if client.is_timeout() => "no response in time".to_owned(),
                _ => causes
                    .last()
                    .map_or_else(|| "no usable response".to_owned(), ToString::to_string),
            }
        }
    }
}
