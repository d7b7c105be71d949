//! Which requests fail at the proxy, and how.

use std::time::Duration;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection is closed before the request reaches the service.
    Closed,
    /// The service processes the request; the connection is closed in the middle of its response.
    Truncated,
    /// This status instead of a response; the request does not reach the service.
    Status(u16),
    /// This status with the HTML page of a proxy; the request does not reach the service.
    Intercepted(u16),
    /// This status and error code of Azure Storage; the request does not reach the service.
    /// <https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2>
    Storage(u16, &'static str),
    /// The service processes the request; its response is lost.
    ResponseLost,
    /// No response, for as long as the client waits.
    Hang,
    /// The request reaches the service only after this delay.
    Slow(Duration),
}

/// Requests that fail: all of them, unless restricted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StorageFault {
    failure: Failure,
    /// Required start and part of a request's method and path.
    method: &'static str,
    path: &'static str,
    /// Matching requests that pass first.
    after: u64,
    /// Remaining requests that fail.
    times: u64,
}

impl StorageFault {
    /// Every request from now on.
    pub(crate) const fn every(failure: Failure) -> Self {
        Self { failure, method: "", path: "", after: 0, times: u64::MAX }
    }

    /// Only requests with this method whose path contains `path`.
    #[must_use]
    pub(crate) const fn of(mut self, method: &'static str, path: &'static str) -> Self {
        (self.method, self.path) = (method, path);
        self
    }

    /// Lets `requests` matching requests pass first.
    #[must_use]
    pub(crate) const fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// Only `requests` requests.
    #[must_use]
    pub(crate) const fn times(mut self, requests: u64) -> Self {
        self.times = requests;
        self
    }

    /// How a request with this method and path fails, if it does.
    pub(super) fn apply(&mut self, request: &str) -> Option<Failure> {
        if !request.starts_with(self.method) || !request.contains(self.path) || self.times == 0 {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.failure)
    }
}

/// The page of a proxy that intercepts a request.
pub(super) fn page(status: u16) -> String {
    let body = "<!DOCTYPE html><html><body>Your organization blocks this site.</body></html>";
    format!(
        "HTTP/1.1 {status} Intercepted\r\nContent-Type: text/html\r\nETag: \"5f1-62a\"\r\n\
         Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The response of Azure Storage that refuses a request.
pub(super) fn refusal(status: u16, code: &str) -> String {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>Refused by the proxy.\n\
         RequestId:6e3b2d0a-f01e-0052-6c1f-5b9d3c000000\nTime:2026-11-22T10:00:00.0000000Z</Message></Error>"
    );
    format!(
        "HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nServer: Windows-Azure-Blob/1.0\r\n\
         x-ms-error-code: {code}\r\nx-ms-version: 2023-11-03\r\n\
         x-ms-request-id: 6e3b2d0a-f01e-0052-6c1f-5b9d3c000000\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
