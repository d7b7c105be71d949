//! Waits within a run.

use super::borders::{checkpoint, page, sending, started, world_with};
use super::time::{hours, millis, seconds};
use super::world::{NOON, Next, Reply};
use crate::model::{FetchErrorKind, HOUR, SendErrorKind};
use crate::sync::checkpoint::Lease;
use crate::sync::{BackOffCause, RunOutcome};
use chrono::TimeDelta;

/// Makes the last request of a burst. Returns the stored lease and the next operation.
fn after_the_last_request(
    requests_per_minute: u32,
    time_limit: TimeDelta,
) -> (Option<Lease>, Next) {
    let mut checkpoint = checkpoint(NOON - hours(10));
    // One request is left of the burst of ten.
    checkpoint.rate.log.full_at =
        NOON + TimeDelta::minutes(9) / i32::try_from(requests_per_minute).unwrap();
    let mut world = world_with(&checkpoint);
    world.config.limits.requests_per_minute = requests_per_minute;
    world.config.limits.run_time_limit = time_limit;
    world.add_now(0);
    let mut instance = world.instance("a");
    assert!(matches!(world.next(&mut instance), Next::Fetch(_)));
    let times = [NOON - hours(9) - TimeDelta::minutes(30)];
    let next = world.respond(&mut instance, page(&times, Some("1,2")));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
    assert!(matches!(world.serve(&mut instance), Next::Send));
    assert!(matches!(world.serve(&mut instance), Next::Append));
    let Next::Save(saved) = world.serve(&mut instance) else { panic!() };
    (saved.lease, world.serve(&mut instance))
}

#[test]
fn a_run_waits_up_to_five_seconds_for_a_token_and_never_beyond_its_end() {
    // Twelve per minute: one in five seconds. The run keeps its lease.
    let (lease, next) = after_the_last_request(12, seconds(50));
    assert!(lease.is_some());
    assert!(matches!(next, Next::Sleep(pause) if pause == seconds(5)), "{next:?}");
    // A little more than five seconds: the lease is released with the page.
    let (lease, next) = after_the_last_request(11, seconds(50));
    assert_eq!(lease, None);
    assert!(matches!(next, Next::End(RunOutcome::RateLimited)), "{next:?}");
    // The run ends before or when the token is available.
    for (time_limit, waits) in [(seconds(5), false), (seconds(5) + millis(1), true)] {
        let (_, next) = after_the_last_request(12, time_limit);
        assert_eq!(matches!(next, Next::Sleep(_)), waits, "{next:?}");
    }
}

#[test]
fn a_log_waits_for_a_token_of_the_account() {
    let mut world = world_with(&checkpoint(NOON - HOUR));
    world.config.limits.requests_per_minute = 10;
    let empty = crate::sync::TokenBucket { full_at: NOON + TimeDelta::minutes(1) };
    *world.account.lock().unwrap() = Some(empty);
    let mut instance = world.instance("a");
    let next = world.next(&mut instance);
    assert!(matches!(next, Next::Sleep(pause) if pause == seconds(2)), "{next:?}");
}

#[test]
fn azure_monitors_retry_after_is_a_wait_within_the_run_or_else_a_back_off() {
    let throttled = |pause, is_shutdown| {
        let (mut world, mut instance) = sending();
        if is_shutdown {
            instance.request_shutdown();
        }
        let retry_after = Some(pause);
        let next = world
            .respond(&mut instance, Reply::Sent(Err(SendErrorKind::Throttled { retry_after })));
        (world, instance, next)
    };
    let (_, _, next) = throttled(seconds(50) - millis(1), false);
    assert!(matches!(next, Next::Sleep(pause) if pause == millis(49_999)), "{next:?}");
    let (mut world, mut instance, next) = throttled(seconds(50), false);
    let Next::Save(saved) = next else { panic!("{next:?}") };
    let back_off = saved.back_off.unwrap();
    assert_eq!(
        (back_off.retry_at, back_off.cause),
        (NOON + seconds(50), BackOffCause::AzureThrottled)
    );
    world.finish(&mut instance);
    let stats = instance.result.unwrap().stats;
    assert_eq!((stats.counts.throttled, stats.counts.retries), (1, 0));
    // After a shutdown request the run does not wait.
    let (mut world, mut instance, next) = throttled(seconds(1), true);
    assert!(matches!(next, Next::Save(saved) if saved.lease.is_none()));
    assert_eq!(world.finish(&mut instance), RunOutcome::ShutdownRequested);
    // Without `Retry-After`.
    let (mut world, mut instance) = sending();
    let retry_after = None;
    let next =
        world.respond(&mut instance, Reply::Sent(Err(SendErrorKind::Throttled { retry_after })));
    assert!(matches!(next, Next::Sleep(_)), "{next:?}");
}

#[test]
fn a_pause_is_jittered_by_half_and_ends_before_the_run() {
    let first_pause = |seed, time_limit| {
        let mut world = world_with(&checkpoint(NOON - HOUR));
        world.config.limits.run_time_limit = time_limit;
        let mut instance = world.instance("a");
        instance.seed(seed);
        world.next(&mut instance);
        match world.respond(&mut instance, Reply::Page(Err(FetchErrorKind::Unreachable))) {
            Next::Sleep(pause) => Some(pause),
            _ => None,
        }
    };
    for seed in 0..50 {
        let pause = first_pause(seed, seconds(50)).unwrap();
        assert!((millis(250)..=millis(500)).contains(&pause), "{pause}");
        assert_eq!(first_pause(seed, pause), None);
        assert_eq!(first_pause(seed, pause + millis(1)), Some(pause));
    }
}

#[test]
fn an_error_has_the_number_and_duration_of_its_attempts() {
    let (mut world, _, _) = started(&checkpoint(NOON - HOUR));
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Unreachable), 100).collect();
    let mut instance = world.instance("a");
    world.finish(&mut instance);
    let error = instance.result.unwrap().error.unwrap().to_string();
    assert!(error.contains(" attempts in ") && error.ends_with(" s)"), "{error}");
}
