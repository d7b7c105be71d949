//! The HTTP Data Collector API of Azure Monitor.
//!
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/logs/data-collector-api>

mod rows;
mod signature;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;

use crate::faults::Incoming;
use crate::log_analytics::tables::Origin;
use crate::response;
use crate::server::no_response;
use crate::verifier::{Post, Verifier};
use crate::{FaultKind, Shared};

/// Maximum body of a request.
const LARGEST_POST: usize = 30_000_000;

/// A larger body is not read to its end.
const LARGEST_READ: usize = 2 * LARGEST_POST;

struct DataCollector {
    shared: Arc<Shared>,
    verifier: Arc<Verifier>,
}

/// Serves `POST /api/logs`.
pub(crate) fn router(shared: Arc<Shared>, verifier: Arc<Verifier>) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(DataCollector { shared, verifier }))
}

/// An error response. The format of its body is not documented; this one is plausible.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// 404, for both a wrong address and a body that is too large.
    fn not_found() -> Self {
        Self { status: 404, code: "", message: String::new() }
    }

    fn of_status(status: u16) -> Self {
        let code = match status {
            400 => "InactiveCustomer",
            403 => "InvalidAuthorization",
            500 => "UnspecifiedError",
            503 => "ServiceUnavailable",
            _ => "",
        };
        Self { status, code, message: "an injected fault".to_owned() }
    }

    fn into_response(self) -> Response {
        if self.code.is_empty() {
            return response::json(self.status, Body::empty());
        }
        let body = json!({"Error": self.code, "Message": self.message});
        response::json(self.status, body.to_string())
    }
}

async fn serve(State(service): State<Arc<DataCollector>>, request: Request) -> Response {
    service.shared.counts.log_analytics(|counts| counts.requests += 1);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_READ).await else {
        return no_response();
    };
    let response = match service.post(&parts, body).await {
        Ok(response) => response,
        Err(refusal) => {
            let name = if refusal.code.is_empty() { "NotFound" } else { refusal.code };
            service.shared.counts.log_analytics(|counts| {
                *counts.refused.entry(name.to_owned()).or_default() += 1;
            });
            refusal.into_response()
        }
    };
    response::dated(response, service.shared.clock.now())
}

impl DataCollector {
    async fn post(&self, parts: &Parts, body: Bytes) -> Result<Response, Refusal> {
        let Shared { config, clock, faults, .. } = &*self.shared;
        let log_type = check_request(parts)?;
        signature::check(&parts.headers, body.len(), config, clock.now())?;
        if !config.log_analytics_latency.is_zero() {
            tokio::time::sleep(config.log_analytics_latency).await;
        }
        let fault = faults.apply(Incoming::LogAnalytics { body: &body });
        if let Some(fault) = &fault
            && let Some(replacement) = replacement_for(fault).await
        {
            return Ok(replacement);
        }
        self.accept(&parts.headers, &log_type, body).await?;
        Ok(match fault {
            Some(FaultKind::ResponseLost) => no_response(),
            _ => Response::new(Body::empty()),
        })
    }

    async fn accept(
        &self,
        headers: &HeaderMap,
        log_type: &str,
        body: Bytes,
    ) -> Result<(), Refusal> {
        let table = format!("{log_type}_CL");
        if body.len() > LARGEST_POST {
            return Err(Refusal::not_found());
        }
        let time_field = match headers.get("time-generated-field").map(HeaderValue::to_str) {
            None | Some(Ok("")) => None,
            Some(Ok(name)) => Some(name),
            Some(Err(_)) => return Err(bad_data("the time-generated-field is not text")),
        };
        let text = std::str::from_utf8(&body).map_err(|_| bad_data("the body is not UTF-8"))?;
        let rows = rows::count(text, time_field).map_err(|error| bad_data(&error))?;
        self.shared.counts.log_analytics(|counts| {
            let bytes = body.len() as u64;
            counts.accepted += 1;
            counts.bytes += bytes;
            counts.largest = counts.largest.max(bytes);
            *counts.rows.entry(table.clone()).or_default() += rows.count;
            counts.values_cut += rows.values_cut;
        });
        let time_field = time_field.map(str::to_owned);
        let post = Post {
            origin: Origin::DataCollector { time_field },
            table,
            body,
            received: self.shared.clock.now(),
        };
        self.verifier.submit(post).await;
        Ok(())
    }
}

fn bad_data(message: &str) -> Refusal {
    Refusal::bad_request("InvalidDataFormat", message)
}

/// Checks that need neither body nor key. Returns the `Log-Type`.
fn check_request(parts: &Parts) -> Result<String, Refusal> {
    if parts.uri.path() != "/api/logs" || parts.method != Method::POST {
        return Err(Refusal::not_found());
    }
    let query = parts.uri.query().unwrap_or_default();
    match query.split('&').find_map(|pair| pair.strip_prefix("api-version=")) {
        None => {
            return Err(Refusal::bad_request("MissingApiVersion", "api-version is missing"));
        }
        Some("2016-04-01") => {}
        Some(_) => {
            return Err(Refusal::bad_request("InvalidApiVersion", "unknown api-version"));
        }
    }
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    match text(CONTENT_TYPE.as_str()) {
        None => {
            return Err(Refusal::bad_request("MissingContentType", "no Content-Type"));
        }
        // The type is part of the signature, so that nothing may be added to it.
        Some("application/json") => {}
        Some(_) => {
            return Err(Refusal::bad_request("UnsupportedContentType", "not application/json"));
        }
    }
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return Err(bad_data("the body is encoded"));
    }
    let log_type = text("log-type")
        .ok_or_else(|| Refusal::bad_request("MissingLogType", "Log-Type is missing"))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if log_type.is_empty() || log_type.len() > 100 || !log_type.bytes().all(allowed) {
        return Err(Refusal::bad_request("InvalidLogType", "letters, digits, underscore; 100"));
    }
    Ok(log_type.to_owned())
}

/// The response of faults that replace the acceptance of rows.
async fn replacement_for(fault: &FaultKind) -> Option<Response> {
    let refused = |status| Refusal::of_status(status).into_response();
    match fault {
        FaultKind::TooLarge => Some(Refusal::not_found().into_response()),
        FaultKind::InvalidRecord { .. } => {
            Some(bad_data("a record of this request cannot be read").into_response())
        }
        _ => response::of_fault(fault, refused).await,
    }
}
