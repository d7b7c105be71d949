//! Refused records that wait for another record to be accepted.

use super::dead_letters::{add_event, in_order, one_window};
use super::record::id;
use super::time::{hours, minutes};
use super::world::{DuoEvent, NOON, World};
use crate::model::{HOUR, Hour, MINUTE};
use crate::sync::{Failure, RunOutcome, Warning};

/// After the next accepted event, the refused record is dead-lettered.
fn assert_next_event_resolves_refusals(world: &mut World) {
    let now = world.now;
    add_event(world, 1, now);
    world.now = world.now + minutes(10);
    world.run_until_caught_up("a");
    assert!(world.is_dead_lettered(id(0)));
    assert!(world.lost().is_empty());
}

#[test]
fn the_first_record_waits_for_the_first_accepted_one() {
    for page_size in [1, 3, 10] {
        let mut world = one_window();
        world.page_size = page_size;
        world.letters.refused.insert(in_order(&world)[0]);
        assert_eq!(world.run("a").0, RunOutcome::CaughtUp, "pages of {page_size}");
        assert_eq!(world.letters.stored.len(), 1);
        assert!(world.lost().is_empty());
    }
}

#[test]
fn the_accepted_record_may_be_in_a_later_window() {
    for v1 in [false, true] {
        let times = [NOON - minutes(150), NOON - minutes(10)];
        let mut world = if v1 { World::v1(times, 8) } else { World::new(times) };
        world.set_window(minutes(20));
        world.letters.refused.insert(id(0));
        assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
        assert!(world.is_dead_lettered(id(0)), "v1: {v1}");
        assert!(world.lost().is_empty());
    }
}

#[test]
fn while_nothing_is_accepted_nothing_is_dead_lettered_and_the_checkpoint_is_kept() {
    for v1 in [false, true] {
        let one_event = [NOON - minutes(150)];
        let mut world = if v1 { World::v1(one_event, 8) } else { World::new(one_event) };
        world.letters.refused.insert(id(0));
        for _ in 0..30 {
            let (outcome, stats) = world.run("a");
            assert_eq!(outcome, RunOutcome::Failed(Failure::RecordsRefused), "v1: {v1}");
            assert_eq!(stats.dead_letters.count(), 0);
            // Refused once per run, although the last second of a v1 log is read twice.
            let refusals = std::mem::take(&mut world.letters.refusals);
            assert_eq!(refusals, 1, "v1: {v1}");
            world.now = world.now + minutes(5);
        }
        assert!(world.letters.stored.is_empty());
        assert!(world.checkpoint().mintime <= NOON - minutes(150));
        assert_eq!(world.checkpoint().lease, None);
        assert_next_event_resolves_refusals(&mut world);
    }
}

#[test]
fn the_next_event_of_a_quiet_log_is_reached_within_the_rate_limit() {
    let mut world = World::new([NOON - minutes(150)]);
    world.config.limits.requests_per_minute = 10;
    world.letters.refused.insert(id(0));
    for _ in 0..4 {
        assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::RecordsRefused));
        world.now = world.now + hours(24);
    }
    assert_next_event_resolves_refusals(&mut world);
}

#[test]
fn waiting_records_are_named_and_the_checkpoint_stays_before_them() {
    let two = World::new([NOON - minutes(150), NOON - minutes(140)]);
    // At most eleven are tried per window; with two, the run reads further windows.
    for (mut world, waiting, requests) in [(one_window(), 11, 1), (two, 2, 3)] {
        let order = in_order(&world);
        world.letters.refused.extend(order.iter().copied());
        let mut instance = world.instance("a");
        assert_eq!(world.finish(&mut instance), RunOutcome::Failed(Failure::RecordsRefused));
        assert_eq!(instance.refused(), order[..waiting]);
        assert!(world.request_count >= requests, "the run did not read on");
        let reported = instance.result.as_ref().unwrap().checkpoint.as_ref().unwrap();
        assert_eq!(reported.mintime, world.config.start.0);
        assert_eq!(reported.mintime, world.checkpoint().mintime);
    }
}

#[test]
fn a_window_with_a_wrong_count_is_reported_while_records_wait() {
    let mut world = World::new([NOON - minutes(150), NOON - minutes(140)]);
    world.set_window(hours(3));
    world.letters.refused.extend([id(0), id(1)]);
    world.miscount = Some(1);
    let reported = (0..15).any(|_| {
        let (_, stats) = world.run("a");
        world.now = world.now + MINUTE;
        let mut warnings = stats.warnings.iter();
        warnings.any(|warning| matches!(warning, Warning::CountDisagrees { .. }))
    });
    assert!(reported);
}

#[test]
fn an_hour_is_not_verified_while_its_late_record_is_refused_and_waits() {
    let mut world = one_window();
    world.last_has_cursor = false;
    world.run_until_caught_up("a");
    let time = NOON - minutes(50);
    world.events.push(DuoEvent { key: id(500), time, visible_from: NOON + HOUR });
    world.letters.refused.insert(id(500));
    world.now = NOON + hours(2);
    let outcomes: Vec<RunOutcome> = (0..10)
        .map(|_| {
            world.now = world.now + MINUTE;
            world.run("a").0
        })
        .collect();
    let refused = RunOutcome::Failed(Failure::RecordsRefused);
    assert!(outcomes.contains(&refused), "{outcomes:?}");
    assert!(!world.is_dead_lettered(id(500)));
    assert_eq!(world.result_of(Hour::of(time)), None);
    // After the next accepted event, the record is dead-lettered.
    let now = world.now;
    add_event(&mut world, 501, now);
    world.run_until("a", now + hours(2));
    assert!(world.is_dead_lettered(id(500)));
    assert!(world.lost().is_empty());
    let result = world.result(Hour::of(time));
    assert_eq!(result.duo_count, Some(result.delivered));
}
