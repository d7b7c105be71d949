//! What is told of closed hours, and for how long.

use super::record::id;
use super::time::{hours, millis, minutes};
use super::world::{Happened, NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, Hour, LogType, MINUTE};
use crate::sync::{HourState, RunOutcome};

#[test]
fn an_hour_first_reconciled_more_than_a_day_after_its_end_is_verified_late() {
    for (age, state) in
        [(hours(24), HourState::CountMatched), (hours(24) + minutes(15), HourState::VerifiedLate)]
    {
        let mut world = World::new([NOON - HOUR / 2]);
        world.limits = millis(0);
        world.config.first_mintime = NOON - HOUR;
        world.config.limits.longest_window = hours(48);
        // Nothing was looked at so far: the hour before noon is, in the first run of all.
        world.now = NOON + age;
        world.run("a");
        assert_eq!(world.result(Hour::of(NOON.previous())).state, state);
    }
}

#[test]
fn an_event_that_duo_returns_twice_does_not_make_up_for_one_that_it_omits() {
    let mut world = World::new([NOON - minutes(100), NOON - minutes(90)]);
    // As many rows as Duo counts, and fewer events.
    let twice = world.events[0];
    world.events.push(twice);
    world.run_until("a", NOON + hours(50));
    let result = world.result(Hour::of(twice.time));
    assert_eq!(result.state, HourState::Unknown);
    assert_eq!((result.duo_count, result.delivered), (Some(3), 2));
}

#[test]
fn a_reading_stored_before_its_first_response_is_dated_by_duos_clock() {
    let time = NOON - minutes(90);
    let mut world = World::new([time]);
    world.run_until_caught_up("a");
    // The next request is one for reconciliation, and nothing of Duo's clock is known before its response.
    let mut checkpoint = world.checkpoint();
    checkpoint.reconciliation.live_requests = 100;
    world.store(&checkpoint);
    world.now = NOON + hours(26);
    world.clock_ahead = HOUR;
    world.events.push(Happened { key: id(1), time, shown_from: NOON + hours(25) + minutes(30) });
    world.check_fault = Some(FetchErrorKind::Throttled { retry_after: None });
    world.run("a");
    assert!(world.checkpoint().reconciliation.reading.is_some());
    world.check_fault = None;
    world.now = world.now + minutes(5);
    world.run("a");
    let result = world.result(Hour::of(time));
    assert!(result.read_at.unwrap() <= world.now - HOUR, "{result:?}");
}

#[test]
fn results_are_kept_for_400_days() {
    let mut world = World::new([]);
    world.run_until("a", NOON + hours(100));
    let midnights = world.removed.iter().filter(|name| name.ends_with("T00.ids"));
    let midnights: Vec<Hour> =
        midnights.filter_map(|name| Hour::parse(name.strip_suffix(".ids")?)).collect();
    assert_eq!(midnights.len(), 2);
    let expected: Vec<String> = midnights
        .iter()
        .map(|midnight| format!("{}.json", midnight.after(-400 * 24).date()))
        .collect();
    let days: Vec<&String> =
        world.removed.iter().filter(|name| name.strip_suffix(".json").is_some()).collect();
    assert_eq!(days, expected.iter().collect::<Vec<_>>());
}

#[test]
fn a_log_without_counts_gives_each_hour_one_result_unless_something_is_found() {
    let mut world = World::v1(clustered(), 10);
    world.run_until("a", NOON + hours(30));
    for number in 1..28 {
        let hour = Hour::of(NOON).after(number);
        let result = world.result(hour);
        assert_eq!(result.state, HourState::Verified);
        // In the reading after its end, and not again in each of the later ones.
        assert!(result.checked_at - hour.end() < hours(2), "{result:?}");
    }
}

#[test]
fn an_hour_whose_reading_meets_bad_cursors_twice_is_unknown_until_its_next_stage() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    // No exact count: each check is a reading.
    world.miscount = None;
    world.page_size = 2;
    let hour = Hour::of(NOON - hours(2));
    world.now = NOON + hours(2);
    world.repeat_cursor_at = (0..10_000).collect();
    world.run_until("a", NOON + hours(3));
    assert_eq!(world.result(hour).state, HourState::Unknown);
    world.repeat_cursor_at.clear();
    world.run_until("a", NOON + hours(26));
    assert_eq!(world.result(hour).state, HourState::Verified);
    assert_eq!(world.accepted.len(), world.events.len());
}

#[test]
fn what_the_first_run_of_a_log_without_counts_read_is_not_read_again_within_the_hour() {
    let mut world = World::v1(clustered(), 10);
    let begun = world.now;
    world.run_until("a", begun + minutes(58));
    assert!(world.asked.iter().all(|asked| !asked.is_reconciliation));
    world.run_until("a", begun + minutes(90));
    assert!(world.asked.iter().any(|asked| asked.is_reconciliation));
}

#[test]
fn an_hour_that_the_next_reading_of_a_log_without_counts_brings_to_its_end_is_verified() {
    let mut world = World::new(clustered());
    world.newest_first = true;
    world.config.spec.paging = LogType::TrustMonitor.spec().paging;
    world.page_size = 100;
    world.run_until("a", NOON + hours(4));
    // For a while Duo counts a record more than it shows.
    world.miscount = Some(1);
    world.run_until("a", NOON + hours(12));
    let unknown = |world: &World| {
        let results = world.results();
        results.iter().filter(|result| result.state == HourState::Unknown).count()
    };
    assert_ne!(unknown(&world), 0);
    world.miscount = Some(0);
    world.run_until("a", NOON + hours(16));
    assert_eq!(unknown(&world), 0);
    assert_eq!(world.result(Hour::of(NOON).after(6)).state, HourState::Verified);
}

#[test]
fn what_duo_does_not_keep_any_more_is_not_requested() {
    for (age, state) in [
        (hours(179 * 24), HourState::VerifiedLate),
        (hours(179 * 24) + millis(1), HourState::Unknown),
    ] {
        let mut world = World::new([NOON - HOUR / 2]);
        world.config.first_mintime = NOON - HOUR;
        world.run_until_caught_up("a");
        world.limits = millis(0);
        world.now = NOON - HOUR + age;
        let oldest = world.now - hours(179 * 24);
        world.asked.clear();
        // A live call goes first, four times.
        for _ in 0..3 {
            world.run("a");
        }
        let result = world.result(Hour::of(NOON.previous()));
        assert_eq!(result.state, state);
        assert!(world.counts.iter().all(|asked| asked.mintime >= oldest));
        assert!(world.asked.iter().all(|asked| asked.mintime >= oldest));
    }
}

#[test]
fn stages_are_due_by_duos_clock() {
    let mut world = World::new([]);
    world.limits = millis(0);
    world.config.first_mintime = NOON - HOUR;
    // By Duo's clock the hour before noon ended ten minutes ago, by ours half an hour.
    world.now = NOON + minutes(30);
    world.clock_ahead = minutes(20);
    world.run("a");
    assert_eq!(world.counts.len(), 0);
    world.now = world.now + minutes(5);
    world.run("a");
    assert_eq!(world.counts.len(), 1);
}

#[test]
fn a_run_that_only_left_reconciliation_to_the_next_one_has_caught_up() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    world.miscount = None;
    world.config.limits.requests_per_minute = 10;
    world.now = world.now + hours(12);
    let (ending, stats) = world.run("a");
    assert_eq!(ending, RunOutcome::RateLimited);
    assert!(stats.counts.requests > 5);
    // What happened is read; twelve hours are still to be looked at.
    let mut endings = Vec::new();
    for _ in 0..4 {
        world.now = world.now + MINUTE;
        endings.push(world.run("a").0);
    }
    assert!(endings.contains(&RunOutcome::CaughtUp), "{endings:?}");
    let due = world.checkpoint().reconciliation;
    assert!(due.next[0].end() < world.now - HOUR, "nothing was left to do");
}

#[test]
fn the_last_stage_of_an_hour_gives_a_result_also_in_a_log_without_counts() {
    for v1 in [false, true] {
        let mut world = if v1 { World::v1(clustered(), 10) } else { World::new(clustered()) };
        world.run_until("a", NOON + hours(80));
        for number in 1..28 {
            let hour = Hour::of(NOON).after(number);
            let result = world.result(hour);
            assert_eq!(result.stages, 6, "v1 {v1}, {hour}: {result:?}");
            let age = result.checked_at - hour.end();
            assert!((hours(48)..hours(51)).contains(&age), "{hour}: {result:?}");
        }
        // And none before its time.
        let young = world.result(Hour::of(NOON).after(40));
        assert!(young.stages < 6, "{young:?}");
    }
}
