//! Every real request to Duo, Azure Monitor and Blob Storage fails once, in every way, with the
//! real program, Azurite, and a new process for each run.  `DUO_SENTINEL_EVERY_REQUEST=all` tests
//! every request with every failure, hanging ones too; a number limits the schedules.

mod play;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::play::{Schedule, Side, play};
use crate::common::{Azurite, Failure, text};

/// Default number of schedules.
const SCHEDULES: usize = 75;
/// Schedules per instance of Azurite.
const PLAYS_PER_AZURITE: usize = 300;
/// Concurrent schedules: most of their time is waiting.
const CONCURRENT: usize = 6;
/// Concurrent schedules with a hanging request, which only wait.
const CONCURRENT_HANGING: usize = 30;

const FAILURES: [Failure; 7] = [
    Failure::Closed,
    Failure::Truncated,
    Failure::Status(429),
    Failure::Status(500),
    Failure::Status(503),
    Failure::Status(403),
    Failure::ResponseLost,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_request_fails_once() {
    let azurite = Arc::new(Azurite::of_its_own());
    let undisturbed = play(&azurite, None).await.expect("a run without failures succeeds");
    assert_eq!(undisturbed.duplicates, 0);
    let requests = Side::ALL.map(|side| undisturbed.requests[side.index()]);
    let [duo, sink, blob] = requests;
    println!("no failure: {duo} requests to Duo, {sink} to Azure Monitor, {blob} to Blob Storage");
    assert!(duo > 30 && sink > 20 && blob > 100, "too few requests");
    let limit = match text("DUO_SENTINEL_EVERY_REQUEST").as_deref() {
        None => Some(SCHEDULES),
        Some("all") => None,
        Some(number) => Some(number.parse().expect("a number, or all")),
    };
    let schedules = schedules(requests, limit);
    let count = schedules.len();

    let permits = Arc::new(Semaphore::new(CONCURRENT));
    let hanging_permits = Arc::new(Semaphore::new(CONCURRENT_HANGING));
    let (mut failed, mut duplicates, mut errors) = (0, 0, Vec::new());
    for batch in schedules.chunks(PLAYS_PER_AZURITE) {
        let azurite = Arc::new(Azurite::of_its_own());
        let mut plays = JoinSet::new();
        for &schedule in batch {
            let azurite = Arc::clone(&azurite);
            let is_hanging = schedule.failure == Failure::Hang;
            let permits = Arc::clone(if is_hanging { &hanging_permits } else { &permits });
            plays.spawn(async move {
                let _permit = permits.acquire_owned().await.expect("the semaphore is never closed");
                play(&azurite, Some(schedule)).await
            });
        }
        while let Some(played) = plays.join_next().await {
            match played.expect("a play does not panic") {
                Ok(played) => {
                    failed += usize::from(played.has_failed);
                    duplicates += played.duplicates;
                }
                Err(error) => errors.push(error),
            }
        }
        println!("{failed} failed so far, {} errors", errors.len());
    }
    assert!(errors.is_empty(), "{} errors: {errors:#?}", errors.len());
    println!(
        "{count} schedules, the request failed in {failed} of them: lost 0, {duplicates} duplicates"
    );
    // The number of requests varies by a few, because six logs share one process.
    assert!(failed * 10 >= count * 9, "{failed} of {count} failed");
}

/// Every request with every failure, or `limit` of them, spread evenly.
fn schedules(requests: [u64; 3], limit: Option<usize>) -> Vec<Schedule> {
    let requests = Side::ALL
        .into_iter()
        .zip(requests)
        .flat_map(|(side, count)| (1..=count).map(move |request| (side, request)));
    let hang = limit.is_none().then_some(Failure::Hang);
    let all: Vec<Schedule> = requests
        .flat_map(|(side, request)| {
            let failures = FAILURES.into_iter().chain(hang);
            failures.map(move |failure| Schedule { side, request, failure })
        })
        .collect();
    let mut stride = limit.map_or(1, |limit| all.len().div_ceil(limit.max(1)));
    if stride > 1 && stride.is_multiple_of(FAILURES.len()) {
        // Otherwise every request would have the same failure.
        stride += 1;
    }
    all.into_iter().step_by(stride).collect()
}
