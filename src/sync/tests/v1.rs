//! The v1 endpoints, which have no cursor and whole seconds only.

use super::record::{id, of_key};
use super::time::{hours, minutes, seconds};
use super::world::{DuoEvent, Instance, NOON, Next, Reply, World};
use crate::model::{HOUR, Hour, IngestKind, MINUTE, Millis, PageResponse, SECOND, Span};
use crate::sync::{Checkpoint, HourState, RunOutcome, Warning};

#[test]
fn records_sharing_the_last_second_of_a_v1_page_are_not_lost() {
    // Pages end inside a second, whatever their size.
    for page_size in 6..=20 {
        let times = (0..60).map(|number| NOON - HOUR + seconds(number / 5));
        let mut world = World::v1(times, page_size);
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "page size {page_size}: {} lost", world.lost().len());
        assert_eq!(world.duplicates(), 0);
    }
}

#[test]
fn a_page_truncated_inside_a_second_is_detected_whatever_its_size() {
    for (page_size, later_count) in [(2, 1), (30, 1), (30, 50), (899, 3), (900, 0)] {
        let one_second = std::iter::repeat_n(NOON - HOUR, page_size + 1);
        let later = (1..=later_count).map(|number| NOON - minutes(30) + seconds(number));
        let mut world = World::v1(one_second.chain(later), page_size);
        let (outcome, stats) = world.run("a");
        assert_eq!(outcome, RunOutcome::CaughtUp);
        let second = NOON - HOUR;
        let expected = Warning::PageLimitExceeded { second, rows: page_size };
        assert_eq!(stats.warnings, [expected], "page size {page_size}");
        assert_eq!(world.lost().len(), 1, "Duo returns all but one: page size {page_size}");
        let reconciliation = world.checkpoint().reconciliation;
        let span = Span { from: second, to: second + SECOND };
        assert_eq!(reconciliation.gaps, [span]);
    }
}

#[test]
fn the_last_second_of_a_log_is_not_a_gap() {
    // Events that happen while the second is read were not truncated.
    let mut world = World::v1([NOON - minutes(10); 5], 1000);
    for second in 0..600 {
        let time = NOON + seconds(second);
        world.events.push(DuoEvent {
            key: id(100 + u64::try_from(second).unwrap()),
            time,
            visible_from: time,
        });
    }
    world.latency = SECOND;
    for _ in 0..15 {
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings, []);
        world.now = world.now + MINUTE;
    }
    world.assert_all_once();
}

#[test]
fn v1_records_wait_until_duo_can_add_no_earlier_ones() {
    let mut world = World::v1([NOON - minutes(10), NOON - MINUTE], 1000);
    for event in &mut world.events {
        event.visible_from = event.time;
    }
    world.run("a");
    assert_eq!(world.accepted.len(), 1);
    world.now = world.now + minutes(5);
    world.run_until_caught_up("a");
    world.assert_all_once();
}

/// Serves these records, the first `known` delivered before. Returns the next second requested.
fn serve_page(
    world: &mut World,
    instance: &mut Instance,
    records: &[(u64, i64)],
    known: usize,
) -> Option<i64> {
    for (index, (number, second)) in records.iter().enumerate() {
        let event =
            DuoEvent { key: id(*number), time: START + seconds(*second), visible_from: NOON };
        if world.events.iter().all(|known| known.key != event.key) {
            world.events.push(event);
            if index < known {
                world.accepted.push((event.key, IngestKind::Live));
                world.add_to_ledger(event);
            }
        }
    }
    let of =
        |(number, second): &(u64, i64)| of_key(id(*number), Some(START + seconds(*second)), false);
    let page = PageResponse {
        records: records.iter().map(of).collect(),
        server_time: Some(NOON),
        ..PageResponse::default()
    };
    let mut next = world.respond(instance, Reply::Page(Ok(page)));
    loop {
        match next {
            Next::Fetch(request) => return Some((request.mintime - START).num_seconds()),
            Next::End(_) => return None,
            _ => next = world.serve(instance),
        }
    }
}

const START: Millis = Millis(NOON.0 - 3_600_000);

fn at_checkpoint() -> (World, Instance) {
    let mut world = World::v1([], 10);
    world.latency = chrono::TimeDelta::zero();
    let mut checkpoint = Checkpoint::first(START, NOON);
    checkpoint.reconciliation.reread_at = Some(NOON);
    world.store(&checkpoint);
    let mut instance = world.instance("a");
    assert!(matches!(world.next(&mut instance), Next::Fetch(_)));
    (world, instance)
}

/// The `mintime` of a run that has ended.
fn reached(instance: &Instance) -> Millis {
    instance.result.as_ref().unwrap().checkpoint.as_ref().unwrap().mintime
}

#[test]
fn a_second_is_read_until_it_has_no_new_records_at_most_three_times_more() {
    let (mut world, mut run) = at_checkpoint();
    // Each page has other records of the second.
    assert_eq!(serve_page(&mut world, &mut run, &[(1, 0), (2, 0)], 0), Some(0));
    assert_eq!(serve_page(&mut world, &mut run, &[(3, 0), (4, 0)], 0), Some(0));
    assert_eq!(serve_page(&mut world, &mut run, &[(5, 0), (6, 0)], 1), Some(0));
    // An endless second is not read forever.
    assert_eq!(serve_page(&mut world, &mut run, &[(7, 0), (8, 0)], 1), Some(1));
    // The next second is counted separately.
    assert_eq!(serve_page(&mut world, &mut run, &[(9, 5)], 0), Some(5));
    for number in 10..13 {
        assert_eq!(serve_page(&mut world, &mut run, &[(number, 5)], 0), Some(5));
    }
    assert_eq!(serve_page(&mut world, &mut run, &[(13, 5)], 0), Some(6));
    let (mut world, mut run) = at_checkpoint();
    // Nothing new: continue at once; the empty page after it is the end.
    assert_eq!(serve_page(&mut world, &mut run, &[(1, 0)], 1), Some(1));
    assert_eq!(serve_page(&mut world, &mut run, &[], 0), None);
}

#[test]
fn a_page_with_more_than_one_second_is_not_truncated_inside_it() {
    // A record left to a later run follows: everything up to `take_through` was read.
    let later_second = (NOON - START).num_seconds() - 60;
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(serve_page(&mut world, &mut run, &[(1, 0), (2, later_second)], 2), None);
    let reached_at = reached(&run);
    assert_eq!(reached_at, NOON - minutes(3));
}

#[test]
fn the_second_at_take_through_is_completed() {
    // The last second whose records are taken: the next one cannot be requested yet.
    let last = (NOON - minutes(3) - START).num_seconds();
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(serve_page(&mut world, &mut run, &[(1, last)], 0), Some(last));
    assert_eq!(serve_page(&mut world, &mut run, &[(1, last)], 1), None);
    let reached_at = reached(&run);
    assert_eq!(reached_at, NOON - minutes(3) + SECOND);
    // The same if a later record shows that the page is not truncated.
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(serve_page(&mut world, &mut run, &[(1, last), (2, last + 30)], 0), Some(last));
    assert_eq!(serve_page(&mut world, &mut run, &[(1, last), (2, last + 30)], 2), None);
    assert_eq!(reached(&run), reached_at);
    // One second earlier, the next second is requested.
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(serve_page(&mut world, &mut run, &[(1, last - 1)], 0), Some(last - 1));
    assert_eq!(serve_page(&mut world, &mut run, &[(1, last - 1)], 1), Some(last));
}

#[test]
fn only_records_that_existed_before_show_that_a_page_was_truncated() {
    let later_second = (NOON - START).num_seconds() - 60;
    let is_truncated = |records: &[(u64, i64)], known| {
        let (mut world, mut run) = at_checkpoint();
        assert_eq!(serve_page(&mut world, &mut run, &[(1, 0)], 1), Some(1));
        serve_page(&mut world, &mut run, records, known);
        world.finish(&mut run);
        !run.result.unwrap().stats.warnings.is_empty()
    };
    assert!(is_truncated(&[(2, 1)], 0));
    assert!(is_truncated(&[(2, 1), (3, later_second)], 0));
    // This record was not yet returned when the page was read.
    assert!(!is_truncated(&[(3, later_second)], 0));
    // This is the same second again.
    assert!(!is_truncated(&[(1, 0)], 1));
}

#[test]
fn a_record_without_a_time_does_not_block_the_log() {
    let (mut world, mut instance) = at_checkpoint();
    let entry = DuoEvent { key: id(1), time: Hour::UNDATED.start(), visible_from: NOON };
    world.events.push(entry);
    world.accepted.push((entry.key, IngestKind::Live));
    world.add_to_ledger(entry);
    let page =
        PageResponse { records: vec![of_key(id(1), None, false)], ..PageResponse::default() };
    let next = world.respond(&mut instance, Reply::Page(Ok(page)));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
    assert_eq!(world.finish(&mut instance), RunOutcome::CaughtUp);
}

#[test]
fn a_truncated_second_detected_later_turns_a_verified_hour_into_a_gap() {
    let second = NOON - hours(2);
    let mut world = World::v1([second; 3], 2);
    world.run_until("a", NOON + hours(4));
    assert_eq!(world.result(Hour::of(second)).state, HourState::Verified);
    // A later record shows that the page was truncated.
    world.add_now(100);
    let mut warnings = 0;
    for _ in 0..20 {
        let (_, stats) = world.run("a");
        warnings += stats.warnings.len();
        world.now = world.now + minutes(15);
    }
    let result = world.result(Hour::of(second));
    assert_eq!(result.state, HourState::Gap, "{result:?}");
    assert_eq!(warnings, 1, "reported once");
}
