//! Where tokens come from: a function app's identity endpoint and Entra's token endpoint.

mod app_service;
mod config;
mod entra;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::clock::http_date;
use crate::faults::Call;
use crate::server::{hang, no_answer, truncate};
use crate::{FaultKind, Shared};

pub use config::IdentityConfig;
pub(crate) use token::{TokenFault, Tokens};

/// Requests for tokens are small.
const LARGEST_READ: usize = 1_000_000;

/// Where the function app's identity answers.
pub(crate) const APP_SERVICE_PATH: &str = "/msi/token";

/// Serves `GET /msi/token` and `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

/// An answer that says no; each endpoint has a body of its own form.
#[derive(Debug)]
struct Refusal {
    status: u16,
    /// What it is counted as.
    code: &'static str,
    body: Value,
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.calls.identity(|calls| calls.requests += 1);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_READ).await else {
        return no_answer();
    };
    let mut response = match token(&shared, &parts, &body).await {
        Ok(response) => response,
        Err(refusal) => {
            shared.calls.identity(|calls| {
                *calls.refused.entry(refusal.code.to_owned()).or_default() += 1;
            });
            json_response(refusal.status, refusal.body.to_string().into())
        }
    };
    let date = http_date(shared.clock.now());
    let date = HeaderValue::try_from(date).expect("a date is plain ASCII");
    response.headers_mut().insert(DATE, date);
    response
}

async fn token(shared: &Shared, parts: &Parts, body: &Bytes) -> Result<Response, Refusal> {
    let token = if parts.uri.path() == APP_SERVICE_PATH {
        app_service::token(shared, parts)?
    } else {
        entra::token(shared, parts, body)?
    };
    let token = Bytes::from(token.to_string());
    let fault = shared.faults.strike(Call::Identity);
    if let Some(fault) = fault {
        shared.calls.identity(|calls| calls.struck += 1);
        if let Some(spoilt) = instead(&fault, &token).await {
            return Ok(spoilt);
        }
    }
    shared.calls.identity(|calls| calls.tokens += 1);
    Ok(json_response(200, token))
}

/// What a fault answers instead of a token.
async fn instead(fault: &FaultKind, token: &Bytes) -> Option<Response> {
    let refused = |status: u16| {
        let body = json!({"statusCode": status, "message": "a fault that was asked for"});
        json_response(status, body.to_string().into())
    };
    match fault {
        FaultKind::Latency(time) => {
            tokio::time::sleep(*time).await;
            None
        }
        FaultKind::TooManyRequests { retry_after } => {
            let mut response = refused(429);
            if let Some(seconds) = retry_after {
                let seconds = HeaderValue::from(*seconds);
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            Some(response)
        }
        FaultKind::Status(status) => Some(refused(*status)),
        FaultKind::Truncated => {
            let whole = json_response(200, token.clone());
            Some(truncate(whole, token))
        }
        FaultKind::NotJson => Some(json_response(
            200,
            Bytes::from_static(b"<html>an error page</html>"),
        )),
        FaultKind::Reset => Some(no_answer()),
        FaultKind::Hang => Some(hang().await),
        _ => None,
    }
}

fn json_response(status: u16, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
