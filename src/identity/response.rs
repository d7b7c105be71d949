//! Checks the responses of token endpoints, and writes those of managed identities as
//! `azure_identity` reads them: it accepts only `expires_on` as a text of digits, beside `resource`.

use std::error::Error;
use std::iter::once;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{CONTENT_TYPE, Headers};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request, StatusCode};
use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::http::{causes, is_markup, names_html};

/// Forms of `expires_on` with a date: App Service on Windows, App Service on Linux.
/// <https://github.com/Azure/azure-sdk-for-python/pull/9480>
const DATE_FORMS: [&str; 2] = ["%m/%d/%Y %I:%M:%S %p %z", "%m/%d/%Y %H:%M:%S %z"];

/// The endpoint that a response is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub(super) enum Endpoint {
    /// App Service or the instance metadata service, without a proxy.
    #[display("the identity endpoint")]
    ManagedIdentity,
    #[display("the token endpoint")]
    Entra,
}

/// A response that no token endpoint sends.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{endpoint} returned HTTP {status} {what}")]
pub(crate) struct UnusableResponse {
    endpoint: Endpoint,
    pub(crate) status: u16,
    what: &'static str,
}

impl UnusableResponse {
    /// Finds it in an error or its causes.
    pub(crate) fn of(error: &azure_core::Error) -> Option<&Self> {
        let itself: &(dyn Error + 'static) = error;
        once(itself).chain(causes(error)).find_map(<dyn Error>::downcast_ref)
    }

    pub(crate) const fn hint(&self) -> &'static str {
        match self.endpoint {
            Endpoint::ManagedIdentity => {
                "check that IDENTITY_ENDPOINT and MSI_ENDPOINT of the function app were not changed by hand, and \
                 which service listens at that address"
            }
            Endpoint::Entra => {
                "check HTTPS_PROXY and the proxy or firewall between this machine and Microsoft Entra ID, and \
                 AZURE_AUTHORITY_HOST if it is set"
            }
        }
    }
}

/// Checks the last response of a request, after the retries.
#[derive(Debug)]
pub(super) struct ResponsePolicy(pub(super) Endpoint);

#[async_trait]
impl Policy for ResponsePolicy {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let response = next[0].send(context, request, &next[1..]).await?;
        let (status, headers, body) = response.deconstruct();
        let body = body.collect().await?;
        match checked(self.0, status, &headers, &body) {
            Ok(normalised) => {
                let body =
                    normalised.map_or(body, |object| Value::Object(object).to_string().into());
                Ok(AsyncRawResponse::from_bytes(status, headers, body))
            }
            Err(what) => {
                let (endpoint, status) = (self.0, u16::from(status));
                let unusable = UnusableResponse { endpoint, status, what };
                let message = unusable.to_string();
                Err(azure_core::Error::with_error(ErrorKind::DataConversion, unusable, message))
            }
        }
    }
}

/// The body as `azure_identity` reads it, or `None` for the original one.
fn checked(
    endpoint: Endpoint,
    status: StatusCode,
    headers: &Headers,
    body: &[u8],
) -> Result<Option<Map<String, Value>>, &'static str> {
    let is_html = names_html(headers.get_optional_str(&CONTENT_TYPE)) || is_markup(body);
    let what = match (is_html, serde_json::from_slice(body)) {
        (false, Ok(Value::Object(object))) if status.is_success() => {
            return normalised(endpoint, object).map(Some);
        }
        // `azure_identity` reports an error by its status, and that of Entra by its JSON too.
        (false, Ok(Value::Object(_))) => return Ok(None),
        (false, _) if !status.is_success() && endpoint == Endpoint::ManagedIdentity => {
            return Ok(None);
        }
        (true, _) => "with an HTML page instead of JSON",
        (false, Ok(_)) => "with JSON that is not an object",
        (false, Err(_)) if body.trim_ascii().is_empty() => "without a body",
        (false, Err(_)) => "with text instead of JSON",
    };
    Err(what)
}

fn normalised(
    endpoint: Endpoint,
    mut object: Map<String, Value>,
) -> Result<Map<String, Value>, &'static str> {
    let token = object.get("access_token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() {
        return Err("without access_token");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("with an access_token that is not a token");
    }
    match endpoint {
        Endpoint::ManagedIdentity => {
            let expires_on = object.get("expires_on").ok_or("without expires_on")?;
            let expires_on =
                unix_time(expires_on).ok_or("with an expires_on that is not a time")?;
            object.insert("expires_on".to_owned(), json!(expires_on.to_string()));
            for unused in ["resource", "token_type"] {
                object.insert(unused.to_owned(), json!(""));
            }
        }
        Endpoint::Entra => {
            let expires_in = object.get("expires_in").ok_or("without expires_in")?;
            let expires_in = number(expires_in).ok_or("with an expires_in that is not a number")?;
            object.insert("expires_in".to_owned(), json!(expires_in));
            for unused in ["token_type", "ext_expires_in"] {
                object.remove(unused);
            }
        }
    }
    Ok(object)
}

/// A number, also as text.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64(),
    }
}

/// Unix seconds, as a number or as text, or a date.
fn unix_time(value: &Value) -> Option<i64> {
    let date = |text: &str| {
        let parsed = DATE_FORMS.iter().find_map(|form| DateTime::parse_from_str(text, form).ok());
        parsed.or_else(|| DateTime::parse_from_rfc3339(text).ok())
    };
    number(value).or_else(|| Some(date(value.as_str()?.trim())?.timestamp()))
}

#[cfg(test)]
mod tests;
