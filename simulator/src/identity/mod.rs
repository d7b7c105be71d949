//! Token endpoints: the identity endpoint of a function app, and Entra.

mod app_service;
mod config;
mod entra;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use crate::faults::Incoming;
use crate::response;
use crate::server::{no_response, truncate};
use crate::{FaultKind, Shared};

pub use config::{IdentityConfig, ManagedForm};
pub(crate) use token::{TokenError, Tokens};

/// Maximum body; requests for tokens are small.
const LARGEST_READ: usize = 1_000_000;

/// Path of the function app's identity endpoint.
pub(crate) const APP_SERVICE_PATH: &str = "/msi/token";

/// Serves `GET /msi/token` and `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

/// An error response; each endpoint has its own format of the body.
#[derive(Debug)]
struct Refusal {
    status: u16,
    /// The name under which it is counted.
    code: &'static str,
    body: Value,
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.counts.identity(|counts| counts.requests += 1);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_READ).await else {
        return no_response();
    };
    let response = match token(&shared, &parts, &body).await {
        Ok(response) => response,
        Err(refusal) => {
            shared.counts.identity(|counts| {
                *counts.refused.entry(refusal.code.to_owned()).or_default() += 1;
            });
            response::json(refusal.status, refusal.body.to_string())
        }
    };
    response::dated(response, shared.clock.now())
}

async fn token(shared: &Shared, parts: &Parts, body: &Bytes) -> Result<Response, Refusal> {
    let token = if parts.uri.path() == APP_SERVICE_PATH {
        app_service::token(shared, parts)?
    } else {
        entra::token(shared, parts, body)?
    };
    let token = Bytes::from(token.to_string());
    let fault = shared.faults.apply(Incoming::Identity);
    if let Some(fault) = fault
        && let Some(replacement) = replacement_for(&fault, &token).await
    {
        return Ok(replacement);
    }
    shared.counts.identity(|counts| counts.tokens += 1);
    Ok(response::json(200, token))
}

/// The response of a fault that replaces a token.
async fn replacement_for(fault: &FaultKind, token: &Bytes) -> Option<Response> {
    let refused = |status: u16| {
        let body = json!({"statusCode": status, "message": "an injected fault"});
        response::json(status, body.to_string())
    };
    match fault {
        FaultKind::Truncated => Some(truncate(response::json(200, token.clone()), token)),
        FaultKind::NotJson => Some(response::html(200, "<html>an error page</html>")),
        FaultKind::WrongEnvelope => Some(response::json(200, r#"{"unexpected":[]}"#)),
        _ => response::of_fault(fault, refused).await,
    }
}
