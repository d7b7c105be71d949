//! The Logs Ingestion API of Azure Monitor: one data collection rule and its endpoint.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview>

mod config;
mod declaration;
mod refusal;
mod request;
mod rows;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use crate::events::uuid;
use crate::faults::Incoming;
use crate::log_analytics::tables::Origin;
use crate::random::Random;
use crate::response;
use crate::server::{no_response, truncate};
use crate::verifier::{Post, Verifier};
use crate::{FaultKind, Shared};
use refusal::Refusal;

pub use config::LogsIngestionConfig;
pub use declaration::{DeclarationError, StreamDeclaration};

/// Maximum body in bytes: 1 MB, as the service counts it.
const LARGEST_CALL: usize = 1_048_576;

/// A larger body is not read or decompressed to its end.
const LARGEST_READ: usize = 64 * LARGEST_CALL;

struct LogsIngestion {
    shared: Arc<Shared>,
    verifier: Arc<Verifier>,
}

/// Serves `POST /dataCollectionRules/{rule}/streams/{stream}`.
pub(crate) fn router(shared: Arc<Shared>, verifier: Arc<Verifier>) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(LogsIngestion { shared, verifier }))
}

async fn serve(State(service): State<Arc<LogsIngestion>>, request: Request) -> Response {
    let Shared { counts, clock, .. } = &*service.shared;
    let mut number = 0;
    counts.logs_ingestion(|counts| {
        counts.requests += 1;
        number = counts.requests;
    });
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_READ).await else {
        return no_response();
    };
    let response = match service.post(&parts, body).await {
        Ok(response) => response,
        Err(refusal) => {
            counts.logs_ingestion(|counts| {
                *counts.refused.entry(refusal.code.to_owned()).or_default() += 1;
            });
            refusal.into_response()
        }
    };
    let mut response = response::dated(response, clock.now());
    let headers = response.headers_mut();
    let id = HeaderValue::try_from(request_id(number)).expect("a GUID is ASCII");
    headers.insert("x-ms-request-id", id);
    if let Some(id) = parts.headers.get("x-ms-client-request-id") {
        headers.insert("x-ms-client-request-id", id.clone());
    }
    response
}

/// A GUID for the n-th request.
fn request_id(number: u64) -> String {
    let mut random = Random::new(number, 0x1D, 0);
    uuid(u128::from(random.next()) << 64 | u128::from(random.next()))
}

impl LogsIngestion {
    async fn post(&self, parts: &Parts, sent: Bytes) -> Result<Response, Refusal> {
        let Shared { config, faults, .. } = &*self.shared;
        let ingestion = &config.logs_ingestion;
        request::check_version(parts)?;
        request::check_token(&parts.headers, &self.shared)?;
        let stream = request::stream(parts, ingestion)?;
        if !ingestion.latency.is_zero() {
            tokio::time::sleep(ingestion.latency).await;
        }
        let unpacked = request::unpack(&parts.headers, &sent, ingestion);
        let body = unpacked.as_ref().unwrap_or(&sent);
        let fault = faults.apply(Incoming::LogsIngestion { body });
        if let Some(fault) = &fault
            && let Some(replacement) = replacement_for(fault, body.len(), &ingestion.rule_id).await
        {
            return Ok(replacement);
        }
        self.accept(stream, sent.len(), unpacked?).await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(match fault {
            Some(FaultKind::ResponseLost) => no_response(),
            Some(FaultKind::Truncated) => truncated_response(),
            _ => response,
        })
    }

    async fn accept(
        &self,
        stream: &StreamDeclaration,
        sent: usize,
        body: Bytes,
    ) -> Result<(), Refusal> {
        // The stricter reading of "both compressed and uncompressed data" in the documentation.
        if body.len() > LARGEST_CALL {
            return Err(Refusal::too_large(body.len(), LARGEST_CALL));
        }
        let text =
            std::str::from_utf8(&body).map_err(|_| Refusal::bad_data("the body is not UTF-8"))?;
        let rows = rows::count(text, stream).map_err(Refusal::bad_data)?;
        self.shared.counts.logs_ingestion(|counts| {
            counts.accepted += 1;
            counts.bytes += body.len() as u64;
            counts.bytes_sent += sent as u64;
            counts.largest = counts.largest.max(body.len() as u64);
            *counts.rows.entry(stream.table().to_owned()).or_default() += rows.count;
            counts.values_cut += rows.values_cut;
            for (column, count) in rows.dropped {
                *counts.columns_dropped.entry(column).or_default() += count;
            }
            for (column, count) in rows.misfits {
                *counts.values_misfit.entry(column).or_default() += count;
            }
        });
        let name = stream.name().to_owned();
        let post = Post {
            origin: Origin::LogsIngestion { stream: name },
            table: stream.table().to_owned(),
            body,
            received: self.shared.clock.now(),
        };
        self.verifier.submit(post).await;
        Ok(())
    }
}

/// The response of faults that replace the acceptance of rows. Not counted as a refusal.
async fn replacement_for(fault: &FaultKind, length: usize, rule_id: &str) -> Option<Response> {
    let refused = |status| Refusal::of_status(status).into_response();
    let refusal = match fault {
        FaultKind::Forbidden => Refusal::no_access(rule_id),
        FaultKind::TooLarge => Refusal::too_large(length, LARGEST_CALL),
        FaultKind::InvalidRecord { .. } => {
            Refusal::bad_data("a record of this request cannot be read")
        }
        _ => return response::of_fault(fault, refused).await,
    };
    Some(refusal.into_response())
}

/// 200 with a truncated body: 204 has no body.
fn truncated_response() -> Response {
    let body = Bytes::from_static(b"{\"accepted\":true}");
    truncate(response::json(200, Body::empty()), &body)
}
