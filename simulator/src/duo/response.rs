//! The envelopes of Duo's responses.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;

/// An error response: `{"stat":"FAIL",...}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Duo's code; its first three digits are the HTTP status.
    pub(super) code: u32,
    pub(super) message: &'static str,
    pub(super) detail: Option<String>,
}

impl Refusal {
    pub(super) const fn new(code: u32, message: &'static str) -> Self {
        Self { code, message, detail: None }
    }

    /// 400/40002 with Duo's message about the parameter.
    pub(super) fn parameter(detail: impl Into<String>) -> Self {
        let detail = Some(detail.into());
        Self { code: 40_002, message: "Invalid request parameters", detail }
    }

    /// 403/40301 for an application of another type.
    pub(super) fn wrong_integration_type() -> Self {
        let detail = Some("Wrong integration type for this API.".to_owned());
        Self { detail, ..Self::of_status(403) }
    }

    /// The documented body for an HTTP status.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            400 => Self::parameter("mintime"),
            401 => Self::new(40_103, "Invalid signature in request credentials"),
            403 => Self::new(40_301, "Access forbidden"),
            404 => Self::new(40_401, "Resource not found"),
            405 => Self::new(40_501, "Method not allowed"),
            429 => Self::new(42_901, "Too Many Requests"),
            other => Self::new(u32::from(other) * 100 + 1, "Unknown internal server error"),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        u16::try_from(self.code / 100)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn into_response(self) -> Response {
        let mut body = json!({"stat": "FAIL", "code": self.code, "message": self.message});
        if let Some(detail) = &self.detail {
            body["message_detail"] = json!(detail);
        }
        respond(self.status(), "application/json", body.to_string().into())
    }
}

/// 500 with a body whose code is the empty string.
pub(super) fn empty_code() -> Response {
    let body = json!({"stat": "FAIL", "code": "", "message": "Unknown internal server error"});
    respond(StatusCode::INTERNAL_SERVER_ERROR, "application/json", body.to_string().into())
}

/// `{"stat":"OK","response":...}` around this JSON text.
pub(super) fn ok_body(response: &str) -> Bytes {
    let mut body = String::with_capacity(response.len() + 32);
    body.extend([r#"{"stat":"OK","response":"#, response, "}"]);
    body.into()
}

pub(super) fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
