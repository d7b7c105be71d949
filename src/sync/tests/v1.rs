//! The traps of the older endpoints, which have no cursor and whole seconds only.

use super::record::{id, of_key};
use super::time::{hours, minutes, seconds};
use super::world::{Happened, Instance, NOON, Next, Reply, World};
use crate::model::{HOUR, Hour, IngestKind, MINUTE, Millis, PageResponse, SECOND, Span};
use crate::sync::{Checkpoint, HourState, RunOutcome, Warning};

#[test]
fn records_sharing_the_last_second_of_a_v1_page_are_not_lost() {
    // Pages end inside a second again and again, whatever their size.
    for page_size in 6..=20 {
        let times = (0..60).map(|number| NOON - HOUR + seconds(number / 5));
        let mut world = World::v1(times, page_size);
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "page size {page_size}: {} lost", world.lost().len());
        assert_eq!(world.duplicates(), 0);
    }
}

#[test]
fn a_page_cut_off_inside_a_second_is_noticed_whatever_its_size() {
    for (page_size, then) in [(2, 1), (30, 1), (30, 50), (899, 3)] {
        let crowded = std::iter::repeat_n(NOON - HOUR, page_size + 1);
        let later = (1..=then).map(|number| NOON - minutes(30) + seconds(number));
        let mut world = World::v1(crowded.chain(later), page_size);
        let (ending, stats) = world.run("a");
        assert_eq!(ending, RunOutcome::CaughtUp);
        let second = NOON - HOUR;
        let notice = Warning::PageLimitExceeded { second, rows: page_size };
        assert_eq!(stats.warnings, [notice], "page size {page_size}");
        assert_eq!(world.lost().len(), 1, "Duo shows all but one: page size {page_size}");
        let reconciliation = world.checkpoint().reconciliation;
        let span = Span { from: second, to: second + SECOND };
        assert_eq!(reconciliation.gaps, [span]);
    }
}

#[test]
fn a_second_that_the_log_ends_in_is_no_gap() {
    // What comes while it is read was not hidden before.
    let mut world = World::v1([NOON - minutes(10); 5], 1000);
    for second in 0..600 {
        let time = NOON + seconds(second);
        world.events.push(Happened {
            key: id(100 + u64::try_from(second).unwrap()),
            time,
            shown_from: time,
        });
    }
    world.limits = SECOND;
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
        event.shown_from = event.time;
    }
    world.run("a");
    assert_eq!(world.accepted.len(), 1);
    world.now = world.now + minutes(5);
    world.run_until_caught_up("a");
    world.assert_all_once();
}

/// A run of such a log that stands at the first second of these records, and was shown them; what it requests next.
fn shown(
    world: &mut World,
    instance: &mut Instance,
    records: &[(u64, i64)],
    known: usize,
) -> Option<i64> {
    for (index, (number, second)) in records.iter().enumerate() {
        let event = Happened { key: id(*number), time: PLACE + seconds(*second), shown_from: NOON };
        if world.events.iter().all(|known| known.key != event.key) {
            world.events.push(event);
            if index < known {
                world.accepted.push((event.key, IngestKind::Live));
                world.add_to_ledger(event);
            }
        }
    }
    let of =
        |(number, second): &(u64, i64)| of_key(id(*number), Some(PLACE + seconds(*second)), false);
    let page = PageResponse {
        records: records.iter().map(of).collect(),
        server_time: Some(NOON),
        ..PageResponse::default()
    };
    let mut next = world.answer(instance, Reply::Page(Ok(page)));
    loop {
        match next {
            Next::Fetch(request) => return Some((request.mintime - PLACE).num_seconds()),
            Next::End(_) => return None,
            _ => next = world.serve(instance),
        }
    }
}

const PLACE: Millis = Millis(NOON.0 - 3_600_000);

fn at_checkpoint() -> (World, Instance) {
    let mut world = World::v1([], 10);
    world.limits = chrono::TimeDelta::zero();
    let mut checkpoint = Checkpoint::first(PLACE, NOON);
    checkpoint.reconciliation.reread_at = Some(NOON);
    world.store(&checkpoint);
    let mut instance = world.instance("a");
    assert!(matches!(world.next(&mut instance), Next::Fetch(_)));
    (world, instance)
}

/// The checkpoint of a run that is over.
fn reached(instance: &Instance) -> Millis {
    instance.result.as_ref().unwrap().checkpoint.as_ref().unwrap().mintime
}

#[test]
fn a_second_is_read_until_it_brings_nothing_new_three_times_more_at_most() {
    let (mut world, mut run) = at_checkpoint();
    // Each page shows another part of the second.
    assert_eq!(shown(&mut world, &mut run, &[(1, 0), (2, 0)], 0), Some(0));
    assert_eq!(shown(&mut world, &mut run, &[(3, 0), (4, 0)], 0), Some(0));
    assert_eq!(shown(&mut world, &mut run, &[(5, 0), (6, 0)], 1), Some(0));
    // What never ends is not read for ever.
    assert_eq!(shown(&mut world, &mut run, &[(7, 0), (8, 0)], 1), Some(1));
    // In the next second it begins anew.
    assert_eq!(shown(&mut world, &mut run, &[(9, 5)], 0), Some(5));
    for number in 10..13 {
        assert_eq!(shown(&mut world, &mut run, &[(number, 5)], 0), Some(5));
    }
    assert_eq!(shown(&mut world, &mut run, &[(13, 5)], 0), Some(6));
    let (mut world, mut run) = at_checkpoint();
    // Nothing new: on at once, and the empty page behind it is the end.
    assert_eq!(shown(&mut world, &mut run, &[(1, 0)], 1), Some(1));
    assert_eq!(shown(&mut world, &mut run, &[], 0), None);
}

#[test]
fn a_page_that_shows_more_than_a_second_is_not_cut_off_in_it() {
    // A record that has to wait stands behind it: the page was read to where records are taken.
    let waits = (NOON - PLACE).num_seconds() - 60;
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(shown(&mut world, &mut run, &[(1, 0), (2, waits)], 2), None);
    let reached_at = reached(&run);
    assert_eq!(reached_at, NOON - minutes(3));
}

#[test]
fn a_second_at_the_border_of_what_is_taken_is_passed() {
    // The last second whose records are taken: the next one cannot be asked for yet.
    let last = (NOON - minutes(3) - PLACE).num_seconds();
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(shown(&mut world, &mut run, &[(1, last)], 0), Some(last));
    assert_eq!(shown(&mut world, &mut run, &[(1, last)], 1), None);
    let reached_at = reached(&run);
    assert_eq!(reached_at, NOON - minutes(3) + SECOND);
    // Nor where a record behind it, which has to wait, tells that nothing was cut off.
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(shown(&mut world, &mut run, &[(1, last), (2, last + 30)], 0), Some(last));
    assert_eq!(shown(&mut world, &mut run, &[(1, last), (2, last + 30)], 2), None);
    assert_eq!(reached(&run), reached_at);
    // A second before it can.
    let (mut world, mut run) = at_checkpoint();
    assert_eq!(shown(&mut world, &mut run, &[(1, last - 1)], 0), Some(last - 1));
    assert_eq!(shown(&mut world, &mut run, &[(1, last - 1)], 1), Some(last));
}

#[test]
fn only_what_a_page_would_have_shown_tells_that_it_was_cut_off() {
    let waits = (NOON - PLACE).num_seconds() - 60;
    let hides = |behind: &[(u64, i64)], known| {
        let (mut world, mut run) = at_checkpoint();
        assert_eq!(shown(&mut world, &mut run, &[(1, 0)], 1), Some(1));
        shown(&mut world, &mut run, behind, known);
        world.finish(&mut run);
        !run.result.unwrap().stats.warnings.is_empty()
    };
    assert!(hides(&[(2, 1)], 0));
    assert!(hides(&[(2, 1), (3, waits)], 0));
    // Nobody was shown that one when the page was read.
    assert!(!hides(&[(3, waits)], 0));
    // And this is the second itself, once more.
    assert!(!hides(&[(1, 0)], 1));
}

#[test]
fn a_record_without_a_time_ends_the_log_like_any_other() {
    let (mut world, mut instance) = at_checkpoint();
    let entry = Happened { key: id(1), time: Hour::UNDATED.start(), shown_from: NOON };
    world.events.push(entry);
    world.accepted.push((entry.key, IngestKind::Live));
    world.add_to_ledger(entry);
    let page =
        PageResponse { records: vec![of_key(id(1), None, false)], ..PageResponse::default() };
    let next = world.answer(&mut instance, Reply::Page(Ok(page)));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
    assert_eq!(world.finish(&mut instance), RunOutcome::CaughtUp);
}

#[test]
fn a_cut_second_that_is_noticed_only_later_makes_a_gap_of_an_hour_that_was_proved() {
    let second = NOON - hours(2);
    let mut world = World::v1([second; 3], 2);
    world.run_until("a", NOON + hours(4));
    assert_eq!(world.result(Hour::of(second)).state, HourState::Verified);
    // Something follows: the page was cut off before it.
    world.add_now(100);
    let mut notices = 0;
    for _ in 0..20 {
        let (_, stats) = world.run("a");
        notices += stats.warnings.len();
        world.now = world.now + minutes(15);
    }
    let result = world.result(Hour::of(second));
    assert_eq!(result.state, HourState::Gap, "{result:?}");
    assert_eq!(notices, 1, "told of once");
}
