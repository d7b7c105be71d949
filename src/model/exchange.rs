//! What goes between the core and the services: page requests, pages, batches, and why one of them failed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use strum::IntoStaticStr;

use super::{IngestionApi, Millis, Record};

/// One request for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// First moment, inclusive.
    pub mintime: Millis,
    /// Last moment, inclusive. The v1 endpoints have no such parameter.
    pub maxtime: Millis,
    /// The cursor of the page before, verbatim.
    pub cursor: Option<String>,
    /// Most records wanted, below what the endpoint grants; 1 where only the count matters.
    pub limit: Option<u32>,
    /// Longest wait for the whole response.
    pub timeout: Duration,
    /// Whether it reads closed hours again.
    pub is_reconciliation: bool,
}

/// One page of records.
#[derive(Clone, Debug, Default)]
pub struct PageResponse {
    /// The records, in Duo's order.
    pub records: Vec<Record>,
    /// Cursor of the next page, in the form in which it goes back.
    pub cursor: Option<String>,
    /// How many records the whole request has, where Duo gave an exact number.
    pub total: Option<u64>,
    /// Duo's clock, from the `Date` header; whole seconds.
    pub server_time: Option<Millis>,
}

/// Rows that go out in one request.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The records, oldest first.
    pub records: Vec<Record>,
    /// The kind they all share.
    pub kind: IngestKind,
}

impl Batch {
    /// Keeps the older half and returns the newer one; `None` where there is a single record.
    pub fn halve(&mut self) -> Option<Self> {
        if self.records.len() < 2 {
            return None;
        }
        let records = self.records.split_off(self.records.len() / 2);
        let kind = self.kind;
        Some(Self { records, kind })
    }
}

/// How a row came to be sent: the value of `ingest_kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum IngestKind {
    /// With its window.
    Live,
    /// Seen only after its window had been closed.
    Late,
    /// More than 48 hours after it happened.
    Backfill,
}

/// The error below an error, shared so that the error can be kept and reported.
pub(crate) type Source = Arc<dyn Error + Send + Sync>;

fn answer(who: &str, status: Option<u16>) -> String {
    match status {
        Some(status) => format!("{who} returned HTTP {status}"),
        None => format!("no response from {who}"),
    }
}

/// Why Duo gave no page.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} for {path}: {reason}{tries}", answer("Duo", *status))]
pub struct FetchError {
    /// What the caller decides by.
    pub kind: FetchErrorKind,
    /// Path of the endpoint.
    pub path: &'static str,
    /// HTTP status, where there was a response.
    pub status: Option<u16>,
    /// What went wrong, in one line: Duo's own words for a refusal, or the transport error; never a cursor or a key.
    pub reason: String,
    /// How far the local clock is ahead of Duo's (negative: behind), where the response had a date.
    pub clock_ahead: Option<TimeDelta>,
    /// Requests that were made, and the time they took.
    pub tries: Tries,
    /// The error below it.
    #[source]
    pub source: Option<Source>,
}

impl FetchError {
    /// No response came.
    pub fn unreachable(path: &'static str, reason: impl Into<String>) -> Self {
        Self {
            kind: FetchErrorKind::Unreachable,
            path,
            status: None,
            reason: reason.into(),
            clock_ahead: None,
            tries: Tries::default(),
            source: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchErrorKind {
    /// Too many requests (429).
    Throttled {
        /// How long Duo wants a pause, where it said so.
        retry_after: Option<TimeDelta>,
    },
    TimedOut,
    /// No connection, a truncated response, 408 or 5xx: transient.
    Unreachable,
    /// A response that is not Duo's envelope.
    Malformed,
    /// The credentials or the date were refused (401).
    Credentials,
    /// The log is not permitted (403).
    Forbidden,
    /// The endpoint does not exist (404, 410).
    Gone,
    /// The request was refused (400).
    Rejected,
    /// Anything that a retry cannot change.
    Fatal,
}

/// Why Azure Monitor did not accept a batch.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {reason}{tries}", match kind {
    SendErrorKind::NoToken { .. } => "no token for Azure Monitor".to_owned(),
    _ => answer("Azure Monitor", *status),
})]
pub struct SendError {
    /// The API that the batch went to.
    pub api: IngestionApi,
    /// What the caller decides by.
    pub kind: SendErrorKind,
    /// HTTP status, where there was a response.
    pub status: Option<u16>,
    /// The service's error code, where the response has one.
    pub code: Option<String>,
    /// What went wrong, in one line; never a token, a key or a part of a row.
    pub reason: String,
    /// Requests that were made, and the time they took.
    pub tries: Tries,
    /// The error below it.
    #[source]
    pub source: Option<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendErrorKind {
    /// Too much or too often (429).
    Throttled {
        /// How long the service wants a pause, where it said so.
        retry_after: Option<TimeDelta>,
    },
    /// No response within the timeout. The rows may have been accepted.
    TimedOut,
    /// No connection, no response, 408 or 5xx. The rows may have been accepted.
    Unreachable,
    TooLarge,
    BadRecord,
    Credentials,
    /// No token was issued, so that nothing was sent.
    NoToken {
        /// Whether the next run may get one.
        is_transient: bool,
    },
    /// A success status with a body that is not Azure Monitor's: something between here and there answered.
    Intercepted,
    /// Anything that a retry cannot change.
    Fatal,
}

/// Requests that were made for one result, and the time they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    pub count: u32,
    /// From the first request to the last error.
    pub elapsed: TimeDelta,
}

impl fmt::Display for Tries {
    /// Empty after one request.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count < 2 {
            return Ok(());
        }
        write!(formatter, " ({} attempts in {} s)", self.count, self.elapsed.num_seconds())
    }
}
