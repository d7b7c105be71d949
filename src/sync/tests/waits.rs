//! How long a run waits, and when it does not.

use super::borders::{begun, checkpoint, no_checks, page, sending};
use super::world::NOON;
use crate::model::{HOUR, MINUTE, SECOND};
use crate::sync::{
    Action, Bucket, Claim, Ending, Event, FetchFault, Limits, LogRun, ParkCause, SendFault,
};

/// A run that may make one more call, at so many a minute, and made it: what it stores and does then.
fn after_the_last_call(calls_per_minute: u32, deadline: i64) -> (Option<Claim>, Action) {
    let limits = Limits {
        calls_per_minute,
        ..no_checks()
    };
    let mut run = LogRun::new(limits, NOON + deadline, fastrand::Rng::with_seed(3));
    run.step(Event::Started, NOON, false);
    let mut checkpoint = checkpoint(NOON - 10 * HOUR);
    checkpoint.rate.log.tokens = 1.0;
    let loaded = Event::Loaded {
        checkpoint: Some(Box::new(checkpoint)),
        claim_is_dead: false,
    };
    let action = run.step(loaded, NOON, false);
    let Action::Draw(account) = action else {
        panic!("the account's bucket is not asked: {action:?}")
    };
    run.step(
        Event::Drawn {
            wait: None,
            account,
        },
        NOON,
        false,
    );
    let times = [NOON - 9 * HOUR - 30 * MINUTE];
    run.step(page(&times, Some("1,2")), NOON, false);
    run.step(Event::Recalled(vec![false]), NOON, false);
    run.step(Event::Saved, NOON, false);
    run.step(Event::Accepted, NOON, false);
    let Action::Save(saved) = run.step(Event::Recorded, NOON, false) else {
        panic!()
    };
    (saved.claim, run.step(Event::Saved, NOON, false))
}

#[test]
fn a_call_is_waited_for_up_to_five_seconds_and_never_beyond_the_end_of_the_run() {
    // Twelve a minute: one in five seconds. The claim is kept for it.
    let (claim, action) = after_the_last_call(12, 50 * SECOND);
    assert!(claim.is_some());
    assert!(matches!(action, Action::Wait(5000)), "{action:?}");
    // A little more than five seconds: the claim is given back with the page.
    let (claim, action) = after_the_last_call(11, 50 * SECOND);
    assert_eq!(claim, None);
    assert!(
        matches!(action, Action::Stop(Ending::OutOfCalls)),
        "{action:?}"
    );
    // The run ends before, or when, the call may be made.
    for (deadline, waits) in [(5 * SECOND, false), (5 * SECOND + 1, true)] {
        let (_, action) = after_the_last_call(12, deadline);
        assert_eq!(matches!(action, Action::Wait(_)), waits, "{action:?}");
    }
}

#[test]
fn the_wait_of_a_drawn_account_is_a_wait_of_the_log() {
    let limits = Limits {
        calls_per_minute: 10,
        ..no_checks()
    };
    let (mut run, _) = begun(limits, checkpoint(NOON - HOUR));
    let account = Bucket::full(3, NOON);
    let wait = Some(2000);
    let action = run.step(Event::Drawn { wait, account }, NOON, false);
    assert!(matches!(action, Action::Wait(2000)), "{action:?}");
}

#[test]
fn azure_monitors_retry_after_is_waited_for_within_the_run_and_parks_the_log_beyond_it() {
    let throttled = |asked, interrupted| {
        let mut run = sending();
        let retry_after = Some(asked);
        let fault = Event::SendFailed(SendFault::Throttled { retry_after });
        let action = run.step(fault, NOON, interrupted);
        assert_eq!(run.tally().throttled, 1);
        (run, action)
    };
    let (run, action) = throttled(50 * SECOND - 1, false);
    assert!(matches!(action, Action::Wait(49_999)), "{action:?}");
    assert_eq!(run.tally().retries, 1);
    let (_, action) = throttled(50 * SECOND, false);
    let Action::Save(saved) = action else {
        panic!("{action:?}")
    };
    let parked = saved.parked.unwrap();
    let until = NOON + 50 * SECOND;
    assert_eq!(
        (parked.not_before, parked.cause),
        (until, ParkCause::AzureThrottled)
    );
    // A run that is asked to end does not wait.
    let (mut run, action) = throttled(SECOND, true);
    assert!(matches!(action, Action::Save(saved) if saved.claim.is_none()));
    let action = run.step(Event::Saved, NOON, true);
    assert!(matches!(action, Action::Stop(Ending::Interrupted)));
    // Nobody says how long.
    let mut run = sending();
    let retry_after = None;
    run.step(
        Event::SendFailed(SendFault::Throttled { retry_after }),
        NOON,
        false,
    );
    assert_eq!(run.tally().throttled, 1);
}

#[test]
fn a_backoff_is_between_half_and_the_whole_and_ends_before_the_run() {
    let first_wait = |seed, deadline| {
        let mut run = LogRun::new(no_checks(), NOON + deadline, fastrand::Rng::with_seed(seed));
        run.step(Event::Started, NOON, false);
        let loaded = Event::Loaded {
            checkpoint: Some(Box::new(checkpoint(NOON - HOUR))),
            claim_is_dead: false,
        };
        run.step(loaded, NOON, false);
        let action = run.step(Event::FetchFailed(FetchFault::Unreachable), NOON, false);
        match action {
            Action::Wait(wait) => Some((wait, run.tally().retries)),
            _ => None,
        }
    };
    for seed in 0..50 {
        let (wait, retries) = first_wait(seed, 50 * SECOND).unwrap();
        assert!((250..=500).contains(&wait), "{wait}");
        assert_eq!(retries, 1);
        assert_eq!(first_wait(seed, wait), None);
        assert_eq!(first_wait(seed, wait + 1), Some((wait, 1)));
    }
}
