//! While refused records wait for another one that is accepted: what is told, kept and read.

use super::dead_letters::{happens, in_order, one_window};
use super::record::id;
use super::time::{hours, minutes};
use super::world::{Happened, NOON, World};
use crate::model::{HOUR, Hour, MINUTE};
use crate::sync::{Failure, RunOutcome, Warning};

/// The next event shows that the refused record is at fault.
fn assert_the_next_event_frees_the_log(world: &mut World) {
    let now = world.now;
    happens(world, 1, now);
    world.now = world.now + minutes(10);
    world.run_until_caught_up("a");
    assert!(world.is_dead_lettered(id(0)));
    assert!(world.lost().is_empty());
}

#[test]
fn the_first_record_of_all_waits_for_the_first_that_is_accepted() {
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
fn the_record_that_tells_may_stand_in_a_later_window() {
    for v1 in [false, true] {
        let times = [NOON - minutes(150), NOON - minutes(10)];
        let mut world = if v1 { World::v1(times, 8) } else { World::new(times) };
        world.config.limits.longest_window = minutes(20);
        world.letters.refused.insert(id(0));
        assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
        assert!(world.is_dead_lettered(id(0)), "v1: {v1}");
        assert!(world.lost().is_empty());
    }
}

#[test]
fn while_nothing_is_accepted_nothing_is_dead_lettered_and_the_place_is_kept() {
    for v1 in [false, true] {
        let lonely = [NOON - minutes(150)];
        let mut world = if v1 { World::v1(lonely, 8) } else { World::new(lonely) };
        world.letters.refused.insert(id(0));
        for _ in 0..30 {
            let (ending, stats) = world.run("a");
            assert_eq!(ending, RunOutcome::Failed(Failure::RecordsRefused), "v1: {v1}");
            assert_eq!(stats.dead_letters.count(), 0);
            // Once a run, however often it is read: the last second of a v1 log is read twice.
            let refusals = std::mem::take(&mut world.letters.refusals);
            assert_eq!(refusals, 1, "v1: {v1}");
            world.now = world.now + minutes(5);
        }
        assert!(world.letters.stored.is_empty());
        assert!(world.checkpoint().mintime <= NOON - minutes(150));
        assert_eq!(world.checkpoint().lease, None);
        assert_the_next_event_frees_the_log(&mut world);
    }
}

#[test]
fn the_next_event_of_a_quiet_log_is_reached_within_the_calls_of_a_run() {
    let mut world = World::new([NOON - minutes(150)]);
    world.config.limits.requests_per_minute = 10;
    world.letters.refused.insert(id(0));
    for _ in 0..4 {
        assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::RecordsRefused));
        world.now = world.now + hours(24);
    }
    assert_the_next_event_frees_the_log(&mut world);
}

#[test]
fn what_waits_is_named_and_the_place_before_it_told_however_far_the_run_read_on() {
    let two = World::new([NOON - minutes(150), NOON - minutes(140)]);
    // Of one window at most eleven are tried; two are not enough to stop before the windows behind them.
    for (mut world, waiting, requests) in [(one_window(), 11, 1), (two, 2, 3)] {
        let order = in_order(&world);
        world.letters.refused.extend(order.iter().copied());
        let mut instance = world.instance("a");
        assert_eq!(world.finish(&mut instance), RunOutcome::Failed(Failure::RecordsRefused));
        assert_eq!(instance.refused(), order[..waiting]);
        assert!(world.questions >= requests, "it did not read on");
        let told = instance.result.as_ref().unwrap().checkpoint.as_ref().unwrap();
        assert_eq!(told.mintime, world.config.first_mintime);
        assert_eq!(told.mintime, world.checkpoint().mintime);
    }
}

#[test]
fn a_window_that_never_agrees_is_not_waited_for_for_ever_while_records_wait() {
    let mut world = World::new([NOON - minutes(150), NOON - minutes(140)]);
    world.config.limits.longest_window = hours(3);
    world.letters.refused.extend([id(0), id(1)]);
    world.miscount = Some(1);
    let told = (0..15).any(|_| {
        let (_, stats) = world.run("a");
        world.now = world.now + MINUTE;
        let mut notices = stats.warnings.iter();
        notices.any(|notice| matches!(notice, Warning::CountDisagrees { .. }))
    });
    assert!(told);
}

#[test]
fn a_check_does_not_prove_an_hour_while_its_late_record_is_refused_and_nothing_is_accepted() {
    let mut world = one_window();
    world.last_has_cursor = false;
    world.run_until_caught_up("a");
    let time = NOON - minutes(50);
    world.events.push(Happened { key: id(500), time, shown_from: NOON + HOUR });
    world.letters.refused.insert(id(500));
    world.now = NOON + hours(2);
    let endings: Vec<RunOutcome> = (0..10)
        .map(|_| {
            world.now = world.now + MINUTE;
            world.run("a").0
        })
        .collect();
    let refused = RunOutcome::Failed(Failure::RecordsRefused);
    assert!(endings.contains(&refused), "{endings:?}");
    assert!(!world.is_dead_lettered(id(500)));
    assert_eq!(world.result_of(Hour::of(time)), None);
    // The next event that is accepted tells that the fault is the record's.
    let now = world.now;
    happens(&mut world, 501, now);
    world.run_until("a", now + hours(2));
    assert!(world.is_dead_lettered(id(500)));
    assert!(world.lost().is_empty());
    let result = world.result(Hour::of(time));
    assert_eq!(result.duo_count, Some(result.delivered));
}
