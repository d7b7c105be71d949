//! While refused records wait for another one that is accepted: what is told, kept and read.

use super::dead_letters::{happens, in_order, one_window};
use super::world::{Happened, NOON, World, id};
use crate::model::{HOUR, Hour, MINUTE};
use crate::sync::{Ending, Failure, Notice};

#[test]
fn the_first_record_of_all_waits_for_the_first_that_is_accepted() {
    for page_size in [1, 3, 10] {
        let mut world = one_window();
        world.page_size = page_size;
        world.letters.refused.insert(in_order(&world)[0]);
        assert_eq!(world.run("a").0, Ending::CaughtUp, "pages of {page_size}");
        assert_eq!(world.letters.stored.len(), 1);
        assert!(world.lost().is_empty());
    }
}

#[test]
fn the_record_that_tells_may_stand_in_a_later_window() {
    for v1 in [false, true] {
        let times = [NOON - 150 * MINUTE, NOON - 10 * MINUTE];
        let mut world = if v1 {
            World::v1(times, 8)
        } else {
            World::new(times)
        };
        world.limits.window = 20 * MINUTE;
        world.letters.refused.insert(id(0));
        assert_eq!(world.run("a").0, Ending::CaughtUp);
        assert!(world.is_set_aside(id(0)), "v1: {v1}");
        assert!(world.lost().is_empty());
    }
}

#[test]
fn while_nothing_is_accepted_nothing_is_set_aside_and_the_place_is_kept() {
    for v1 in [false, true] {
        let lonely = [NOON - 150 * MINUTE];
        let mut world = if v1 {
            World::v1(lonely, 8)
        } else {
            World::new(lonely)
        };
        world.letters.refused.insert(id(0));
        for _ in 0..30 {
            let (ending, tally) = world.run("a");
            assert_eq!(ending, Ending::Failed(Failure::RecordsRefused), "v1: {v1}");
            assert_eq!(tally.dead_letters.count(), 0);
            // Once a run, however often it is read: the last second of a v1 log is read twice.
            let refusals = std::mem::take(&mut world.letters.refusals);
            assert_eq!(refusals, 1, "v1: {v1}");
            world.now = world.now + 5 * MINUTE;
        }
        assert!(world.letters.stored.is_empty());
        assert!(world.checkpoint().mintime <= NOON - 150 * MINUTE);
        assert_eq!(world.checkpoint().claim, None);
        // The next event tells that the fault is the record's.
        let now = world.now;
        happens(&mut world, 1, now);
        world.now = world.now + 10 * MINUTE;
        world.run_until_caught_up("a");
        assert!(world.is_set_aside(id(0)));
        assert!(world.lost().is_empty());
    }
}

#[test]
fn the_next_event_of_a_quiet_log_is_reached_within_the_calls_of_a_run() {
    let mut world = World::new([NOON - 150 * MINUTE]);
    world.limits.calls_per_minute = 10;
    world.letters.refused.insert(id(0));
    for _ in 0..4 {
        assert_eq!(world.run("a").0, Ending::Failed(Failure::RecordsRefused));
        world.now = world.now + 24 * HOUR;
    }
    let now = world.now;
    happens(&mut world, 1, now);
    world.now = world.now + 10 * MINUTE;
    world.run_until_caught_up("a");
    assert!(world.is_set_aside(id(0)));
    assert!(world.lost().is_empty());
}

#[test]
fn what_waits_is_named_and_the_place_before_it_told() {
    let mut world = one_window();
    let order = in_order(&world);
    world.letters.refused.extend(order.iter().copied());
    let mut instance = world.instance("a");
    let ending = world.finish(&mut instance);
    assert_eq!(ending, Ending::Failed(Failure::RecordsRefused));
    let waiting = instance.run.refused();
    assert_eq!(waiting, order[..waiting.len()]);
    assert_eq!(waiting.len(), 11);
    let told = instance.run.checkpoint().unwrap();
    assert_eq!(told.mintime, world.limits.first_mintime);
    assert_eq!(told.mintime, world.checkpoint().mintime);
}

#[test]
fn the_place_that_is_kept_is_told_however_far_the_run_read_on() {
    let mut world = World::new([NOON - 150 * MINUTE, NOON - 140 * MINUTE]);
    world.letters.refused.extend([id(0), id(1)]);
    let mut instance = world.instance("a");
    let ending = world.finish(&mut instance);
    assert_eq!(ending, Ending::Failed(Failure::RecordsRefused));
    assert!(world.questions >= 3, "it did not read on");
    let told = instance.run.checkpoint().unwrap();
    assert_eq!(told.mintime, world.limits.first_mintime);
}

#[test]
fn a_window_that_never_agrees_is_not_waited_for_for_ever_while_records_wait() {
    let mut world = World::new([NOON - 150 * MINUTE, NOON - 140 * MINUTE]);
    world.limits.window = 3 * HOUR;
    world.letters.refused.extend([id(0), id(1)]);
    world.miscount = Some(1);
    let told = (0..15).any(|_| {
        let (_, tally) = world.run("a");
        world.now = world.now + MINUTE;
        let mut notices = tally.notices.iter();
        notices.any(|notice| matches!(notice, Notice::CountDisagrees { .. }))
    });
    assert!(told);
}

#[test]
fn a_check_does_not_prove_an_hour_while_its_late_record_is_refused_and_nothing_is_accepted() {
    let mut world = one_window();
    world.last_has_cursor = false;
    world.run_until_caught_up("a");
    let time = NOON - 50 * MINUTE;
    world.events.push(Happened {
        id: id(500),
        time,
        shown_from: NOON + HOUR,
    });
    world.letters.refused.insert(id(500));
    world.now = NOON + 2 * HOUR;
    let endings: Vec<Ending> = (0..10)
        .map(|_| {
            world.now = world.now + MINUTE;
            world.run("a").0
        })
        .collect();
    let refused = Ending::Failed(Failure::RecordsRefused);
    assert!(endings.contains(&refused), "{endings:?}");
    assert!(!world.is_set_aside(id(500)));
    let day = world.results.get(&Hour::of(time).day());
    let result = day.and_then(|day| day.hours.get(&Hour::of(time).number_in_day()));
    assert_eq!(result, None);
    // The next event that is accepted tells that the fault is the record's.
    let now = world.now;
    happens(&mut world, 501, now);
    world.run_until("a", now + 2 * HOUR);
    assert!(world.is_set_aside(id(500)));
    assert!(world.lost().is_empty());
    let result = world.result(Hour::of(time));
    assert_eq!(result.counted, Some(result.delivered));
}
