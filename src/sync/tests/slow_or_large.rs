//! Slow, large or failing pages and batches are made smaller, and never stop a log.

use super::record::id;
use super::time::{hours, minutes, seconds};
use super::world::{NOON, World, clustered};
use crate::model::{FetchErrorKind, MINUTE, SendErrorKind};
use crate::sync::{BackOffCause, Halvings, RunOutcome};

fn limits(world: &World) -> Vec<Option<u32>> {
    world.requests.iter().map(|request| request.limit).collect()
}

/// Forty events in pages of 16.
fn world() -> World {
    let mut world = World::new((0..40).map(|number| NOON - hours(2) + minutes(number)));
    world.page_size = 16;
    world.config.spec.limit = Some(16);
    world.config.max_batch_bytes = 100_000;
    world.config.start = (NOON - hours(2), false);
    world
}

#[test]
fn a_page_that_does_not_arrive_whole_is_halved_until_it_does() {
    let mut world = world();
    world.largest_page = Some(3);
    world.run_until_caught_up("a");
    world.assert_all_once();
    let limits = limits(&world);
    assert_eq!(limits[..7], [None, None, Some(8), Some(8), Some(4), Some(4), Some(2)]);
    // Once pages arrive, they grow again.
    world.largest_page = None;
    world.now = world.now + hours(3);
    world.run_until_caught_up("a");
    assert_eq!(world.checkpoint().halvings, Halvings::default());
    assert_eq!(world.requests.last().unwrap().limit, None);
}

#[test]
fn a_page_larger_than_the_limit_of_bytes_is_halved_at_once_down_to_one_record() {
    let mut world = world();
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::TooLarge), 4).collect();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    assert_eq!(limits(&world)[..5], [None, Some(8), Some(4), Some(2), Some(1)]);
    world.assert_all_once();
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::TooLarge), 5).collect();
    world.now = world.now + minutes(10);
    assert!(matches!(world.run("a").0, RunOutcome::Failed(_)), "a single record is too large");
}

#[test]
fn a_batch_that_always_fails_is_halved_until_it_is_accepted() {
    let mut world = world();
    world.largest_batch = Some(3);
    world.run_until_caught_up("a");
    world.assert_all_once();
    assert!(world.letters.stored.is_empty(), "nothing is dead-lettered");
}

#[test]
fn a_slow_azure_monitor_gets_smaller_batches_in_later_runs_too() {
    let mut world = world();
    world.send_faults = std::iter::repeat_n(Some((SendErrorKind::TimedOut, false)), 60).collect();
    world.latency = seconds(25);
    let mut halvings = Vec::new();
    while let (RunOutcome::BackingOff { until, cause: BackOffCause::AzureUnreachable }, _) =
        world.run("a")
    {
        halvings.push(world.checkpoint().halvings.batch);
        world.now = until;
    }
    assert!(halvings.is_sorted() && halvings.last() >= Some(&3), "{halvings:?}");
    world.latency = seconds(1);
    world.run_until_caught_up("a");
    world.assert_all_once();
    assert_eq!(world.checkpoint().timeout_s, 30);
}

#[test]
fn a_failing_record_behind_more_pages_than_a_run_reads_is_reached_again() {
    let mut world = world();
    world.page_size = 1;
    world.config.limits.requests_per_minute = 10;
    world.poisonous.insert(id(30));
    for _ in 0..60 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    assert!(world.lost().is_empty(), "{:?}", world.lost());
    assert_eq!(world.letters.dead_lettered, world.poisonous);
}

#[test]
fn a_record_that_makes_azure_monitor_fail_is_dead_lettered_and_the_others_are_delivered() {
    for (poisonous, page_size) in
        [(vec![0], 40), (vec![17], 40), (vec![3, 4, 38], 40), (vec![2], 1)]
    {
        let mut world = world();
        world.page_size = page_size;
        world.poisonous = poisonous.iter().map(|number| id(*number)).collect();
        for _ in 0..40 {
            world.run("a");
            world.now = world.now + MINUTE;
        }
        assert!(world.lost().is_empty(), "{poisonous:?}: {:?}", world.lost());
        assert_eq!(world.letters.dead_lettered, world.poisonous);
        assert_eq!(world.duplicates(), 0);
    }
}

#[test]
fn a_record_alone_in_its_log_is_judged_once_another_one_was_accepted() {
    let mut world = World::new([NOON - hours(1)]);
    world.poisonous.insert(id(0));
    for _ in 0..20 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    assert!(world.letters.stored.is_empty());
    world.add_now(1);
    for _ in 0..20 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    assert!(world.is_dead_lettered(id(0)));
    assert!(world.lost().is_empty());
}

#[test]
fn an_outage_dead_letters_nothing() {
    let mut world = World::new(clustered());
    world.largest_batch = Some(0);
    for _ in 0..30 {
        assert!(matches!(world.run("a").0, RunOutcome::BackingOff { .. }));
        world.now = world.now + MINUTE;
    }
    world.largest_batch = None;
    world.run_until_caught_up("a");
    world.assert_all_once();
    assert!(world.letters.stored.is_empty());
}
