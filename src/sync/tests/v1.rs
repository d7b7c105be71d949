//! The traps of the older endpoints, which have no cursor and whole seconds only.

use super::world::{Happened, NOON, World, id};
use crate::model::{HOUR, Hour, MINUTE, Millis, SECOND};
use crate::sync::sweep::Span;
use crate::sync::{Action, Checkpoint, Ending, Event, HourState, LogRun, Notice, PageSeen, Seen};

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

/// A run of such a log whose place is the first second of these records, and who was shown them; what it asks for next.
fn shown(run: &mut LogRun, records: &[(u64, i64)], known: usize) -> Option<i64> {
    let seen = |(number, second): &(u64, i64)| Seen {
        id: id(*number),
        time: Some(PLACE + second * SECOND),
        bytes: 48,
        is_cut: false,
    };
    let page = PageSeen {
        records: records.iter().map(seen).collect(),
        cursor: None,
        total: None,
    };
    let event = Event::Fetched {
        page,
        server_time: Some(NOON),
    };
    let mut action = run.step(event, NOON, false);
    loop {
        let event = match action {
            Action::Recall(_) => {
                let number = records.len();
                Event::Recalled((0..number).map(|index| index < known).collect())
            }
            Action::Save(_) => Event::Saved,
            Action::Send(_) => Event::Accepted,
            Action::Record(_) => Event::Recorded,
            Action::Fetch(request) => return Some((request.mintime - PLACE) / SECOND),
            Action::Stop(_) => return None,
            other => panic!("{other:?}"),
        };
        action = run.step(event, NOON, false);
    }
}

const PLACE: Millis = Millis(NOON.0 - 3_600_000);

fn at_place() -> LogRun {
    let mut limits = World::v1([], 10).limits;
    limits.sweeps = false;
    let mut run = LogRun::new(limits, NOON + 50 * SECOND, fastrand::Rng::with_seed(3));
    run.step(Event::Started, NOON, false);
    let loaded = Event::Loaded {
        checkpoint: Some(Box::new(Checkpoint::first(PLACE, NOON))),
        claim_is_dead: false,
    };
    let action = run.step(loaded, NOON, false);
    assert!(matches!(action, Action::Fetch(_)), "{action:?}");
    run
}

#[test]
fn a_second_is_read_until_it_brings_nothing_new_three_times_more_at_most() {
    let mut run = at_place();
    // Each page shows another part of the second.
    assert_eq!(shown(&mut run, &[(1, 0), (2, 0)], 0), Some(0));
    assert_eq!(shown(&mut run, &[(3, 0), (4, 0)], 0), Some(0));
    assert_eq!(shown(&mut run, &[(5, 0), (6, 0)], 1), Some(0));
    // What never ends is not read for ever.
    assert_eq!(shown(&mut run, &[(7, 0), (8, 0)], 1), Some(1));
    // In the next second it begins anew.
    assert_eq!(shown(&mut run, &[(9, 5)], 0), Some(5));
    for number in 10..13 {
        assert_eq!(shown(&mut run, &[(number, 5)], 0), Some(5));
    }
    assert_eq!(shown(&mut run, &[(13, 5)], 0), Some(6));
    let mut run = at_place();
    // Nothing new: on at once, and the empty page behind it is the end.
    assert_eq!(shown(&mut run, &[(1, 0)], 1), Some(1));
    assert_eq!(shown(&mut run, &[], 0), None);
}

#[test]
fn a_page_that_shows_more_than_a_second_is_not_cut_off_in_it() {
    // A record that has to wait stands behind it: the page was read to where records are taken.
    let waits = (NOON - PLACE) / SECOND - 60;
    let mut run = at_place();
    assert_eq!(shown(&mut run, &[(1, 0), (2, waits)], 2), None);
    let reached = run.checkpoint().unwrap().mintime;
    assert_eq!(reached, NOON - 3 * MINUTE);
}

#[test]
fn a_second_at_the_border_of_what_is_taken_is_passed() {
    // The last second whose records are taken: the next one cannot be asked for yet.
    let last = (NOON - 3 * MINUTE - PLACE) / SECOND;
    let mut run = at_place();
    assert_eq!(shown(&mut run, &[(1, last)], 0), Some(last));
    assert_eq!(shown(&mut run, &[(1, last)], 1), None);
    let reached = run.checkpoint().unwrap().mintime;
    assert_eq!(reached, NOON - 3 * MINUTE + SECOND);
    // Nor where a record behind it, which has to wait, tells that nothing was cut off.
    let mut run = at_place();
    assert_eq!(shown(&mut run, &[(1, last), (2, last + 30)], 0), Some(last));
    assert_eq!(shown(&mut run, &[(1, last), (2, last + 30)], 2), None);
    assert_eq!(run.checkpoint().unwrap().mintime, reached);
    // A second before it can.
    let mut run = at_place();
    assert_eq!(shown(&mut run, &[(1, last - 1)], 0), Some(last - 1));
    assert_eq!(shown(&mut run, &[(1, last - 1)], 1), Some(last));
}

#[test]
fn only_what_a_page_would_have_shown_tells_that_it_was_cut_off() {
    let waits = (NOON - PLACE) / SECOND - 60;
    let hides = |behind: &[(u64, i64)], known| {
        let mut run = at_place();
        assert_eq!(shown(&mut run, &[(1, 0)], 1), Some(1));
        shown(&mut run, behind, known);
        !run.tally().notices.is_empty()
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
    let mut run = at_place();
    let page = PageSeen {
        records: vec![Seen {
            id: id(1),
            time: None,
            bytes: 48,
            is_cut: false,
        }],
        cursor: None,
        total: None,
    };
    let event = Event::Fetched {
        page,
        server_time: Some(NOON),
    };
    run.step(event, NOON, false);
    let action = run.step(Event::Recalled(vec![true]), NOON, false);
    assert!(matches!(action, Action::Save(_)), "{action:?}");
    let action = run.step(Event::Saved, NOON, false);
    assert!(
        matches!(action, Action::Stop(Ending::CaughtUp)),
        "{action:?}"
    );
}

#[test]
fn a_cut_second_that_is_noticed_only_later_makes_a_gap_of_an_hour_that_was_proved() {
    let second = NOON - 2 * HOUR;
    let mut world = World::v1([second; 3], 2);
    world.run_until("a", NOON + 4 * HOUR);
    assert_eq!(world.result(Hour::of(second)).state, HourState::Proved);
    // Something follows: the page was cut off before it.
    world.add_now(100);
    let mut notices = 0;
    for _ in 0..20 {
        let (_, tally) = world.run("a");
        notices += tally.notices.len();
        world.now = world.now + 15 * MINUTE;
    }
    let result = world.result(Hour::of(second));
    assert_eq!(result.state, HourState::Gap, "{result:?}");
    assert_eq!(notices, 1, "told of once");
}
