//! Data exchanged with Duo and Azure Monitor: page requests, pages, batches, and errors.

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
    /// Start, inclusive.
    pub mintime: Millis,
    /// End, inclusive. The v1 endpoints have no such parameter.
    pub maxtime: Millis,
    /// The cursor of the previous page, verbatim.
    pub cursor: Option<String>,
    /// Page size below the endpoint's maximum; 1 to get only the count.
    pub limit: Option<u32>,
    /// Timeout for the whole response.
    pub timeout: Duration,
    /// Whether the request is part of reconciliation.
    pub is_reconciliation: bool,
}

/// One page of records.
#[derive(Clone, Debug, Default)]
pub struct PageResponse {
    /// The records, in Duo's order.
    pub records: Vec<Record>,
    /// Cursor of the next page, as the next request sends it.
    pub cursor: Option<String>,
    /// Duo's record count of the whole window, if Duo returned an exact one.
    pub total: Option<u64>,
    /// Duo's clock, from the `Date` header; whole seconds.
    pub server_time: Option<Millis>,
    /// The requested page size, if the endpoint has one.
    pub limit: Option<u32>,
}

/// Rows sent in one request.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The records, oldest first.
    pub records: Vec<Record>,
    /// The kind of all records.
    pub kind: IngestKind,
}

impl Batch {
    /// Keeps the older half and returns the newer one; `None` for a single record.
    pub fn halve(&mut self) -> Option<Self> {
        if self.records.len() < 2 {
            return None;
        }
        let records = self.records.split_off(self.records.len() / 2);
        let kind = self.kind;
        Some(Self { records, kind })
    }
}

/// Why a row was sent: the value of `ingest_kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum IngestKind {
    /// Sent with its window.
    Live,
    /// First seen after its window was closed.
    Late,
    /// A delivered event that Duo changed in place.
    Update,
    /// Sent more than 48 hours after the event.
    Backfill,
}

/// The source of an error, shared so that the error can be cloned.
pub(crate) type Source = Arc<dyn Error + Send + Sync>;

fn response(service: &str, status: Option<u16>) -> String {
    match status {
        Some(status) => format!("{service} returned HTTP {status}"),
        None => format!("no response from {service}"),
    }
}

/// Why a request to Duo returned no page.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} for {path}: {reason}{tries}", response("Duo", *status))]
pub struct FetchError {
    /// The kind of error.
    pub kind: FetchErrorKind,
    /// Path of the endpoint.
    pub path: &'static str,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The reason in one line: Duo's message or the transport error; never a cursor or a key.
    pub reason: String,
    /// How far the local clock is ahead of Duo's (negative: behind), if the response had a date.
    pub clock_ahead: Option<TimeDelta>,
    /// Number of tries and their duration.
    pub tries: Tries,
    /// The underlying error.
    #[source]
    pub source: Option<Source>,
}

impl FetchError {
    /// An error without a response.
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
        /// Duo's `Retry-After`.
        retry_after: Option<TimeDelta>,
    },
    TimedOut,
    /// No connection, a truncated response, 408 or 5xx: transient.
    Unreachable,
    /// The page is larger than the limit of bytes; a smaller one may be accepted.
    TooLarge,
    /// A response without Duo's envelope.
    Malformed,
    /// The credentials or the date were refused (401).
    Credentials,
    /// The log is not permitted (403).
    Forbidden,
    /// The endpoint does not exist (404, 410).
    Gone,
    /// The request was refused (400).
    Rejected,
    /// An error that a retry cannot resolve.
    Fatal,
}

/// Why Azure Monitor did not accept a batch.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {reason}{tries}", match kind {
    SendErrorKind::NoToken { .. } => "no token for Azure Monitor".to_owned(),
    _ => response("Azure Monitor", *status),
})]
pub struct SendError {
    /// The API that the batch went to.
    pub api: IngestionApi,
    /// The kind of error.
    pub kind: SendErrorKind,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The error code of the response.
    pub code: Option<String>,
    /// The reason in one line; never a token, a key or a part of a row.
    pub reason: String,
    /// Number of tries and their duration.
    pub tries: Tries,
    /// The underlying error.
    #[source]
    pub source: Option<Source>,
}

impl SendError {
    /// Whether Azure Monitor itself failed (5xx), which one record may cause.
    pub(crate) fn is_server_error(&self) -> bool {
        self.kind == SendErrorKind::Unreachable && self.status.is_some_and(|status| status >= 500)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendErrorKind {
    /// Too much data or too many requests (429).
    Throttled {
        /// Azure Monitor's `Retry-After`.
        retry_after: Option<TimeDelta>,
    },
    /// No response within the timeout. The rows may have been accepted.
    TimedOut,
    /// No connection, no response, 408 or 5xx. The rows may have been accepted.
    Unreachable,
    TooLarge,
    BadRecord,
    Credentials,
    /// No token was issued; nothing was sent.
    NoToken {
        /// Whether a later run may get a token.
        is_transient: bool,
    },
    /// A success status with a body that is not Azure Monitor's: a proxy intercepted the request.
    Intercepted,
    /// An error that a retry cannot resolve.
    Fatal,
}

/// Number of tries for one request, and their duration.
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
