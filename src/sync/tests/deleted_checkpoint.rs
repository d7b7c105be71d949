//! A deleted checkpoint hides nothing: the ledger shows where the log stood.

use super::time::{hours, minutes};
use super::world::{NOON, World};
use crate::model::{HOUR, Hour, Millis, Span};
use crate::sync::{HourState, Warning};

/// An event every ten minutes.
fn events(from: Millis, to: Millis) -> impl Iterator<Item = Millis> {
    (0..).map(move |number| from + minutes(10 * number)).take_while(move |time| *time < to)
}

/// A world whose log was collected for `collected` hours and then stood still for nine days.
fn nine_days_behind(collected: i64) -> World {
    let mut world = World::new(events(NOON - hours(3), NOON + hours(collected + 9 * 24)));
    world.page_size = 1000;
    world.run_until("a", NOON + hours(collected));
    world.now = world.now + hours(9 * 24);
    world
}

#[test]
fn collection_continues_where_the_ledger_ends() {
    for collected in [1, 3, 30, 80] {
        let mut world = nine_days_behind(collected);
        world.delete_checkpoint();
        world.config.start = (world.now - hours(24), false);
        let (_, stats) = world.run("a");
        let is_restored = |warning: &Warning| matches!(warning, Warning::CheckpointRestored { .. });
        assert!(stats.warnings.iter().any(is_restored), "{:?}", stats.warnings);
        world.run_until_caught_up("a");
        world.assert_all_once();
        world.run_until("a", world.now + hours(50));
        let last = Hour::of(NOON + hours(collected + 9 * 24)).after(-1);
        let mut hours = Span { from: NOON - hours(3), to: last.end() }.hours();
        assert!(hours.all(|hour| world.result(hour).state.is_verified()));
    }
}

#[test]
fn the_start_in_the_settings_counts_without_a_ledger_and_before_its_end() {
    let mut world = World::new(events(NOON - hours(3), NOON));
    world.config.start = (NOON - hours(2), true);
    world.run_until_caught_up("a");
    assert_eq!(world.checkpoint().collected_from, NOON - hours(2));
    let mut world = nine_days_behind(80);
    world.delete_checkpoint();
    // The setting of the first run was never removed.
    world.config.start = (NOON - hours(3), true);
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_later_start_in_the_settings_leaves_a_reported_gap() {
    let mut world = nine_days_behind(80);
    world.delete_checkpoint();
    let start = world.now - hours(24);
    world.config.start = (start, true);
    let (_, stats) = world.run("a");
    let gap = stats.warnings.iter().find_map(|warning| match warning {
        Warning::StartAfterLedger { from, to } => Some((*from, *to)),
        _ => None,
    });
    let (from, to) = gap.expect("the gap is reported");
    assert!(from <= NOON + hours(80) && to == start, "{from} {to}");
    world.run_until("a", world.now + HOUR);
    let result = world.result(Hour::of(start - hours(24)));
    assert_eq!((result.state, result.gap), (HourState::Gap, Some(result.span)));
    assert!(world.lost().iter().all(|event| event.time >= from && event.time < to));
}

#[test]
fn hours_of_a_backfill_do_not_show_where_the_log_stood() {
    let mut world = nine_days_behind(80);
    let backfilled = Span { from: NOON + hours(5 * 24), to: NOON + hours(6 * 24) };
    let live = world.config.clone();
    world.config.backfill = Some(backfilled);
    world.run_until_caught_up("b");
    world.config = live;
    world.delete_checkpoint();
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}
