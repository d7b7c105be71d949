//! The core's only access to the outside: clock, randomness, Duo, Azure Monitor, storage.
//!
//! The collector implements it with the real services, the tests with simulated ones. At every
//! `.await` on a port the process may be killed, the request fail, or another instance act.

use std::future::Future;
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::TimeDelta;

use super::outcome::RunCounts;
use super::token_bucket::TokenBucket;
use crate::model::{Batch, FetchError, Millis, PageRequest, PageResponse, SendError};
use crate::storage::{DeadLetters, LogState};

/// External services of a run of one log.
pub trait Ports: Sync {
    /// The state of the log.
    fn state(&self) -> &LogState;

    /// The dead letters of the account.
    fn dead_letters(&self) -> &DeadLetters;

    /// The local clock; it never goes backwards within a run.
    fn now(&self) -> Millis;

    /// A random number in the range, for jitter.
    fn random(&self, range: RangeInclusive<i64>) -> i64;

    /// Whether a shutdown was requested; the run then ends at its next safe point.
    fn is_shutdown_requested(&self) -> bool;

    /// Whether the lease owner is a process of this machine that has provably ended.
    fn is_gone(&self, owner: &str) -> bool;

    /// Takes a token from the bucket of the Duo account, given the state `known` to the log.
    /// Returns how long to wait if there is none, and the current bucket.
    fn take_account_token(&self, known: TokenBucket) -> (Result<(), TimeDelta>, TokenBucket);

    /// Waits; returns early when a shutdown is requested.
    fn sleep(&self, pause: TimeDelta) -> impl Future<Output = ()> + Send;

    /// Requests one page from Duo, dated and signed for this try. A shutdown aborts the request.
    fn fetch_page(
        &self,
        request: &PageRequest,
    ) -> impl Future<Output = Result<PageResponse, FetchError>> + Send;

    /// Sends one batch. Returns when Azure Monitor has accepted it, or after `timeout`. After an
    /// error the batch may have been accepted nevertheless.
    fn send(
        &self,
        batch: &Batch,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), SendError>> + Send;

    /// Reports the counts of the run after each page; `reached` is the progress of a backfill.
    fn progress(&self, reached: Option<Millis>, counts: &RunCounts);
}
