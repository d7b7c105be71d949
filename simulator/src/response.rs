//! Responses shared by all servers.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};

use crate::FaultKind;
use crate::clock::http_date;
use crate::server::{hang, no_response};

/// A response with this JSON.
pub(crate) fn json(status: u16, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// This HTML page, as a proxy or a captive portal sends it.
pub(crate) fn html(status: u16, page: &'static str) -> Response {
    let mut response = json(status, page);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// The response of faults that all services share. `refuse` builds a service's error response.
pub(crate) async fn of_fault(
    fault: &FaultKind,
    refuse: impl Fn(u16) -> Response,
) -> Option<Response> {
    match fault {
        FaultKind::Latency(time) => {
            tokio::time::sleep(*time).await;
            None
        }
        FaultKind::TooManyRequests { retry_after } => {
            let mut response = refuse(429);
            if let Some(seconds) = retry_after {
                let seconds = HeaderValue::from(*seconds);
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            Some(response)
        }
        FaultKind::Status(status) => Some(refuse(*status)),
        FaultKind::Reset => Some(no_response()),
        FaultKind::Hang => Some(hang().await),
        _ => None,
    }
}

/// The response with this time as its `Date`.
pub(crate) fn dated(mut response: Response, time: DateTime<Utc>) -> Response {
    let date = HeaderValue::try_from(http_date(time)).expect("a date is plain ASCII");
    response.headers_mut().insert(DATE, date);
    response
}
