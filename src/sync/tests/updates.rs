//! Records that Duo changes in place, and records with one id that are different events.

use chrono::TimeDelta;

use super::record::id;
use super::time::{hours, minutes};
use super::world::{DuoEvent, NOON, World};
use crate::model::{EventContent, Hour, IngestKind, Millis, RecordKey};
use crate::sync::HourState;

/// The key of an event's content.
fn key(number: u64, content: u8) -> RecordKey {
    RecordKey { content: [content; 4], ..id(number) }
}

fn event(number: u64, content: u8, time: Millis) -> DuoEvent {
    DuoEvent { key: key(number, content), time, visible_from: time }
}

/// A world with page size 10 and these events.
fn world(mut world: World, events: &[DuoEvent]) -> World {
    world.page_size = 10;
    world.config.spec.limit = Some(10);
    world.events.extend(events);
    world
}

fn trust_monitor(events: &[DuoEvent]) -> World {
    let mut trust_monitor = World::unsorted([]);
    trust_monitor.last_has_cursor = false;
    trust_monitor.config.spec.followed_for = TimeDelta::days(14);
    world(trust_monitor, events)
}

/// Changes the content of the first event at a time, and runs until then and for a while after.
fn change_at(world: &mut World, at: Millis, content: u8, runs_for: TimeDelta) {
    world.run_until("a", at);
    world.events[0].key.content = [content; 4];
    world.run_until("a", at + runs_for);
}

/// The updates sent: the content, and the content that it replaces.
fn updates(world: &World) -> Vec<(EventContent, EventContent)> {
    let kinds = world.accepted.iter().filter(|(_, kind)| *kind == IngestKind::Update);
    assert_eq!(kinds.count(), world.replacements.len());
    world.replacements.iter().map(|(key, replaced)| (key.content, *replaced)).collect()
}

#[test]
fn a_triaged_event_is_delivered_again_for_fourteen_days_once_per_content() {
    let time = NOON - hours(2);
    let mut world = trust_monitor(&[event(0, 1, time), event(1, 1, NOON - hours(1))]);
    change_at(&mut world, NOON + hours(3), 2, hours(2));
    assert_eq!(updates(&world), [([2; 4], [1; 4])]);
    change_at(&mut world, NOON + hours(10 * 24), 3, hours(25));
    assert_eq!(updates(&world)[1..], [([3; 4], [2; 4])]);
    // A return to an earlier content is not delivered, nor is a change after 14 days.
    change_at(&mut world, NOON + hours(12 * 24), 1, hours(25));
    assert!(!world.ledger().is_empty(), "ids are removed too early");
    change_at(&mut world, NOON + hours(15 * 24), 4, hours(50));
    assert_eq!(updates(&world).len(), 2);
    let result = world.result(Hour::of(time));
    assert_eq!((result.state, result.delivered, result.late), (HourState::Verified, 1, 0));
    world.run_until("a", NOON + hours(17 * 24));
    assert!(
        world.ledger().values().all(|hour| *hour > Hour::of(NOON).after(12)),
        "ids are never removed"
    );
}

#[test]
fn a_denial_marked_as_fraud_is_an_update_and_its_hour_is_verified() {
    let time = NOON - hours(2);
    let mut world = world(World::new([]), &[event(0, 1, time), event(1, 1, time)]);
    change_at(&mut world, NOON + hours(5), 2, hours(10));
    assert_eq!(updates(&world), []);
    world.run_until("a", NOON + hours(27));
    assert_eq!(updates(&world), [([2; 4], [1; 4])]);
    let result = world.result(Hour::of(time));
    assert_eq!(
        (result.state, result.duo_count, result.delivered),
        (HourState::Verified, Some(2), 2)
    );
}

#[test]
fn two_records_with_one_id_are_two_events() {
    let time = NOON - hours(2);
    let twins = [event(0, 1, time), event(0, 2, time)];
    for mut world in [world(World::new([]), &twins), trust_monitor(&twins)] {
        world.run_until("a", NOON + hours(52));
        world.assert_all_once();
        assert_eq!(updates(&world), []);
        let result = world.result(Hour::of(time));
        assert_eq!((result.state, result.delivered), (HourState::Verified, 2));
    }
    // The second one appears late.
    let late = DuoEvent { visible_from: NOON + hours(5), ..twins[1] };
    let mut world = world(World::new([]), &[twins[0], late]);
    world.run_until("a", NOON + hours(52));
    world.assert_all_once();
    assert_eq!(updates(&world), []);
    assert_eq!(world.accepted[1].1, IngestKind::Late);
}

#[test]
fn a_record_that_duo_omits_is_not_taken_for_a_changed_one() {
    let time = NOON - hours(2);
    let mut world = world(World::new([]), &[event(0, 1, time), event(1, 1, time)]);
    world.run_until("a", NOON + hours(5));
    // A second event with the id of the first, while Duo omits the first.
    world.events.push(DuoEvent { visible_from: NOON + hours(6), ..event(0, 2, time) });
    world.omit_record_at = (1..10_000).collect();
    world.run_until("a", NOON + hours(52));
    assert_eq!(updates(&world), []);
    assert!(world.lost().is_empty());
}

#[test]
fn a_page_that_is_not_the_whole_reading_holds_no_updates() {
    let time = NOON - hours(2);
    let events: Vec<DuoEvent> =
        (0..25).map(|number| event(number, 1, time + minutes(number.cast_signed()))).collect();
    let mut world = world(World::new([]), &events);
    change_at(&mut world, NOON + hours(5), 2, hours(50));
    assert_eq!(updates(&world), []);
    assert!(world.lost().is_empty(), "the new content is delivered as another event");
}
