//! The end of a run: time limit, rate limit, shutdown.

use super::borders::{checkpoint, page, started, world_with};
use super::time::{hours, millis, minutes, seconds};
use super::world::{NOON, Next, World, clustered};
use crate::model::{HOUR, MINUTE};
use crate::sync::checkpoint::Lease;
use crate::sync::{RunOutcome, Warning};

#[test]
fn a_run_ends_between_pages_at_its_time_limit_and_releases_the_lease() {
    let mut world = World::new(clustered());
    world.latency = seconds(5);
    let started = world.now;
    assert_eq!(world.run("a").0, RunOutcome::OutOfTime);
    assert!(world.now - started <= seconds(70), "{}", world.now - started);
    assert_eq!(world.checkpoint().lease, None);
    assert!(!world.accepted.is_empty());
    world.latency = millis(10);
    world.run_until_caught_up("b");
    world.assert_all_once();
}

#[test]
fn a_run_resumes_a_window_with_the_cursor_and_the_bounds_of_the_previous_run() {
    let mut world = World::new(clustered());
    world.latency = seconds(5);
    for _ in 0..20 {
        if world.checkpoint_window_cursor().is_some() {
            break;
        }
        world.run("a");
    }
    let request_count = world.requests.len();
    let before = world.requests.last().unwrap().clone();
    world.now = world.now + MINUTE;
    world.run("b");
    let next = &world.requests[request_count];
    assert!(next.cursor.is_some() && next.cursor != before.cursor, "{next:?}");
    assert_eq!((next.mintime, next.maxtime), (before.mintime, before.maxtime));
}

#[test]
fn the_rate_limit_holds_across_runs_without_long_sleeps() {
    let mut world = World::new((0..200).map(|number| NOON - HOUR + seconds(number * 5)));
    world.config.limits.requests_per_minute = 10;
    world.page_size = 2;
    assert_eq!(world.run("a").0, RunOutcome::RateLimited);
    assert_eq!((world.request_count, world.counts.len()), (8, 2));
    assert_eq!(world.checkpoint().lease, None);
    for _ in 0..5 {
        world.now = world.now + MINUTE;
        world.run("a");
    }
    let requests = world.request_count + world.counts.len() as u64;
    assert!((50..=60).contains(&requests), "{requests}");
    assert!(world.slept.iter().all(|slept| *slept <= seconds(5)), "{:?}", world.slept);
    world.config.limits.requests_per_minute = 0;
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_shutdown_before_the_first_request_stores_only_the_first_checkpoint() {
    let mut world = World::new(clustered());
    let mut instance = world.instance("a");
    instance.request_shutdown();
    assert_eq!(world.finish(&mut instance), RunOutcome::ShutdownRequested);
    assert_eq!(world.request_count, 0);
    assert_eq!(world.checkpoint().mintime, world.config.start.0);
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn a_shutdown_within_a_window_ends_the_run_after_the_current_page() {
    let mut leased = checkpoint(NOON - HOUR);
    leased.lease = Some(Lease { owner: "a".to_owned(), expires_at: NOON + MINUTE });
    let (mut world, mut instance, _) = started(&leased);
    world.add_now(0);
    world.events[0].time = NOON - MINUTE;
    world.add_to_ledger(world.events[0]);
    instance.request_shutdown();
    let next = world.respond(&mut instance, page(&[NOON - MINUTE], Some("next")));
    let Next::Save(stored) = next else {
        panic!("{next:?}");
    };
    assert_eq!(stored.lease, None);
    let cursor = stored.window.and_then(|window| window.cursor);
    assert_eq!(cursor.as_deref(), Some("next"));
    assert_eq!(world.finish(&mut instance), RunOutcome::ShutdownRequested);
}

#[test]
fn the_lease_of_a_dead_process_is_taken_over_at_once_and_reported() {
    for is_gone in [false, true] {
        let mut leased = checkpoint(NOON - HOUR);
        leased.lease = Some(Lease { owner: "another".to_owned(), expires_at: NOON + MINUTE });
        let mut world = world_with(&leased);
        let mut instance = world.instance("a");
        if is_gone {
            instance.declare_owner_gone();
        }
        world.finish(&mut instance);
        let result = instance.result.unwrap();
        assert_eq!(result.stats.warnings == [Warning::LeaseTakenOver], is_gone);
        assert_eq!(result.outcome != RunOutcome::LeaseHeld, is_gone);
    }
}

#[test]
fn rows_older_than_two_days_are_marked_as_backfill() {
    let mut world = World::new([NOON - hours(49), NOON - hours(47)]);
    world.config.start = (NOON - hours(72), false);
    world.run_until_caught_up("a");
    let kinds: Vec<&str> = world.accepted.iter().map(|(_, kind)| (*kind).into()).collect();
    assert_eq!(kinds, ["backfill", "live"]);
}

#[test]
fn a_page_of_known_events_advances_the_checkpoint_and_sends_nothing() {
    let mut world = World::new(clustered());
    for event in world.events.clone() {
        world.add_to_ledger(event);
    }
    world.run("a");
    assert!(world.accepted.is_empty());
    assert!(NOON - world.checkpoint().mintime < minutes(4));
}
