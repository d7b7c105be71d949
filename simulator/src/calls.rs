//! What the simulators were asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::LogType;

/// Requests seen by the simulators since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Requests for each Duo log.
    pub duo: BTreeMap<LogType, DuoCalls>,
    /// Requests to the Data Collector.
    pub log_analytics: PostCalls,
    /// Calls of the Logs Ingestion API.
    pub logs_ingestion: IngestionCalls,
    /// Requests for tokens.
    pub identity: IdentityCalls,
}

/// Requests for one Duo log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DuoCalls {
    /// All requests.
    pub requests: u64,
    /// Answered with a page (also one spoilt by a fault that still reads as 200).
    pub pages: u64,
    /// Records in those pages.
    pub records: u64,
    /// Answered 401: credentials, signature or date.
    pub unauthorized: u64,
    /// Answered 400 for parameters that break a rule.
    pub refused: u64,
}

/// Posts to the Data Collector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PostCalls {
    /// All requests.
    pub requests: u64,
    /// Accepted posts, those with a lost answer included.
    pub accepted: u64,
    /// Bytes of the accepted bodies.
    pub bytes: u64,
    /// Largest accepted body in bytes.
    pub largest: u64,
    /// Refused for breaking a rule, with the number of times for each error code.
    pub refused: BTreeMap<String, u64>,
    /// Accepted rows by table, that is by `Log-Type` with `_CL`.
    pub rows: BTreeMap<String, u64>,
    /// Values in accepted rows that are larger than the service keeps, so that it cut them.
    pub values_cut: u64,
}

/// Calls of the Logs Ingestion API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestionCalls {
    /// All requests.
    pub requests: u64,
    /// Accepted calls, those with a lost answer included.
    pub accepted: u64,
    /// Bytes of the accepted bodies, unpacked.
    pub bytes: u64,
    /// Bytes of the accepted bodies as they were sent.
    pub bytes_sent: u64,
    /// Largest accepted body in bytes, unpacked.
    pub largest: u64,
    /// Refused for breaking a rule, with the number of times for each error code.
    pub refused: BTreeMap<String, u64>,
    /// Accepted rows by table, with `_CL`.
    pub rows: BTreeMap<String, u64>,
    /// Values dropped because their column is not declared, by column: what Azure shows as "Log Columns
    /// Dropped". A null is no value.
    pub columns_dropped: BTreeMap<String, u64>,
    /// Values that did not fit the type of their column, by column.
    pub values_misfit: BTreeMap<String, u64>,
    /// Values that are larger than the service keeps, so that it cut them.
    pub values_cut: u64,
}

/// Requests for tokens, from both endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IdentityCalls {
    /// All requests.
    pub requests: u64,
    /// Answered with a token.
    pub tokens: u64,
    /// Refused for breaking a rule, with the number of times for each error code.
    pub refused: BTreeMap<String, u64>,
}

/// The counters behind [`Calls`].
#[derive(Debug, Default)]
pub(crate) struct CallCounter(Mutex<Calls>);

impl CallCounter {
    pub(crate) fn snapshot(&self) -> Calls {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets `count` change the counters.
    fn count(&self, count: impl FnOnce(&mut Calls)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn duo(&self, log: LogType, count: impl FnOnce(&mut DuoCalls)) {
        self.count(|calls| count(calls.duo.entry(log).or_default()));
    }

    pub(crate) fn logs_ingestion(&self, count: impl FnOnce(&mut IngestionCalls)) {
        self.count(|calls| count(&mut calls.logs_ingestion));
    }

    pub(crate) fn identity(&self, count: impl FnOnce(&mut IdentityCalls)) {
        self.count(|calls| count(&mut calls.identity));
    }

    pub(crate) fn log_analytics(&self, count: impl FnOnce(&mut PostCalls)) {
        self.count(|calls| count(&mut calls.log_analytics));
    }
}
