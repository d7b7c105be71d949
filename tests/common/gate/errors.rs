//! Which calls go wrong at a gate, and how.

use std::time::Duration;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// The connection is closed before the service hears of the call.
    Closed,
    /// The service did what was asked; the connection is closed in the middle of its answer.
    Cut,
    /// This status instead of an answer; the service does not hear of the call.
    Status(u16),
    /// This status and code, as Azure Storage says them; the service does not hear of the call.
    /// <https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2>
    Storage(u16, &'static str),
    /// The service did what was asked; its answer is lost.
    ResponseLost,
    /// No answer, for as long as the caller waits.
    Hang,
    /// The service hears of the call only after this time.
    Slow(Duration),
}

/// Calls that go wrong: all of them, unless something else is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StorageFault {
    spoil: Spoil,
    /// What the method and path of a call must begin with and contain.
    method: &'static str,
    path: &'static str,
    /// Matching calls that pass before.
    after: u64,
    /// Calls that are left to be spoilt.
    times: u64,
}

impl StorageFault {
    /// Every call from now on.
    pub(crate) const fn every(spoil: Spoil) -> Self {
        Self { spoil, method: "", path: "", after: 0, times: u64::MAX }
    }

    /// The same, for calls of this method whose path contains this text.
    #[must_use]
    pub(crate) const fn of(mut self, method: &'static str, path: &'static str) -> Self {
        (self.method, self.path) = (method, path);
        self
    }

    /// The same, but so many of the calls pass before.
    #[must_use]
    pub(crate) const fn after(mut self, calls: u64) -> Self {
        self.after = calls;
        self
    }

    /// The same, for so many calls.
    #[must_use]
    pub(crate) const fn times(mut self, calls: u64) -> Self {
        self.times = calls;
        self
    }

    /// How this call goes wrong, given its method and path.
    pub(super) fn strike(&mut self, call: &str) -> Option<Spoil> {
        if !call.starts_with(self.method) || !call.contains(self.path) || self.times == 0 {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.spoil)
    }
}

/// The answer of Azure Storage that refuses a call.
pub(super) fn refusal(status: u16, code: &str) -> String {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>Refused by the gate.\n\
         RequestId:6e3b2d0a-f01e-0052-6c1f-5b9d3c000000\nTime:2026-11-22T10:00:00.0000000Z</Message></Error>"
    );
    format!(
        "HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nServer: Windows-Azure-Blob/1.0\r\n\
         x-ms-error-code: {code}\r\nx-ms-version: 2023-11-03\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
