//! Error responses.

use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::Response;
use serde_json::json;

use crate::identity::TokenError;
use crate::response;

/// An error response: a status, and a code that is in the body and in `x-ms-error-code`.
///
/// Only `OperationFailed` (403) and `ContentLengthLimitExceeded` (413) were observed at the
/// service; the other codes are plausible, and clients should use the status.
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

    /// The body is not a JSON array of objects, or does not match the stream.
    pub(super) fn bad_data(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidPayload", message)
    }

    pub(super) fn no_token() -> Self {
        let message = "the Authorization header is missing or has no bearer token";
        Self::new(401, "AuthenticationFailed", message)
    }

    pub(super) fn token(error: TokenError) -> Self {
        let message = match error {
            TokenError::Unknown => "the token is malformed or was not issued by this directory",
            TokenError::Expired => "the token has expired",
            TokenError::Revoked => "the token is no longer valid",
            TokenError::Audience => "the token is issued for another audience",
        };
        Self::new(401, "AuthenticationFailed", message)
    }

    /// The identity lacks the role on the rule, or the assignment is not effective yet.
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

    /// 501 for a gzip body was reported once.
    pub(super) fn no_gzip() -> Self {
        Self::new(501, "NotImplemented", "gzip is not supported")
    }

    /// The response of a fault with this status.
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
        Self::new(status, code, "an injected fault")
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
