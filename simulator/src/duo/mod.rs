//! The log endpoints of the Cisco Duo Admin API.
//!
//! <https://duo.com/docs/adminapi#logs>; where that is silent, what official clients and users saw.

mod given;
mod gzip;
mod parameters;
mod rate;
mod records;
mod response;
mod signature;
mod trust_monitor;
mod v1;
mod v2;

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::faults::Incoming;
use crate::response::{dated, html, of_fault};
use crate::server::{no_response, truncate};
use crate::{FaultKind, LogType, Shared};
pub(crate) use given::GivenRecords;
use parameters::Parameters;
use rate::RateLimit;
use records::Page;
use response::{Refusal, ok_body, respond};

/// Maximum body of a GET request, which is hashed.
const LARGEST_BODY: usize = 1 << 20;
const GUEST_PAGE: &str =
    "<!DOCTYPE html><html><body>Please log in to the guest network.</body></html>";

struct Duo {
    shared: Arc<Shared>,
    rate: RateLimit,
}

/// Serves the log endpoints.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let rate = RateLimit::new(shared.config.requests_per_minute);
    Router::new().fallback(serve).with_state(Arc::new(Duo { shared, rate }))
}

/// Every event of a log as one page.
pub(crate) fn page(shared: &Arc<Shared>, log: LogType) -> String {
    let config = &shared.config;
    let query = if log.is_v1() {
        format!("mintime={}", config.from.timestamp())
    } else {
        let (from, to) = (config.from.timestamp_millis(), config.to.timestamp_millis());
        format!("mintime={from}&maxtime={to}&limit=1000&sort=ts%3Aasc")
    };
    let (shared, rate) = (Arc::clone(shared), RateLimit::new(None));
    let parameters = Parameters::of_query(&query);
    let now = shared.clock.now_milliseconds();
    let page = Duo { shared, rate }.page(log, &parameters, now, None);
    let page = page.expect("the request is valid");
    format!(r#"{{"stat":"OK","response":{}}}"#, page.response)
}

async fn serve(State(duo): State<Arc<Duo>>, request: Request) -> Response {
    let path = request.uri().path();
    let Some(log) = LogType::ALL.into_iter().find(|log| log.path() == path) else {
        return duo.dated(Refusal::of_status(404).into_response(), None);
    };
    duo.shared.counts.duo(log, |counts| counts.requests += 1);
    let (parts, body) = request.into_parts();
    if parts.method != Method::GET {
        return duo.dated(Refusal::of_status(405).into_response(), None);
    }
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return no_response();
    };
    duo.log(log, &parts, &body).await
}

impl Duo {
    async fn log(&self, log: LogType, parts: &Parts, body: &[u8]) -> Response {
        let Shared { config, clock, counts, faults, .. } = &*self.shared;
        let parameters = Parameters::of_query(parts.uri.query().unwrap_or_default());
        if let Err(refusal) = signature::check(parts, &parameters, body, config, clock.now()) {
            counts.duo(log, |counts| counts.unauthorized += 1);
            return self.dated(refusal.into_response(), None);
        }
        if !config.duo_latency.is_zero() {
            tokio::time::sleep(config.duo_latency).await;
        }
        if !self.rate.allows(log, clock.now_milliseconds()) {
            return self.dated(Refusal::of_status(429).into_response(), None);
        }
        let cursor = if log == LogType::TrustMonitor { "offset" } else { "next_offset" };
        let has_cursor = !log.is_v1() && !parameters.all(cursor).is_empty();
        let fault = faults.apply(Incoming::Duo { log, has_cursor });
        if let Some(fault) = &fault
            && let Some(replacement) = replacement_for(fault).await
        {
            return self.dated(replacement, None);
        }
        // Taken after all delays: a page contains what is visible when it is built.
        let now = clock.now_milliseconds();
        match self.page(log, &parameters, now, fault.as_ref()) {
            Ok(page) => {
                let accepts_gzip = gzip::is_accepted(&parts.headers);
                let response = self.deliver(log, &page, fault.as_ref(), accepts_gzip);
                self.dated(response, fault.as_ref())
            }
            Err(refusal) => {
                counts.duo(log, |counts| counts.refused += 1);
                self.dated(refusal.into_response(), fault.as_ref())
            }
        }
    }

    fn page(
        &self,
        log: LogType,
        parameters: &Parameters,
        now: i64,
        fault: Option<&FaultKind>,
    ) -> Result<Page, Refusal> {
        if let Some(page) = self.shared.given.page(log, parameters, now) {
            return page;
        }
        match log {
            LogType::Authentication | LogType::Activity | LogType::Telephony => {
                v2::page(&self.shared, log, parameters, now, fault)
            }
            LogType::Administrator | LogType::OfflineEnrollment => {
                v1::page(&self.shared, log, parameters, now, fault)
            }
            LogType::TrustMonitor => trust_monitor::page(&self.shared, parameters, now, fault),
        }
    }

    fn deliver(
        &self,
        log: LogType,
        page: &Page,
        fault: Option<&FaultKind>,
        accepts_gzip: bool,
    ) -> Response {
        let body = match fault {
            Some(FaultKind::WrongEnvelope) => ok_body(r#"{"unexpected":[]}"#),
            _ => ok_body(&page.response),
        };
        let compressed = match fault {
            Some(FaultKind::Gzip) if accepts_gzip => Some(gzip::page(&body)),
            Some(FaultKind::GzipBomb) if accepts_gzip => Some(gzip::bomb()),
            _ => None,
        };
        self.shared.counts.duo(log, |counts| {
            counts.pages += 1;
            counts.records += page.records as u64;
            counts.compressed += u64::from(compressed.is_some());
        });
        let plain = || respond(StatusCode::OK, "application/json", body.clone());
        match fault {
            Some(FaultKind::Truncated) => truncate(plain(), &body),
            _ => compressed.unwrap_or_else(plain),
        }
    }

    /// The response with the simulated time as its `Date`.
    fn dated(&self, response: Response, fault: Option<&FaultKind>) -> Response {
        let mut time = self.shared.clock.now();
        match fault {
            Some(FaultKind::BadDate { offset: None }) => return response,
            Some(FaultKind::BadDate { offset: Some(offset) }) => time += *offset,
            _ => {}
        }
        dated(response, time)
    }
}

/// The response of faults that replace a page.
async fn replacement_for(fault: &FaultKind) -> Option<Response> {
    let refused = |status| Refusal::of_status(status).into_response();
    match fault {
        FaultKind::Forbidden => Some(refused(403)),
        FaultKind::WrongIntegrationType => Some(Refusal::wrong_integration_type().into_response()),
        FaultKind::BadCursor => Some(Refusal::parameter("next_offset").into_response()),
        FaultKind::EmptyCode => Some(response::empty_code()),
        FaultKind::NotJson => Some(html(200, GUEST_PAGE)),
        FaultKind::Intercepted(status) => Some(html(*status, GUEST_PAGE)),
        _ => of_fault(fault, refused).await,
    }
}
