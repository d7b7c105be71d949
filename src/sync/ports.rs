//! The only way from the core to the outside: clock, randomness, Duo, Azure Monitor, storage.
//!
//! The collector implements it with the real services, the tests with simulated ones. Every `.await` on a port is a point
//! at which the process may be killed, the request may fail, or another instance may act.

use std::future::Future;
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::TimeDelta;

use super::outcome::RunCounts;
use super::token_bucket::TokenBucket;
use crate::model::{Batch, FetchError, Millis, PageRequest, PageResponse, SendError};
use crate::storage::{DeadLetters, LogState};

/// What a run of one log needs of the outside.
pub trait Ports: Sync {
    /// The state of the log.
    fn state(&self) -> &LogState;

    /// The dead letters of the account.
    fn dead_letters(&self) -> &DeadLetters;

    /// The local clock; it never runs backwards within a run.
    fn now(&self) -> Millis;

    /// A random number of milliseconds, for jitter.
    fn random(&self, range: RangeInclusive<i64>) -> i64;

    /// Whether the process was asked to shut down: the run then ends at its next safe point.
    fn is_shutdown_requested(&self) -> bool;

    /// Whether the process of this name provably no longer lives on this machine.
    fn is_gone(&self, owner: &str) -> bool;

    /// Takes a request from the bucket of the Duo account, of which the log has seen `known`. Returns how long to wait
    /// where there is none, and the bucket as it is now.
    fn take_account_token(&self, known: TokenBucket) -> (Result<(), TimeDelta>, TokenBucket);

    /// Waits; returns early when a shutdown is requested.
    fn sleep(&self, pause: TimeDelta) -> impl Future<Output = ()> + Send;

    /// Requests one page from Duo, dated and signed for this attempt. A shutdown request aborts it.
    fn fetch_page(
        &self,
        request: &PageRequest,
    ) -> impl Future<Output = Result<PageResponse, FetchError>> + Send;

    /// Sends one batch and returns when Azure Monitor has accepted it, or after `timeout`. After an error it may have been
    /// accepted all the same.
    fn send(
        &self,
        batch: &Batch,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), SendError>> + Send;

    /// Takes note of what the run did so far, after each page; `reached` is up to where a backfill was read.
    fn progress(&self, reached: Option<Millis>, counts: &RunCounts);
}
