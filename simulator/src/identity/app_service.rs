//! The identity endpoint of App Service and Functions: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::{ManagedForm, Refusal};
use crate::{Shared, form};

/// The only version of the protocol for Functions.
const API_VERSION: &str = "2019-08-01";

/// The response to a request for a token of the managed identity.
pub(super) fn token(shared: &Shared, parts: &Parts) -> Result<Value, Refusal> {
    let identity = &shared.config.identity;
    if parts.method != Method::GET {
        return Err(refused(405, "MethodNotAllowed", "only GET is supported"));
    }
    let header = parts.headers.get("x-identity-header");
    if header.map(HeaderValue::as_bytes) != Some(identity.header.as_bytes()) {
        let message = "x-identity-header is missing or wrong";
        return Err(refused(401, "Unauthorized", message));
    }
    let query = form::pairs(parts.uri.query().unwrap_or_default());
    if form::value(&query, "api-version") != Some(API_VERSION) {
        return Err(refused(400, "BadVersion", "the api-version is not known"));
    }
    let resource = form::value(&query, "resource").filter(|resource| !resource.is_empty());
    let Some(resource) = resource else {
        return Err(refused(400, "BadResource", "resource is missing"));
    };
    let client_id = form::value(&query, "client_id").unwrap_or(&identity.managed_client_id);
    if !client_id.eq_ignore_ascii_case(&identity.managed_client_id) {
        let message = "no managed identity found for the specified client_id";
        return Err(refused(400, "UnknownIdentity", message));
    }
    let now = shared.clock.now();
    let expires = now + identity.token_lifetime;
    let unix = expires.timestamp();
    let token = shared.tokens.issue(resource, client_id, &identity.tenant_id, now, unix);
    let form = identity.managed_form;
    let expires_on = match form {
        ManagedForm::Documented | ManagedForm::WithoutResource => json!(unix.to_string()),
        ManagedForm::Number => json!(unix),
        ManagedForm::Date => json!(expires.format("%m/%d/%Y %H:%M:%S +00:00").to_string()),
        ManagedForm::DateOfWindows => {
            json!(expires.format("%-m/%-d/%Y %-I:%M:%S %p +00:00").to_string())
        }
    };
    let mut response = json!({
        "access_token": token,
        "expires_on": expires_on,
        "token_type": "Bearer",
        "client_id": client_id,
    });
    if form != ManagedForm::WithoutResource {
        response["resource"] = json!(resource);
    }
    Ok(response)
}

fn refused(status: u16, code: &'static str, message: &str) -> Refusal {
    let body = json!({"statusCode": status, "message": message});
    Refusal { status, code, body }
}
