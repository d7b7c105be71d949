//! Closed hours are looked at again: what comes late is found, and what cannot be found is told.

use super::world::{Happened, NOON, World, clustered, id};
use crate::model::{HOUR, Hour, MINUTE, SECOND};
use crate::sync::{Ending, Failure, FetchFault, HourState, IngestKind, Notice};

/// An event that Duo shows this much later than it happened.
fn late(number: u64, time: crate::model::Millis, delay: i64) -> Happened {
    Happened {
        id: id(number),
        time,
        shown_from: time + delay,
    }
}

#[test]
fn an_event_that_duo_shows_up_to_two_days_late_is_found_and_marked() {
    // Minutes: inside the overlap, and behind it up to each of the four checks.
    for delay in [10, 40, 100, 15 * 60, 30 * 60, 47 * 60] {
        let mut world = World::new(clustered());
        world.run_until_caught_up("a");
        let time = NOON - 50 * MINUTE;
        world.events.push(late(500, time, delay * MINUTE));
        world.run_until("a", time + 50 * HOUR);
        assert!(world.lost().is_empty(), "{delay} minutes late");
        assert_eq!(world.duplicates(), 0);
        let kind = world.accepted.iter().find(|(row, _)| *row == id(500));
        assert_eq!(kind.unwrap().1, IngestKind::Late, "{delay} minutes late");
        let result = world.result(Hour::of(time));
        assert!(
            matches!(result.state, HourState::Proved | HourState::Counted),
            "{result:?}"
        );
        assert_eq!((result.checks, result.counted), (4, Some(result.delivered)));
    }
}

#[test]
fn hours_that_agree_with_duos_count_are_not_read_again() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    world.asked.clear();
    world.counts.clear();
    world.run_until("a", NOON + 52 * HOUR);
    // All hours since nine o'clock, each four times at most.
    let hours = 55;
    assert!(world.counts.len() <= 4 * hours, "{}", world.counts.len());
    let live = |request: &&crate::sync::PageRequest| request.maxtime - request.mintime < HOUR - 1;
    assert_eq!(world.asked.iter().filter(live).count(), world.asked.len());
    let result = world.result(Hour::of(NOON - 2 * HOUR));
    assert_eq!((result.state, result.checks), (HourState::Counted, 4));
    assert_eq!(world.accepted.len(), world.events.len());
}

#[test]
fn without_an_exact_count_each_check_is_a_reading() {
    let mut world = World::new(clustered());
    world.miscount = None;
    world.run_until_caught_up("a");
    let time = NOON - 50 * MINUTE;
    world.events.push(late(500, time, 20 * HOUR));
    while world.now < NOON + 25 * HOUR {
        let (_, tally) = world.run("a");
        assert_eq!(tally.notices, []);
        world.now = world.now + 15 * MINUTE;
    }
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
    let result = world.result(Hour::of(time));
    assert_eq!((result.state, result.late), (HourState::Proved, 1));
    assert_eq!(result.counted, None);
}

#[test]
fn a_kill_between_any_two_steps_of_the_checks_loses_nothing_and_repeats_one_call_at_most() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    let before = world.accepted.len();
    for (number, minute) in (500..507).zip(0..) {
        let time = NOON - 2 * HOUR + minute * MINUTE;
        world.events.push(late(number, time, HOUR));
    }
    world.now = NOON + 15 * HOUR;
    let mut killed_after = 0;
    loop {
        let mut world = world_like(&world);
        let mut instance = world.instance("a");
        for _ in 0..killed_after {
            if world.step(&mut instance).is_some() {
                assert!(killed_after > 100, "too little was tried: {killed_after}");
                return;
            }
        }
        world.now = world.now + 2 * MINUTE;
        world.run_until_caught_up("b");
        assert!(world.lost().is_empty(), "killed after {killed_after}");
        assert!(
            world.duplicates() <= 3,
            "killed after {killed_after}: {}",
            world.duplicates()
        );
        assert_eq!(world.accepted.len(), before + 7 + world.duplicates());
        killed_after += 1;
    }
}

/// The same world once more.
fn world_like(world: &World) -> World {
    let mut twin = World::new([]);
    twin.events.clone_from(&world.events);
    twin.accepted.clone_from(&world.accepted);
    twin.ledger.clone_from(&world.ledger);
    twin.stored.clone_from(&world.stored);
    twin.results.clone_from(&world.results);
    twin.now = world.now;
    twin
}

#[test]
fn logs_without_counts_are_read_again_once_an_hour() {
    let v1 = || World::v1(clustered(), 10);
    let unsorted = || {
        let mut world = World::new(clustered());
        world.newest_first = true;
        world.limits.sorted = false;
        world
    };
    for (name, mut world) in [("v1", v1()), ("trust monitor", unsorted())] {
        world.run_until_caught_up("a");
        let time = NOON - 50 * MINUTE;
        world.events.push(late(500, time, 30 * HOUR));
        world.run_until("a", time + 32 * HOUR);
        assert!(world.lost().is_empty(), "{name}");
        assert_eq!(world.duplicates(), 0, "{name}");
        let result = world.result(Hour::of(time));
        assert_eq!(result.state, HourState::Proved, "{name}: {result:?}");
        assert_eq!(result.late, 1, "{name}");
        // Fewer than one more reading an hour.
        let before = world.asked.len();
        world.run_until("a", time + 42 * HOUR);
        // A run asks twice at most for what is new, and again for what it overlaps.
        let live = 3 * 10 * HOUR / (5 * MINUTE);
        let pages = world.events.len() / world.page_size + 2;
        assert!(
            world.asked.len() - before <= usize::try_from(live).unwrap() + 10 * (pages + 4),
            "{name}: {}",
            world.asked.len() - before
        );
    }
}

#[test]
fn ids_are_forgotten_once_nothing_reads_their_hour_again() {
    for v1 in [false, true] {
        let times = (0..200).map(|number| NOON - 2 * HOUR + number * HOUR / 2);
        let mut world = if v1 {
            World::v1(times, 10)
        } else {
            World::new(times)
        };
        world.run_until("a", NOON + 98 * HOUR);
        assert!(world.lost().is_empty());
        assert_eq!(world.duplicates(), 0);
        // Two an hour, for two days, two hours beside them, and two in which the last checks wait.
        assert!(world.ledger.len() <= 2 * 54, "{}", world.ledger.len());
    }
}

#[test]
fn a_gap_has_exact_borders_in_its_hours() {
    let mut world = World::new([]);
    world.run_until_caught_up("a");
    let place = world.checkpoint().mintime;
    // Nobody ran it for longer than Duo keeps anything.
    world.now = world.now + 180 * 24 * HOUR;
    let (_, tally) = world.run("a");
    let gap = tally.notices.iter().find_map(|notice| match notice {
        Notice::Gap { from, to } => Some((*from, *to)),
        _ => None,
    });
    let (from, to) = gap.unwrap();
    assert_eq!(from, place);
    world.run_until("a", world.now + 6 * HOUR);
    let first = world.result(Hour::of(from));
    assert_eq!(first.state, HourState::Gap);
    assert_eq!(first.gap.unwrap().from, from);
    let last = world.result(Hour::of(to));
    assert_eq!(last.state, HourState::Gap);
    assert_eq!(last.gap.unwrap().to, to);
    assert_eq!(world.result(Hour::of(to).after(1)).gap, None);
}

#[test]
fn while_the_log_is_behind_one_call_in_five_is_for_checks() {
    let mut world = World::new((0..2000).map(|number| NOON - 3 * HOUR + number * 5 * SECOND));
    world.limits.calls_per_minute = 10;
    world.page_size = 10;
    world.miscount = None;
    for _ in 0..20 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    let is_reading = |request: &&crate::sync::PageRequest| {
        (request.maxtime + 1).0 % HOUR == 0 && request.mintime.0 % HOUR == 0
    };
    let readings = world.asked.iter().filter(is_reading).count();
    let checks = readings + world.counts.len();
    let calls = world.asked.len() + world.counts.len();
    assert!(checks * 5 <= calls, "{checks} of {calls}");
    // None is due before the first hour is read to its end.
    assert!(checks * 5 >= calls - 80, "{checks} of {calls}");
}

#[test]
fn a_check_that_fails_stops_no_live_log() {
    let throttled = FetchFault::Throttled { retry_after: None };
    let faults = [
        FetchFault::Rejected,
        FetchFault::Fatal,
        FetchFault::Garbled,
        FetchFault::Unreachable,
        throttled,
    ];
    // A log where much happens, and one where nothing does.
    let kinds = [(13 * MINUTE, false), (7 * HOUR, false), (13 * MINUTE, true)];
    for (fault, (every, v1)) in faults
        .into_iter()
        .flat_map(|fault| kinds.map(|kind| (fault, kind)))
    {
        let times = (0..11 * HOUR / every).map(|number| NOON - 2 * HOUR + number * every);
        let mut world = if v1 {
            World::v1(times, 10)
        } else {
            World::new(times)
        };
        world.run_until_caught_up("a");
        world.check_fault = Some(fault);
        let end = NOON + 10 * HOUR;
        let is_refusal = !matches!(
            fault,
            FetchFault::Unreachable | FetchFault::Throttled { .. }
        );
        let mut told = 0;
        while world.now < end {
            told += u32::from(world.run("a").0 == Ending::Failed(Failure::Check));
            world.now = world.now + MINUTE;
        }
        assert_eq!(world.counts.is_empty(), v1);
        assert_eq!(told > 500, is_refusal, "{fault:?}: told {told} times");
        let behind = end - world.checkpoint().mintime;
        // What Duo refuses costs the live log nothing; what makes the log wait does.
        assert!(
            behind < if is_refusal { 6 * MINUTE } else { HOUR },
            "{fault:?}: {} minutes behind",
            behind / MINUTE
        );
        world.check_fault = None;
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "{fault:?}");
        assert_eq!(world.run("a").0, Ending::CaughtUp);
    }
}

#[test]
fn a_checkpoint_of_a_release_without_checks_gets_them() {
    let mut world = World::new(clustered());
    world.limits.sweeps = false;
    world.run_until_caught_up("a");
    let (_, checkpoint) = world.stored.as_mut().unwrap();
    checkpoint.sweeps = None;
    world.limits.sweeps = true;
    world.now = world.now + MINUTE;
    world.run_until_caught_up("a");
    assert_eq!(
        world.result(Hour::of(NOON - 2 * HOUR)).state,
        HourState::Counted
    );
}

#[test]
fn a_local_clock_that_is_days_ahead_settles_no_hour_before_its_time() {
    for v1 in [false, true] {
        let mut world = if v1 {
            World::v1(clustered(), 10)
        } else {
            World::new(clustered())
        };
        world.run_until_caught_up("a");
        // In the hour whose check comes next.
        let time = NOON - 165 * MINUTE;
        world.events.push(late(500, time, 20 * HOUR));
        world.now = world.now + HOUR;
        let sweeps = world.stored.as_mut().unwrap().1.sweeps.as_mut().unwrap();
        // The next call is one for a check: nothing of Duo's clock is known before it.
        sweeps.live_calls = 100;
        world.now = world.now + 60 * HOUR;
        world.clock_ahead = 60 * HOUR;
        world.run("a");
        world.now = world.now - 60 * HOUR;
        world.clock_ahead = 0;
        world.run_until("a", time + 50 * HOUR);
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "v1 {v1}");
        assert_eq!(world.duplicates(), 0, "v1 {v1}");
    }
}
