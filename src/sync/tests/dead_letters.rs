//! Records that Azure Monitor refuses even alone, and truncated rows.

use super::record::id;
use super::time::{hours, minutes};
use super::world::{DuoEvent, NOON, World, clustered};
use crate::model::{Hour, MINUTE, Millis};
use crate::sync::{Failure, RunOutcome};

/// A world whose events are on three large pages of one window.
pub(super) fn one_window() -> World {
    let mut world = World::new(clustered());
    world.page_size = 10;
    world.set_window(hours(3));
    world
}

/// The keys of the events in the order in which Duo returns them.
pub(super) fn in_order(world: &World) -> Vec<crate::model::RecordKey> {
    let mut events = world.events.clone();
    events.sort_by_key(|event| (event.time, event.key));
    events.into_iter().map(|event| event.key).collect()
}

pub(super) fn add_event(world: &mut World, number: u64, time: Millis) {
    world.events.push(DuoEvent { key: id(number), time, visible_from: time + minutes(2) });
}

#[test]
fn a_refused_record_is_dead_lettered_after_another_was_accepted() {
    let mut world = one_window();
    let refused = in_order(&world)[4];
    world.letters.refused.insert(refused);
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    assert_eq!((stats.dead_letters.refused, stats.dead_letters.truncated), (1, 0));
    assert_eq!(stats.dead_letters.named, [refused]);
    assert_eq!(world.accepted.len(), world.events.len() - 1);
    assert_eq!(world.letters.stored.len(), 1);
    // The ledger has the record under its hour, so that it is not sent again.
    let event = world.events.iter().find(|event| event.key == refused).unwrap();
    assert_eq!(world.ledger()[&refused.into()], Hour::of(event.time));
    let refusals = world.letters.refusals;
    for _ in 0..30 {
        world.now = world.now + minutes(5);
        let (_, stats) = world.run("a");
        assert_eq!(stats.dead_letters.count(), 0);
    }
    assert_eq!((world.letters.refusals, world.letters.stored[&refused]), (refusals, 1));
    world.assert_all_once();
}

#[test]
fn nothing_is_dead_lettered_if_every_record_is_refused() {
    let mut world = one_window();
    world.letters.refused.extend(in_order(&world));
    for _ in 0..20 {
        assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::RecordsRefused));
        world.now = world.now + MINUTE;
    }
    assert!(world.letters.stored.is_empty());
    assert_eq!(world.checkpoint().mintime, world.config.start.0);
    world.letters.refused.clear();
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn the_eleventh_refused_record_stops_the_log_and_keeps_the_checkpoint() {
    for bad in [10, 11] {
        let mut world = one_window();
        world.page_size = 30;
        let order = in_order(&world);
        world.letters.refused.extend(&order[3..3 + bad]);
        let (outcome, stats) = world.run("a");
        assert_eq!(stats.dead_letters.refused, 10);
        assert_eq!(world.letters.stored.len(), 10);
        if bad == 10 {
            assert_eq!(outcome, RunOutcome::CaughtUp);
            continue;
        }
        assert_eq!(outcome, RunOutcome::Failed(Failure::RecordsRefused));
        assert_eq!(world.checkpoint().mintime, world.config.start.0);
        assert!(!world.is_dead_lettered(order[13]));
        // A later run continues after the ten.
        world.now = world.now + MINUTE;
        world.run_until_caught_up("a");
        assert!(world.is_dead_lettered(order[13]));
        world.assert_all_once();
    }
}

#[test]
fn a_truncated_record_is_dead_lettered_once_before_its_row_is_sent() {
    let mut world = one_window();
    let order = in_order(&world);
    world.letters.truncated.extend(&order[2..25]);
    // The batch is retried and halved in between.
    world.send_faults = [
        Some((crate::model::SendErrorKind::Unreachable, false)),
        Some((crate::model::SendErrorKind::TooLarge, false)),
    ]
    .into();
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    assert_eq!((stats.dead_letters.truncated, stats.dead_letters.refused), (23, 0));
    // Ten of them are named.
    assert_eq!(stats.dead_letters.named, order[2..12]);
    assert!(world.letters.stored.values().all(|times| *times == 1));
    world.assert_all_once();
}

#[test]
fn an_unstored_dead_letter_stops_the_log_and_keeps_the_checkpoint() {
    for is_truncated in [false, true] {
        let mut world = one_window();
        let record = in_order(&world)[4];
        let affected =
            if is_truncated { &mut world.letters.truncated } else { &mut world.letters.refused };
        affected.insert(record);
        world.letters.writes_fail = true;
        for _ in 0..5 {
            let (outcome, stats) = world.run("a");
            assert!(
                matches!(outcome, RunOutcome::Failed(Failure::Storage | Failure::RecordsRefused)),
                "{outcome:?}"
            );
            assert_eq!(stats.dead_letters.count(), 0);
            world.now = world.now + MINUTE;
        }
        assert_eq!(world.checkpoint().mintime, world.config.start.0);
        assert_eq!(world.checkpoint().lease, None);
        world.letters.writes_fail = false;
        world.run_until_caught_up("a");
        world.assert_all_once();
    }
}

#[test]
fn a_refused_late_record_is_dead_lettered_and_its_hour_matches_the_count() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    // Returned late, far before the checkpoint; other events follow.
    let time = NOON - minutes(140);
    world.events.push(DuoEvent { key: id(800), time, visible_from: world.now });
    world.letters.refused.insert(id(800));
    for number in 0..40 {
        let now = world.now;
        add_event(&mut world, 900 + number, now);
        world.now = world.now + minutes(30);
        world.run_until_caught_up("a");
    }
    assert!(world.is_dead_lettered(id(800)));
    assert!(world.lost().is_empty(), "{:?}", world.lost());
    let hour = world.result(Hour::of(time));
    assert_eq!(hour.duo_count, Some(hour.delivered));
}

#[test]
fn a_truncated_row_that_is_refused_counts_only_as_refused() {
    let mut world = one_window();
    let order = in_order(&world);
    world.letters.truncated.extend([order[3], order[7]]);
    world.letters.refused.insert(order[3]);
    let (_, stats) = world.run("a");
    let letters = &stats.dead_letters;
    assert_eq!((letters.truncated, letters.refused, letters.count()), (1, 1, 2));
}
