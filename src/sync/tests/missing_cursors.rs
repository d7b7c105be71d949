//! A full page without a cursor is not taken as the end.

use super::record::id;
use super::time::{hours, millis, minutes};
use super::world::{DuoEvent, NOON, World, clustered};
use crate::model::{Hour, Millis};
use crate::sync::{HourState, Warning};

/// Duo returns no cursor, and pages of this size.
fn without_cursors(mut world: World, page_size: u32) -> World {
    world.never_has_cursor = true;
    world.page_size = page_size as usize;
    world.config.spec.limit = Some(page_size);
    world
}

/// Runs until every hour with events has passed its last stage.
fn run_to_the_last_stage(world: &mut World) -> Vec<Warning> {
    let mut warnings = Vec::new();
    while world.now < NOON + hours(50) {
        warnings.extend(world.run("a").1.warnings);
        world.now = world.now + minutes(15);
    }
    warnings
}

#[track_caller]
fn assert_verified(world: &World) {
    for number in -3..0 {
        let result = world.result(Hour::of(NOON).after(number));
        assert!(result.state.is_verified(), "{result:?}");
    }
}

#[test]
fn a_sorted_log_is_read_on_from_the_last_millisecond_of_a_full_page() {
    // Six events share a millisecond.
    for (miscount, page_size) in [(Some(0), 7), (None, 7), (None, 8), (None, 1000)] {
        let mut world = without_cursors(World::new(clustered()), page_size);
        world.miscount = miscount;
        assert_eq!(run_to_the_last_stage(&mut world), [], "{miscount:?} {page_size}");
        world.assert_all_once();
        assert_verified(&world);
    }
}

#[test]
fn an_unsorted_log_is_read_in_halves_after_a_full_page() {
    for is_newest_first in [true, false] {
        let mut world = without_cursors(World::unsorted(clustered()), 7);
        world.newest_first = is_newest_first;
        assert_eq!(run_to_the_last_stage(&mut world), [], "{is_newest_first}");
        world.assert_all_once();
        assert_verified(&world);
    }
}

#[test]
fn a_full_page_of_one_millisecond_leaves_its_hour_unknown_and_loses_nothing_else() {
    let time = NOON - minutes(100);
    for is_sorted in [true, false] {
        let world = if is_sorted { World::new(clustered()) } else { World::unsorted(clustered()) };
        let mut world = without_cursors(world, 4);
        world.miscount = None;
        let warnings = run_to_the_last_stage(&mut world);
        let is_expected =
            |warning: &Warning| *warning == Warning::CursorMissing { hour: Hour::of(time) };
        assert!(!warnings.is_empty() && warnings.iter().all(is_expected), "{warnings:?}");
        // Two of the six events of this millisecond do not fit into a page.
        let lost: Vec<Millis> = world.lost().iter().map(|event| event.time).collect();
        assert_eq!(lost, [time; 2]);
        assert_eq!(world.duplicates(), 0);
        for number in -3..0 {
            let hour = Hour::of(NOON).after(number);
            let is_unknown = world.result(hour).state == HourState::Unknown;
            assert_eq!(is_unknown, hour == Hour::of(time), "{hour}");
        }
    }
}

#[test]
fn a_window_that_ends_in_a_full_millisecond_is_closed() {
    let mut world = without_cursors(World::new([]), 2);
    let horizon = world.now - world.config.limits.window_delay;
    for (number, before) in [(1, 1), (2, 1), (3, 1), (4, 0), (5, 0), (6, 0)] {
        let time = horizon - millis(before);
        world.events.push(DuoEvent { key: id(number), time, visible_from: time });
    }
    world.run("a");
    assert!(world.checkpoint().mintime >= horizon);
    assert_eq!(world.duplicates(), 0);
}
