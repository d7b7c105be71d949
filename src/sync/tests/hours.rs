//! Results of closed hours.

use super::record::id;
use super::time::{hours, millis, minutes};
use super::world::{DuoEvent, NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, Hour, LogType, MINUTE, PageRequest, Span};
use crate::sync::{HourState, RunOutcome};

#[test]
fn an_hour_first_reconciled_more_than_a_day_after_its_end_is_verified_late() {
    for (age, state) in
        [(hours(24), HourState::CountMatched), (hours(24) + minutes(15), HourState::VerifiedLate)]
    {
        let mut world = World::new([NOON - HOUR / 2]);
        world.latency = millis(0);
        world.config.start = (NOON - HOUR, false);
        world.set_window(hours(48));
        // The first run reconciles the hour before noon.
        world.now = NOON + age;
        world.run("a");
        assert_eq!(world.result(Hour::of(NOON.previous())).state, state);
    }
}

#[test]
fn an_event_that_duo_returns_twice_does_not_make_up_for_one_that_it_omits() {
    let mut world = World::new([NOON - minutes(100), NOON - minutes(90)]);
    // As many rows as Duo counts, but fewer events.
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
    // The next request is for reconciliation; Duo's clock is unknown before its response.
    let mut checkpoint = world.checkpoint();
    checkpoint.reconciliation.live_requests = 100;
    world.store(&checkpoint);
    world.now = NOON + hours(26);
    world.clock_ahead = HOUR;
    world.events.push(DuoEvent { key: id(1), time, visible_from: NOON + hours(25) + minutes(30) });
    world.reconciliation_fault = Some(FetchErrorKind::Throttled { retry_after: None });
    world.run("a");
    assert!(world.checkpoint().reconciliation.reading.is_some());
    world.reconciliation_fault = None;
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
        // The first reading after the hour gives the only result.
        assert!(result.reconciled_at - hour.end() < hours(2), "{result:?}");
    }
}

#[test]
fn an_hour_read_with_bad_cursors_twice_is_unknown_until_its_next_stage() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    // Without exact counts, every reconciliation is a reading.
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
fn a_log_without_counts_is_not_reconciled_within_an_hour_of_its_first_run() {
    let mut world = World::v1(clustered(), 10);
    let start = world.now;
    world.run_until("a", start + minutes(58));
    assert!(world.requests.iter().all(|request| !request.is_reconciliation));
    world.run_until("a", start + minutes(90));
    assert!(world.requests.iter().any(|request| request.is_reconciliation));
}

#[test]
fn an_unknown_hour_of_a_log_without_counts_is_verified_by_the_next_complete_reading() {
    let mut world = World::new(clustered());
    world.newest_first = true;
    world.config.spec.paging = LogType::TrustMonitor.spec().paging;
    world.page_size = 100;
    world.run_until("a", NOON + hours(4));
    // For a while Duo counts one record more than it returns.
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
fn hours_beyond_duos_retention_are_not_requested() {
    let retention = hours(180 * 24) - minutes(5);
    for (age, state) in
        [(retention, HourState::VerifiedLate), (retention + millis(1), HourState::Unknown)]
    {
        let mut world = World::new([NOON - HOUR / 2]);
        world.config.start = (NOON - HOUR, false);
        world.run_until_caught_up("a");
        world.latency = millis(0);
        world.now = NOON - HOUR + age;
        let oldest = world.now - retention;
        world.requests.clear();
        // Live requests come first.
        for _ in 0..3 {
            world.run("a");
        }
        let result = world.result(Hour::of(NOON.previous()));
        assert_eq!(result.state, state);
        assert!(world.counts.iter().all(|request| request.mintime >= oldest));
        assert!(world.requests.iter().all(|request| request.mintime >= oldest));
    }
}

#[test]
fn a_clock_ahead_by_more_than_duos_retention_settles_no_hour_while_duo_refuses_requests() {
    let mut world = World::new(clustered());
    world.run_until("a", NOON + hours(2));
    let results = world.results();
    world.clock_ahead = hours(24 * 200);
    world.now = world.now + world.clock_ahead;
    for _ in 0..10 {
        // Duo refuses the signature because of its date.
        world.fetch_faults = [Some(FetchErrorKind::Credentials); 2].into();
        world.run("a");
        world.now = world.now + minutes(6);
    }
    assert_eq!(world.results(), results);
}

#[test]
fn stages_are_due_by_duos_clock() {
    let mut world = World::new([]);
    world.latency = millis(0);
    world.config.start = (NOON - HOUR, false);
    // The hour before noon ended 10 minutes ago by Duo's clock, 30 by the local one.
    world.now = NOON + minutes(30);
    world.clock_ahead = minutes(20);
    world.run("a");
    assert_eq!(world.counts.len(), 0);
    world.now = world.now + minutes(5);
    world.run("a");
    assert_eq!(world.counts.len(), 1);
}

#[test]
fn a_run_that_leaves_only_reconciliation_has_caught_up() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    world.miscount = None;
    world.config.limits.requests_per_minute = 10;
    world.now = world.now + hours(12);
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::RateLimited);
    assert!(stats.counts.requests > 5);
    // All events are read; twelve hours are left to reconcile.
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        world.now = world.now + MINUTE;
        outcomes.push(world.run("a").0);
    }
    assert!(outcomes.contains(&RunOutcome::CaughtUp), "{outcomes:?}");
    let due = world.checkpoint().reconciliation;
    assert!(due.next[0].end() < world.now - HOUR, "no hour was left to reconcile");
}

#[test]
fn the_last_stage_of_an_hour_has_a_result_also_without_counts() {
    for v1 in [false, true] {
        let mut world = if v1 { World::v1(clustered(), 10) } else { World::new(clustered()) };
        world.run_until("a", NOON + hours(80));
        for number in 1..28 {
            let hour = Hour::of(NOON).after(number);
            let result = world.result(hour);
            assert_eq!(result.stages, 6, "v1 {v1}, {hour}: {result:?}");
            let age = result.reconciled_at - hour.end();
            assert!((hours(48)..hours(51)).contains(&age), "{hour}: {result:?}");
        }
        // Younger hours are not final.
        let young = world.result(Hour::of(NOON).after(40));
        assert!(young.stages < 6, "{young:?}");
    }
}

#[test]
fn a_live_window_of_old_hours_is_their_full_reading() {
    let start = NOON - hours(20 * 24) + minutes(20);
    let mut world = World::new((0..).map(|number| start + minutes(7 * number)).take(4000));
    world.page_size = 1000;
    world.config.start = (start, false);
    world.config.limits.longest_window = hours(7 * 24);
    world.run_until_caught_up("a");
    world.assert_all_once();
    let mut old = Span { from: start, to: NOON - hours(25) }.hours();
    assert!(old.all(|hour| world.result(hour).state == HourState::VerifiedLate));
    let of_hour = |age| world.result(Hour::of(NOON - hours(age)));
    assert_eq!((of_hour(30).stages, of_hour(60).stages), (5, 6));
    // None of the old hours is counted or read again.
    let is_old = |request: &&PageRequest| request.maxtime < NOON - hours(49);
    assert_eq!(world.counts.iter().filter(is_old).count(), 0);
    let readings = world.requests.iter().filter(|request| request.is_reconciliation);
    assert_eq!(readings.filter(is_old).count(), 0);
}

#[test]
fn a_live_window_with_fewer_records_than_counted_verifies_nothing() {
    let start = NOON - hours(60);
    let mut world = World::new((0..300).map(|number| start + minutes(7 * number)));
    world.page_size = 1000;
    world.config.start = (start, false);
    // Within a window of several hours.
    let time = start + hours(5);
    world.never_returned = Some(time);
    world.run_until_caught_up("a");
    world.assert_all_once();
    let result = world.result(Hour::of(time));
    assert_eq!((result.state, result.duo_count), (HourState::Unknown, Some(result.delivered + 1)));
    assert!(world.result(Hour::of(time).after(1)).state.is_verified());
}
