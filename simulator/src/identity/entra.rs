//! Entra's token endpoint: `POST /{tenant}/oauth2/v2.0/token` with a client secret or a federated
//! token.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use axum::http::Method;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::Refusal;
use crate::{Shared, form};

/// The assertion type of a federated token.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The response to a request for a token of the app registration.
pub(super) fn token(shared: &Shared, parts: &Parts, body: &[u8]) -> Result<Value, Refusal> {
    let identity = &shared.config.identity;
    let path = parts.uri.path().strip_prefix('/').unwrap_or_default();
    let Some(tenant) = path.strip_suffix("/oauth2/v2.0/token") else {
        return Err(refused(404, "not_found", "no such address"));
    };
    if parts.method != Method::POST {
        return Err(refused(405, "invalid_request", "only POST is supported"));
    }
    if !tenant.eq_ignore_ascii_case(&identity.tenant_id) {
        let message = "AADSTS90002: Tenant not found";
        return Err(refused(400, "invalid_request", message));
    }
    let form = form::pairs(&String::from_utf8_lossy(body));
    let value = |key: &str| form::value(&form, key);
    if value("grant_type") != Some("client_credentials") {
        let message = "AADSTS70003: the grant type is not supported";
        return Err(refused(400, "unsupported_grant_type", message));
    }
    let client_id = value("client_id").unwrap_or_default();
    if !client_id.eq_ignore_ascii_case(&identity.client_id) {
        let message = "AADSTS700016: the application was not found in the directory";
        return Err(refused(400, "unauthorized_client", message));
    }
    let assertion = value("client_assertion")
        .filter(|_| value("client_assertion_type") == Some(ASSERTION_TYPE));
    let proven = match (value("client_secret"), assertion) {
        (Some(secret), None) => secret == identity.client_secret,
        (None, Some(assertion)) => assertion == identity.federated_token,
        _ => false,
    };
    if !proven {
        let message = "AADSTS7000215: invalid client secret or assertion provided";
        return Err(refused(401, "invalid_client", message));
    }
    let scope = value("scope").unwrap_or_default();
    let Some(audience) = scope.strip_suffix("/.default").filter(|it| !it.is_empty()) else {
        let message = "AADSTS1002012: the scope is not of the form resource/.default";
        return Err(refused(400, "invalid_scope", message));
    };
    let lifetime = identity.token_lifetime;
    let now = shared.clock.now();
    let expires = (now + lifetime).timestamp();
    let token = shared.tokens.issue(audience, client_id, &identity.tenant_id, now, expires);
    let seconds = lifetime.as_secs();
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    }))
}

fn refused(status: u16, code: &'static str, description: &str) -> Refusal {
    let body = json!({"error": code, "error_description": description});
    Refusal { status, code, body }
}
