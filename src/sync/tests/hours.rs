//! What is told of closed hours, and for how long.

use super::world::{NOON, World, clustered};
use crate::model::{HOUR, Hour, MINUTE, SECOND};
use crate::sync::{Ending, HourState};

#[test]
fn an_hour_first_looked_at_more_than_a_day_after_its_end_is_read_late() {
    for (age, state) in [
        (24 * HOUR, HourState::Counted),
        (24 * HOUR + SECOND, HourState::LateRead),
    ] {
        let mut world = World::new([NOON - HOUR / 2]);
        world.pace = 0;
        world.limits.first_mintime = NOON - HOUR;
        world.limits.window = 48 * HOUR;
        // Nothing was looked at so far: the hour before noon is, in the first run of all.
        world.now = NOON + age;
        world.run("a");
        assert_eq!(world.result(Hour::of(NOON - 1)).state, state);
    }
}

#[test]
fn results_are_kept_for_400_days() {
    let mut world = World::new([]);
    world.run_until("a", NOON + 100 * HOUR);
    let midnights: Vec<Hour> = world
        .forgotten
        .iter()
        .copied()
        .filter(|hour| *hour == hour.day())
        .collect();
    assert_eq!(midnights.len(), 2);
    let days: Vec<Hour> = midnights
        .iter()
        .map(|midnight| midnight.after(-400 * 24))
        .collect();
    assert_eq!(world.pruned, days);
}

#[test]
fn a_log_without_counts_tells_of_each_hour_once_unless_something_is_found() {
    let mut world = World::v1(clustered(), 10);
    world.run_until("a", NOON + 30 * HOUR);
    for number in 1..28 {
        let hour = Hour::of(NOON).after(number);
        let result = world.result(hour);
        assert_eq!(result.state, HourState::Proved);
        // In the reading after its end, and not again in each of the later ones.
        assert!(result.checked_at - hour.end() < 2 * HOUR, "{result:?}");
    }
}

#[test]
fn an_hour_whose_reading_meets_bad_cursors_twice_is_unknown_until_its_next_check() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    // No exact count: each check is a reading.
    world.miscount = None;
    world.page_size = 2;
    let hour = Hour::of(NOON - 2 * HOUR);
    world.now = NOON + 2 * HOUR;
    world.repeat_cursor_at = (0..10_000).collect();
    world.run_until("a", NOON + 3 * HOUR);
    assert_eq!(world.result(hour).state, HourState::Unknown);
    world.repeat_cursor_at.clear();
    world.run_until("a", NOON + 26 * HOUR);
    assert_eq!(world.result(hour).state, HourState::Proved);
    assert_eq!(world.accepted.len(), world.events.len());
}

#[test]
fn what_the_first_run_of_a_log_without_counts_read_is_not_read_again_within_the_hour() {
    let mut world = World::v1(clustered(), 10);
    let begun = world.now;
    world.run_until("a", begun + 58 * MINUTE);
    assert!(world.asked.iter().all(|asked| !asked.is_check));
    world.run_until("a", begun + 90 * MINUTE);
    assert!(world.asked.iter().any(|asked| asked.is_check));
}

#[test]
fn a_gap_that_the_next_reading_of_a_log_without_counts_closes_is_told_as_closed() {
    let mut world = World::new(clustered());
    world.newest_first = true;
    world.limits.sorted = false;
    world.page_size = 100;
    world.run_until("a", NOON + 4 * HOUR);
    // For a while Duo counts a record more than it shows.
    world.miscount = Some(1);
    world.run_until("a", NOON + 12 * HOUR);
    let told_as_gap = |world: &World| {
        let results = world.results.values().flat_map(|day| day.hours.values());
        results.filter(|result| result.gap.is_some()).count()
    };
    assert_ne!(told_as_gap(&world), 0);
    world.miscount = Some(0);
    world.run_until("a", NOON + 16 * HOUR);
    assert_eq!(told_as_gap(&world), 0);
    assert_eq!(
        world.result(Hour::of(NOON).after(6)).state,
        HourState::Proved
    );
}

#[test]
fn what_duo_does_not_keep_any_more_is_not_asked_for() {
    for (age, state) in [
        (179 * 24 * HOUR, HourState::LateRead),
        (179 * 24 * HOUR + 1, HourState::Unknown),
    ] {
        let mut world = World::new([NOON - HOUR / 2]);
        world.limits.sweeps = false;
        world.limits.first_mintime = NOON - HOUR;
        world.run_until_caught_up("a");
        world.limits.sweeps = true;
        world.pace = 0;
        world.now = NOON - HOUR + age;
        let oldest = world.now - 179 * 24 * HOUR;
        world.asked.clear();
        // A live call goes first, four times.
        for _ in 0..3 {
            world.run("a");
        }
        let result = world.result(Hour::of(NOON - 1));
        assert_eq!(result.state, state);
        assert!(world.counts.iter().all(|asked| asked.mintime >= oldest));
        assert!(world.asked.iter().all(|asked| asked.mintime >= oldest));
    }
}

#[test]
fn checks_are_due_by_duos_clock() {
    let mut world = World::new([]);
    world.pace = 0;
    world.limits.first_mintime = NOON - HOUR;
    // By Duo's clock the hour before noon ended ten minutes ago, by ours half an hour.
    world.now = NOON + 30 * MINUTE;
    world.clock_ahead = 20 * MINUTE;
    world.run("a");
    assert_eq!(world.counts.len(), 0);
    world.now = world.now + 5 * MINUTE;
    world.run("a");
    assert_eq!(world.counts.len(), 1);
}

#[test]
fn a_run_that_only_left_checks_to_the_next_one_has_caught_up() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    world.miscount = None;
    world.limits.calls_per_minute = 10;
    world.now = world.now + 12 * HOUR;
    let (ending, tally) = world.run("a");
    assert_eq!(ending, Ending::OutOfCalls);
    assert!(tally.requests > 5);
    // What happened is read; twelve hours are still to be looked at.
    let mut endings = Vec::new();
    for _ in 0..4 {
        world.now = world.now + MINUTE;
        endings.push(world.run("a").0);
    }
    assert!(endings.contains(&Ending::CaughtUp), "{endings:?}");
    let due = world.checkpoint().sweeps.as_ref().unwrap();
    assert!(
        due.next[0].end() < world.now - HOUR,
        "nothing was left to do"
    );
}

#[test]
fn the_last_look_at_an_hour_is_told_also_of_a_log_without_counts() {
    for v1 in [false, true] {
        let mut world = if v1 {
            World::v1(clustered(), 10)
        } else {
            World::new(clustered())
        };
        world.run_until("a", NOON + 80 * HOUR);
        for number in 1..28 {
            let hour = Hour::of(NOON).after(number);
            let result = world.result(hour);
            assert_eq!(result.checks, 4, "v1 {v1}, {hour}: {result:?}");
            let age = result.checked_at - hour.end();
            assert!((48 * HOUR..51 * HOUR).contains(&age), "{hour}: {result:?}");
        }
        // And none before its time.
        let young = world.result(Hour::of(NOON).after(40));
        assert!(young.checks < 4, "{young:?}");
    }
}
