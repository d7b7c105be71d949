//! Answers that say no.

use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::Response;
use serde_json::json;

use crate::identity::TokenFault;
use crate::response;

/// An answer that says no: a status, and a code that stands in the body and in `x-ms-error-code`.
///
/// Only `OperationFailed` (403) and `ContentLengthLimitExceeded` (413) were seen at the service; the
/// other codes are plausible ones, and callers should go by the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    pub(super) code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequest", message)
    }

    /// The body is not JSON, or no array of objects, or does not fit the stream.
    pub(super) fn bad_data(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidPayload", message)
    }

    pub(super) fn no_token() -> Self {
        let message = "the Authorization header is missing or holds no bearer token";
        Self::new(401, "AuthenticationFailed", message)
    }

    pub(super) fn token(fault: TokenFault) -> Self {
        let message = match fault {
            TokenFault::Unknown => "the token is malformed or was not issued by this directory",
            TokenFault::Expired => "the token has expired",
            TokenFault::Withdrawn => "the token is not valid any more",
            TokenFault::Audience => "the token is made out to another audience",
        };
        Self::new(401, "AuthenticationFailed", message)
    }

    /// The identity lacks the role on the rule, or has it too briefly.
    pub(super) fn no_access(rule_id: &str) -> Self {
        let message = format!(
            "The authentication token provided does not have access to ingest data for the data \
             collection rule with immutable Id '{rule_id}'."
        );
        Self::new(403, "OperationFailed", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NotFound", message)
    }

    pub(super) fn too_large(length: usize, limit: usize) -> Self {
        let message = format!(
            "Maximum allowed content length: {limit} bytes (1 MB). Provided content length: \
             {length} bytes."
        );
        Self::new(413, "ContentLengthLimitExceeded", message)
    }

    /// 501 for a body in gzip was reported once.
    pub(super) fn no_gzip() -> Self {
        Self::new(501, "NotImplemented", "gzip is not supported")
    }

    /// What a fault of this status answers.
    pub(super) fn of_status(status: u16) -> Self {
        let code = match status {
            400 => "InvalidRequest",
            401 => "AuthenticationFailed",
            403 => "OperationFailed",
            404 => "NotFound",
            413 => "ContentLengthLimitExceeded",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            _ => "InternalServerError",
        };
        Self::new(status, code, "a fault that was asked for")
    }

    pub(super) fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        let mut response = response::json(self.status, body.to_string());
        let headers = response.headers_mut();
        headers.insert("x-ms-error-code", HeaderValue::from_static(self.code));
        if self.status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
