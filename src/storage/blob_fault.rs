//! What a fault of Blob Storage means, and what to do about it.

use std::error::Error;

use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;

use crate::http::causes;

pub(super) fn hint(fault: &azure_core::Error, is_on_this_machine: bool) -> Option<&'static str> {
    match fault.http_status() {
        _ if matches!(fault.kind(), ErrorKind::Credential) => Some(
            "check the identity: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET outside Azure, \
                 AzureWebJobsStorage__clientId for a user-assigned identity",
        ),
        Some(StatusCode::Forbidden | StatusCode::Unauthorized) => Some(
            "check AzureWebJobsStorage: the key or signature must be valid, and an identity needs the role \
                 Storage Blob Data Owner on the account (a new role takes up to 30 minutes)",
        ),
        _ if is_code(fault, "ContainerBeingDeleted") => Some(
            "the container is being deleted, and Azure makes no new one of that name for a while: the runs after \
                 that begin CISCO_DUO_LOOKBACK_HOURS ago; set CISCO_DUO_START to where the logs stood, or \
                 CISCO_DUO_CONTAINER to another name",
        ),
        _ if is_code(fault, "ContainerNotFound") => Some(
            "the container is gone: the next run creates it and begins CISCO_DUO_LOOKBACK_HOURS ago; set \
                 CISCO_DUO_START to where the logs stood",
        ),
        Some(StatusCode::Conflict | StatusCode::PreconditionFailed) => Some(
            "something protects it: look for a lease, a legal hold or an immutability policy on the container",
        ),
        Some(
            StatusCode::TooManyRequests
            | StatusCode::InternalServerError
            | StatusCode::ServiceUnavailable,
        ) => Some(
            "the storage account is busy or out of order: the next run tries again; if it stays, look at the \
                 account's metrics for throttling, or give the connector a storage account of its own",
        ),
        None if is_on_this_machine => {
            Some("check AzureWebJobsStorage, and that Azurite runs: npx --yes azurite")
        }
        None => Some("check AzureWebJobsStorage, DNS and the storage account's firewall"),
        _ => None,
    }
}

pub(super) fn is_code(fault: &azure_core::Error, code: &str) -> bool {
    matches!(fault.kind(), ErrorKind::HttpResponse { error_code: Some(found), .. } if found == code)
}

/// The cause in one line. The texts down to that of the HTTP client may contain a URL with a shared access signature: only
/// the service's code and the causes below the client are reported.
pub(super) fn reason(fault: &azure_core::Error) -> String {
    match fault.kind() {
        ErrorKind::HttpResponse { status, error_code, .. } => {
            let code = error_code.as_deref().unwrap_or("no code");
            format!("HTTP {} {code}", u16::from(*status))
        }
        ErrorKind::Credential => {
            let of_azure = |cause: &'_ (dyn Error + 'static)| {
                let error = cause.downcast_ref::<azure_core::Error>();
                error.and_then(azure_core::Error::http_status)
            };
            match causes(fault).find_map(of_azure) {
                Some(status) => format!("the identity got no token (HTTP {})", u16::from(status)),
                None => "the identity got no token".to_owned(),
            }
        }
        _ => {
            let mut causes = causes(fault);
            match causes.find_map(|cause| cause.downcast_ref::<reqwest::Error>()) {
                Some(client) if client.is_timeout() => "no response in time".to_owned(),
                _ => causes
                    .last()
                    .map_or_else(|| "no usable response".to_owned(), ToString::to_string),
            }
        }
    }
}
