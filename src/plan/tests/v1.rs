//! The traps of the older endpoints, which have no cursor and whole seconds only.

use super::world::{Happened, NOON, World, id};
use crate::model::{HOUR, MINUTE, SECOND};
use crate::plan::sweep::Span;
use crate::plan::{Ending, Notice};

#[test]
fn records_sharing_the_last_second_of_a_v1_page_are_not_lost() {
    // Pages end inside a second again and again, whatever their size.
    for page_size in 6..=20 {
        let times = (0..60).map(|number| NOON - HOUR + (number / 5) * SECOND);
        let mut world = World::v1(times, page_size);
        world.run_until_caught_up("a");
        assert!(
            world.lost().is_empty(),
            "page size {page_size}: {} lost",
            world.lost().len()
        );
        assert_eq!(world.duplicates(), 0);
    }
}

#[test]
fn a_second_with_more_records_than_a_page_is_reported_and_passed() {
    let crowded = std::iter::repeat_n(NOON - HOUR, 1500);
    let mut world = World::v1(crowded.chain([NOON - 30 * MINUTE]), 1000);
    let (ending, tally) = world.run("a");
    assert_eq!(ending, Ending::CaughtUp);
    let second = NOON - HOUR;
    assert!(
        tally
            .notices
            .contains(&Notice::CrowdedSecond { second, rows: 1000 }),
        "{:?}",
        tally.notices
    );
    let delivered = world.accepted.iter().any(|(row, _)| *row == id(1500));
    assert!(
        delivered,
        "what comes after the crowded second was not delivered"
    );
}

#[test]
fn a_page_cut_off_inside_a_second_is_noticed_whatever_its_size() {
    for (page_size, then) in [(2, 1), (30, 1), (30, 50), (899, 3)] {
        let crowded = std::iter::repeat_n(NOON - HOUR, page_size + 1);
        let later = (1..=then).map(|number| NOON - 30 * MINUTE + number * SECOND);
        let mut world = World::v1(crowded.chain(later), page_size);
        let (ending, tally) = world.run("a");
        assert_eq!(ending, Ending::CaughtUp);
        let second = NOON - HOUR;
        let notice = Notice::CrowdedSecond {
            second,
            rows: page_size,
        };
        assert_eq!(tally.notices, [notice], "page size {page_size}");
        assert_eq!(
            world.lost().len(),
            1,
            "Duo shows all but one: page size {page_size}"
        );
        let sweeps = world.checkpoint().sweeps.as_ref().unwrap();
        let span = Span {
            from: second,
            to: second + SECOND,
        };
        assert_eq!(sweeps.gaps, [span]);
    }
}

#[test]
fn a_second_that_the_log_ends_in_is_no_gap() {
    // What comes while it is read was not hidden before.
    let mut world = World::v1([NOON - 10 * MINUTE; 5], 1000);
    for second in 0..600 {
        let time = NOON + second * SECOND;
        world.events.push(Happened {
            id: id(100 + u64::try_from(second).unwrap()),
            time,
            shown_from: time,
        });
    }
    world.pace = SECOND;
    for _ in 0..15 {
        let (_, tally) = world.run("a");
        assert_eq!(tally.notices, []);
        world.now = world.now + MINUTE;
    }
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn v1_records_wait_until_duo_can_add_no_earlier_ones() {
    let mut world = World::v1([NOON - 10 * MINUTE, NOON - MINUTE], 1000);
    for event in &mut world.events {
        event.shown_from = event.time;
    }
    world.run("a");
    assert_eq!(world.accepted.len(), 1);
    world.now = world.now + 5 * MINUTE;
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}
