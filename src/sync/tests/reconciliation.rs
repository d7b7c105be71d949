//! Reconciliation: late events are found, and missing ones are reported.

use chrono::TimeDelta;

use super::record::id;
use super::time::{hours, millis, minutes, seconds};
use super::world::{DuoEvent, NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, Hour, IngestKind, MINUTE, Millis, PageRequest};
use crate::sync::{Failure, HourState, RunOutcome, Warning};

/// An event that Duo returns with a delay.
fn late(number: u64, time: Millis, delay: TimeDelta) -> DuoEvent {
    DuoEvent { key: id(number), time, visible_from: time + delay }
}

/// Whether a request reads closed hours.
fn is_reading(request: &PageRequest) -> bool {
    request.is_reconciliation && request.limit.is_none()
}

#[test]
fn an_event_up_to_two_days_late_is_found_at_the_next_stage_and_marked_late() {
    // Minutes late, from within the overlap to the last stage, and minutes until delivered.
    for (delay, by) in [
        (10, 95),
        (40, 95),
        (100, 200),
        (300, 440),
        (600, 800),
        (15 * 60, 1520),
        (30 * 60, 2960),
        (47 * 60, 2960),
    ] {
        let mut world = World::new(clustered());
        world.run_until_caught_up("a");
        let time = NOON - minutes(50);
        world.events.push(late(500, time, minutes(delay)));
        world.run_until("a", time + minutes(by));
        assert!(world.lost().is_empty(), "{delay} minutes late");
        world.run_until("a", time + hours(50));
        assert_eq!(world.duplicates(), 0);
        let kind = world.accepted.iter().find(|(key, _)| *key == id(500));
        assert_eq!(kind.unwrap().1, IngestKind::Late, "{delay} minutes late");
        let result = world.result(Hour::of(time));
        assert_eq!(result.state, HourState::Verified, "{result:?}");
        assert_eq!((result.stages, result.duo_count), (6, Some(result.delivered)));
    }
}

#[test]
fn hours_that_match_duos_count_are_read_once_a_day_after_their_end() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    world.requests.clear();
    world.counts.clear();
    world.run_until("a", NOON + hours(20));
    assert_eq!(world.requests.iter().filter(|request| is_reading(request)).count(), 0);
    let result = world.result(Hour::of(NOON - hours(2)));
    assert_eq!((result.state, result.stages), (HourState::CountMatched, 4));
    world.run_until("a", NOON + hours(52));
    // Each hour since nine o'clock is counted at most five times and read once.
    assert!(world.counts.len() <= 5 * 55, "{}", world.counts.len());
    let read: Vec<Hour> = world
        .requests
        .iter()
        .filter(|request| is_reading(request))
        .map(|request| Hour::of(request.mintime))
        .collect();
    let mut distinct = read.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!((24..=31).contains(&distinct.len()), "{}", distinct.len());
    let result = world.result(Hour::of(NOON - hours(2)));
    assert_eq!((result.state, result.stages), (HourState::Verified, 6));
    assert_eq!(world.accepted.len(), world.events.len());
}

#[test]
fn hours_due_together_for_their_full_reading_are_read_in_one_span() {
    let mut world = World::new(clustered());
    world.page_size = 1000;
    world.run_until_caught_up("a");
    world.requests.clear();
    world.now = NOON + hours(26);
    world.run_until_caught_up("a");
    let readings: Vec<&PageRequest> =
        world.requests.iter().filter(|request| is_reading(request)).collect();
    assert!(readings.len() <= 3, "{} requests", readings.len());
    assert!(readings[0].maxtime - readings[0].mintime > hours(2));
    let states: Vec<HourState> =
        (-3..0).map(|number| world.result(Hour::of(NOON).after(number)).state).collect();
    assert!(states.iter().all(|state| state.is_verified()), "{states:?}");
}

#[test]
fn a_count_that_omits_late_events_does_not_verify_their_hour() {
    // Duo's count is cached without the late event, which a reading returns.
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    let time = NOON - minutes(50);
    world.events.push(late(500, time, hours(5)));
    world.miscount = Some(-1);
    world.run_until("a", NOON + hours(26));
    assert!(world.lost().is_empty());
    assert!(world.result(Hour::of(time)).state.is_verified());
}

#[test]
fn an_hour_with_a_higher_count_than_records_is_unknown_and_read_only_on_schedule() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    let hour = Hour::of(NOON - hours(2));
    world.never_returned = Some(hour.start() + minutes(30));
    world.requests.clear();
    let mut warnings = 0;
    while world.now < NOON + hours(52) {
        let (outcome, stats) = world.run("a");
        assert_eq!(outcome, RunOutcome::CaughtUp);
        warnings += stats
            .warnings
            .iter()
            .filter(|warning| matches!(warning, Warning::CountDisagrees { .. }))
            .count();
        world.now = world.now + minutes(15);
    }
    let result = world.result(hour);
    assert_eq!((result.state, result.gap), (HourState::Unknown, None));
    assert_eq!(result.duo_count, Some(result.delivered + 1));
    assert!(warnings > 0);
    // Only on schedule: at each stage, and twice after a short reading.
    let readings = world
        .requests
        .iter()
        .filter(|request| is_reading(request) && Hour::of(request.mintime) == hour);
    let first_pages = readings.filter(|request| request.cursor.is_none());
    assert!(first_pages.count() <= 2 * 6 + 1);
    // The adjacent hours are verified.
    for number in [-1, 1] {
        assert_eq!(world.result(hour.after(number)).state, HourState::Verified);
    }
}

#[test]
fn without_an_exact_count_each_stage_is_a_reading() {
    let mut world = World::new(clustered());
    world.miscount = None;
    world.run_until_caught_up("a");
    let time = NOON - minutes(50);
    world.events.push(late(500, time, hours(20)));
    while world.now < NOON + hours(25) {
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings, []);
        world.now = world.now + minutes(15);
    }
    world.assert_all_once();
    let result = world.result(Hour::of(time));
    assert_eq!((result.state, result.late, result.duo_count), (HourState::Verified, 1, None));
}

#[test]
fn logs_without_counts_are_reconciled_once_an_hour() {
    for (name, mut world) in
        [("v1", World::v1(clustered(), 10)), ("trust monitor", World::unsorted(clustered()))]
    {
        world.run_until_caught_up("a");
        let time = NOON - minutes(50);
        world.events.push(late(500, time, hours(30)));
        world.run_until("a", time + hours(32));
        assert!(world.lost().is_empty(), "{name}");
        assert_eq!(world.duplicates(), 0, "{name}");
        let result = world.result(Hour::of(time));
        assert_eq!((result.state, result.late), (HourState::Verified, 1), "{name}: {result:?}");
        // At most one reading per hour.
        let before = world.requests.len();
        world.run_until("a", time + hours(42));
        let readings = world.requests[before..]
            .iter()
            .filter(|request| request.is_reconciliation && request.cursor.is_none());
        let pages = if name == "v1" { world.events.len() / world.page_size + 6 } else { 1 };
        assert!(readings.count() <= 11 * pages, "{name}");
    }
}

#[test]
fn ledger_entries_are_removed_once_no_reading_needs_them() {
    for v1 in [false, true] {
        let times = (0..200).map(|number| NOON - hours(2) + minutes(30 * number));
        let mut world = if v1 { World::v1(times, 10) } else { World::new(times) };
        world.run_until("a", NOON + hours(98));
        world.assert_all_once();
        // Two per hour, for two days, two adjacent hours, and two waiting for the last stage.
        assert!(world.ledger().len() <= 2 * 54, "{}", world.ledger().len());
    }
}

#[test]
fn the_bounds_of_a_gap_are_exact() {
    let mut world = World::new([]);
    world.run_until_caught_up("a");
    let mintime = world.checkpoint().mintime;
    // The log was not collected for longer than Duo's retention.
    world.now = world.now + TimeDelta::days(180);
    let (_, stats) = world.run("a");
    let gap = stats.warnings.iter().find_map(|warning| match warning {
        Warning::Gap { from, to } => Some((*from, *to)),
        _ => None,
    });
    let (from, to) = gap.unwrap();
    assert_eq!(from, mintime);
    world.run_until("a", world.now + hours(6));
    let first = world.result(Hour::of(from));
    assert_eq!((first.state, first.gap.unwrap().from), (HourState::Gap, from));
    let last = world.result(Hour::of(to));
    assert_eq!((last.state, last.gap.unwrap().to), (HourState::Gap, to));
    assert_eq!(world.result(Hour::of(to).after(1)).gap, None);
}

#[test]
fn hours_beyond_retention_do_not_delay_a_log_without_counts() {
    let mut world = World::v1([], 10);
    world.run_until_caught_up("a");
    let stopped = world.checkpoint().mintime;
    world.now = world.now + TimeDelta::days(365);
    // Half a year beyond retention at once, and half a year within it in steps of a month per hour.
    world.run_until("a", world.now + hours(2));
    let kept_from = Hour::of(world.now - TimeDelta::days(178));
    for hour in [Hour::of(stopped), kept_from.after(-24 * 30)] {
        assert_eq!(world.result(hour).state, HourState::Gap, "{hour}");
    }
    world.run_until("a", world.now + hours(12));
    let last = Hour::of(world.now).after(-4);
    assert!(world.result(last).state.is_verified());
}

#[test]
fn while_the_log_is_behind_one_request_in_five_is_for_reconciliation() {
    let mut world = World::new((0..2000).map(|number| NOON - hours(3) + seconds(number * 5)));
    world.config.limits.requests_per_minute = 10;
    world.page_size = 10;
    world.miscount = None;
    for _ in 0..20 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    let reconciling = world.requests.iter().filter(|request| request.is_reconciliation).count()
        + world.counts.len();
    let requests = world.requests.len() + world.counts.len();
    assert!(reconciling * 5 <= requests, "{reconciling} of {requests}");
    // None is due before the first hour is read completely.
    assert!(reconciling * 5 >= requests - 80, "{reconciling} of {requests}");
}

#[test]
fn a_failing_reconciliation_does_not_stop_live_collection() {
    let throttled = FetchErrorKind::Throttled { retry_after: None };
    let kinds = [
        FetchErrorKind::Rejected,
        FetchErrorKind::Fatal,
        FetchErrorKind::Malformed,
        FetchErrorKind::Unreachable,
        throttled,
    ];
    // A busy log and a quiet one.
    let logs = [(13, false), (7 * 60, false), (13, true)];
    for (kind, (every, v1)) in kinds.into_iter().flat_map(|kind| logs.map(|log| (kind, log))) {
        let times = (0..11 * 60 / every).map(|number| NOON - hours(2) + minutes(number * every));
        let mut world = if v1 { World::v1(times, 10) } else { World::new(times) };
        world.run_until_caught_up("a");
        world.reconciliation_fault = Some(kind);
        let end = NOON + hours(10);
        let is_refusal =
            !matches!(kind, FetchErrorKind::Unreachable | FetchErrorKind::Throttled { .. });
        let mut reported = 0;
        while world.now < end {
            let outcome = world.run("a").0;
            reported += u32::from(outcome == RunOutcome::Failed(Failure::Reconciliation));
            world.now = world.now + MINUTE;
        }
        assert_eq!(world.counts.is_empty(), v1);
        assert_eq!(reported > 500, is_refusal, "{kind:?}: reported {reported} times");
        let behind = end - world.checkpoint().mintime;
        // A refusal does not delay live collection; a back-off does. An idle log saves less often.
        let most = if is_refusal { minutes(21) } else { HOUR };
        assert!(behind < most, "{kind:?}: {behind} behind");
        world.reconciliation_fault = None;
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "{kind:?}");
        assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    }
}

#[test]
fn a_local_clock_days_ahead_does_not_make_hours_final_early() {
    for v1 in [false, true] {
        let mut world = if v1 { World::v1(clustered(), 10) } else { World::new(clustered()) };
        world.run_until_caught_up("a");
        // In the hour with the next due stage.
        let time = NOON - minutes(165);
        world.events.push(late(500, time, hours(20)));
        world.now = world.now + HOUR;
        let mut checkpoint = world.checkpoint();
        // The next request is for reconciliation; Duo's clock is unknown before it.
        checkpoint.reconciliation.live_requests = 100;
        world.store(&checkpoint);
        world.now = world.now + hours(60);
        world.clock_ahead = hours(60);
        world.run("a");
        // No hour is six hours old by Duo's clock.
        for result in world.results() {
            assert!(result.stages <= 2, "v1 {v1}: {result:?}");
        }
        world.now = world.now - hours(60);
        world.clock_ahead = millis(0);
        world.run_until("a", time + hours(50));
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "v1 {v1}");
        assert_eq!(world.duplicates(), 0, "v1 {v1}");
    }
}
