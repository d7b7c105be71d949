//! Counts of the requests that the simulators received.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::LogType;

/// Requests received since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests per Duo log.
    pub duo: BTreeMap<LogType, DuoCounts>,
    /// Requests to the Data Collector API.
    pub log_analytics: PostCounts,
    /// Requests to the Logs Ingestion API.
    pub logs_ingestion: IngestionCounts,
    /// Requests for tokens.
    pub identity: IdentityCounts,
}

/// Requests for one Duo log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DuoCounts {
    /// All requests.
    pub requests: u64,
    /// Responses with a page, including damaged ones that still have status 200.
    pub pages: u64,
    /// Records in those pages.
    pub records: u64,
    /// Pages that were sent compressed.
    pub compressed: u64,
    /// Responses with 401: credentials, signature or date.
    pub unauthorized: u64,
    /// Responses with 400 for invalid parameters.
    pub refused: u64,
}

/// Requests to the Data Collector API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PostCounts {
    /// All requests.
    pub requests: u64,
    /// Accepted requests, including those whose response was lost.
    pub accepted: u64,
    /// Bytes of the accepted bodies.
    pub bytes: u64,
    /// Largest accepted body in bytes.
    pub largest: u64,
    /// Refused requests by error code.
    pub refused: BTreeMap<String, u64>,
    /// Accepted rows by table, that is by `Log-Type` with `_CL`.
    pub rows: BTreeMap<String, u64>,
    /// Values in accepted rows that the service truncated because they exceed its limit.
    pub values_cut: u64,
}

/// Requests to the Logs Ingestion API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestionCounts {
    /// All requests.
    pub requests: u64,
    /// Accepted requests, including those whose response was lost.
    pub accepted: u64,
    /// Bytes of the accepted bodies, uncompressed.
    pub bytes: u64,
    /// Bytes of the accepted bodies as they were sent.
    pub bytes_sent: u64,
    /// Largest accepted body in bytes, uncompressed.
    pub largest: u64,
    /// Refused requests by error code.
    pub refused: BTreeMap<String, u64>,
    /// Accepted rows by table, with `_CL`.
    pub rows: BTreeMap<String, u64>,
    /// Values dropped because their column is not declared, by column: what Azure shows as "Log
    /// Columns Dropped". A null does not count.
    pub columns_dropped: BTreeMap<String, u64>,
    /// Values that did not fit the type of their column, by column.
    pub values_misfit: BTreeMap<String, u64>,
    /// Values that the service truncated because they exceed its limit.
    pub values_cut: u64,
}

/// Requests for tokens, from both endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IdentityCounts {
    /// All requests.
    pub requests: u64,
    /// Responses with a token.
    pub tokens: u64,
    /// Refused requests by error code.
    pub refused: BTreeMap<String, u64>,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Counter(Mutex<Counts>);

impl Counter {
    pub(crate) fn snapshot(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Applies `count` to the counters.
    fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn duo(&self, log: LogType, count: impl FnOnce(&mut DuoCounts)) {
        self.count(|counts| count(counts.duo.entry(log).or_default()));
    }

    pub(crate) fn logs_ingestion(&self, count: impl FnOnce(&mut IngestionCounts)) {
        self.count(|counts| count(&mut counts.logs_ingestion));
    }

    pub(crate) fn identity(&self, count: impl FnOnce(&mut IdentityCounts)) {
        self.count(|counts| count(&mut counts.identity));
    }

    pub(crate) fn log_analytics(&self, count: impl FnOnce(&mut PostCounts)) {
        self.count(|counts| count(&mut counts.log_analytics));
    }
}
