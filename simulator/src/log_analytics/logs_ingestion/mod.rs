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
use crate::faults::Call;
use crate::judge::{Judge, Post};
use crate::log_analytics::tables::Origin;
use crate::random::Random;
use crate::response;
use crate::server::{no_answer, truncate};
use crate::{FaultKind, Shared};
use refusal::Refusal;

pub use config::LogsIngestionConfig;
pub use declaration::{DeclarationFault, StreamDeclaration};

/// Largest call in bytes: 1 MB, as the service counts it.
const LARGEST_CALL: usize = 1_048_576;

/// A larger body is not even read or unpacked to its end.
const LARGEST_READ: usize = 64 * LARGEST_CALL;

struct LogsIngestion {
    shared: Arc<Shared>,
    judge: Arc<Judge>,
}

/// Serves `POST /dataCollectionRules/{rule}/streams/{stream}`.
pub(crate) fn router(shared: Arc<Shared>, judge: Arc<Judge>) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(LogsIngestion { shared, judge }))
}

async fn serve(State(service): State<Arc<LogsIngestion>>, request: Request) -> Response {
    let Shared { calls, clock, .. } = &*service.shared;
    let mut number = 0;
    calls.logs_ingestion(|calls| {
        calls.requests += 1;
        number = calls.requests;
    });
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_READ).await else {
        return no_answer();
    };
    let response = match service.post(&parts, body).await {
        Ok(response) => response,
        Err(refusal) => {
            calls.logs_ingestion(|calls| {
                *calls.refused.entry(refusal.code.to_owned()).or_default() += 1;
            });
            refusal.into_response()
        }
    };
    let mut response = response::dated(response, clock.now());
    let headers = response.headers_mut();
    let id = HeaderValue::try_from(request_id(number)).expect("it is plain ASCII");
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
        let fault = faults.strike(Call::LogsIngestion { body });
        if let Some(fault) = &fault
            && let Some(spoilt) = instead(fault, body.len(), &ingestion.rule_id).await
        {
            return Ok(spoilt);
        }
        self.accept(stream, sent.len(), unpacked?).await?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(match fault {
            Some(FaultKind::ResponseLost) => no_answer(),
            Some(FaultKind::Truncated) => cut_answer(),
            _ => response,
        })
    }

    async fn accept(
        &self,
        stream: &StreamDeclaration,
        sent: usize,
        body: Bytes,
    ) -> Result<(), Refusal> {
        // Documents say "both compressed and uncompressed data": the stricter reading.
        if body.len() > LARGEST_CALL {
            return Err(Refusal::too_large(body.len(), LARGEST_CALL));
        }
        let text =
            std::str::from_utf8(&body).map_err(|_| Refusal::bad_data("the body is not UTF-8"))?;
        let rows = rows::count(text, stream).map_err(Refusal::bad_data)?;
        self.shared.calls.logs_ingestion(|calls| {
            calls.accepted += 1;
            calls.bytes += body.len() as u64;
            calls.bytes_sent += sent as u64;
            calls.largest = calls.largest.max(body.len() as u64);
            *calls.rows.entry(stream.table().to_owned()).or_default() += rows.count;
            calls.values_cut += rows.values_cut;
            for (column, count) in rows.dropped {
                *calls.columns_dropped.entry(column).or_default() += count;
            }
            for (column, count) in rows.misfits {
                *calls.values_misfit.entry(column).or_default() += count;
            }
        });
        let name = stream.name().to_owned();
        let post = Post {
            origin: Origin::LogsIngestion { stream: name },
            table: stream.table().to_owned(),
            body,
            received: self.shared.clock.now(),
        };
        self.judge.submit(post).await;
        Ok(())
    }
}

/// What some faults answer instead of accepting the rows. A fault is counted as such, not as a refusal.
async fn instead(fault: &FaultKind, length: usize, rule_id: &str) -> Option<Response> {
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

/// 200 with a body that ends too soon: 204 has no body that could.
fn cut_answer() -> Response {
    let body = Bytes::from_static(b"{\"accepted\":true}");
    truncate(response::json(200, Body::empty()), &body)
}
