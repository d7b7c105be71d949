//! Backfills: whole hours that are read again with a checkpoint of their own.

use super::kills::killed_at_every_step;
use super::record::{id, number};
use super::time::{hours, minutes, seconds};
use super::world::{NOON, World};
use crate::model::{FetchErrorKind, HOUR, Hour, IngestKind, LogType, MINUTE, Millis, Span};
use crate::sync::{Failure, HourState, RunOutcome};

const SPAN: Span = Span {
    from: Millis(NOON.0 - hours(100).num_milliseconds()),
    to: Millis(NOON.0 - hours(40).num_milliseconds()),
};

/// Events every 40 minutes over five days, some in one second, every fifth already delivered.
fn world(paging: &str) -> World {
    let mut times: Vec<Millis> =
        (0..180).map(|number| NOON - hours(120) + minutes(number * 40)).collect();
    times.extend([NOON - hours(77); 4]);
    let mut world = if paging == "last second" { World::v1(times, 6) } else { World::new(times) };
    if paging == "unsorted" {
        world.config.spec.paging = LogType::TrustMonitor.spec().paging;
        world.newest_first = true;
    }
    world.config.backfill = Some(SPAN);
    for number in (0..180).step_by(5) {
        world.add_to_ledger(world.events[number]);
    }
    world
}

const PAGINGS: [&str; 3] = ["cursor", "unsorted", "last second"];

fn finish(world: &mut World, owner: &str) {
    for _ in 0..100 {
        match world.run(owner).0 {
            RunOutcome::CaughtUp => return,
            RunOutcome::OutOfTime | RunOutcome::RateLimited | RunOutcome::LeaseHeld => {}
            outcome => panic!("{outcome:?}"),
        }
        world.now = world.now + MINUTE;
    }
    panic!("the backfill does not end");
}

/// Numbers of the undelivered events of the span, and of the events delivered by the backfill.
fn expected_and_delivered(world: &World) -> (Vec<u64>, Vec<u64>) {
    let inside = |time: Millis| time >= SPAN.from && time < SPAN.to;
    let expected = world.events.iter().filter(|event| inside(event.time));
    let mut expected: Vec<u64> = expected
        .map(|event| number(event.key))
        .filter(|number| *number >= 180 || *number % 5 != 0)
        .collect();
    let mut delivered: Vec<u64> = world.accepted.iter().map(|(id, _)| number(*id)).collect();
    delivered.sort_unstable();
    expected.sort_unstable();
    (expected, delivered)
}

#[test]
fn only_undelivered_events_of_the_span_are_delivered_once() {
    for paging in PAGINGS {
        let mut world = world(paging);
        finish(&mut world, "a");
        let (expected, delivered) = expected_and_delivered(&world);
        assert_eq!(expected, delivered, "{paging}");
        let is_backfill = |(_, kind): &(_, IngestKind)| *kind == IngestKind::Backfill;
        assert!(world.accepted.iter().all(is_backfill), "{paging}");
        for hour in SPAN.hours() {
            let result = world.result(hour);
            assert_eq!(result.state, HourState::VerifiedLate, "{paging} {hour}");
            assert_eq!(result.span, Span::of(hour));
        }
        let around = [SPAN.from.previous(), SPAN.to].map(Hour::of);
        for hour in around {
            assert!(world.result_of(hour).is_none(), "{paging}: {hour} has a result");
        }
        assert!(world.removed.is_empty(), "a backfill must not remove ledger entries");
    }
}

#[test]
fn a_kill_at_any_step_duplicates_at_most_one_batch_and_the_next_run_resumes() {
    for paging in PAGINGS {
        for (killed_at, mut world) in killed_at_every_step(|| world(paging)) {
            let request_count = world.request_count;
            world.now = world.now + minutes(2);
            finish(&mut world, "b");
            let (expected, mut delivered) = expected_and_delivered(&world);
            let sent = delivered.len();
            delivered.dedup();
            assert_eq!(expected, delivered, "{paging}, killed at step {killed_at}");
            // A batch has at most four rows here.
            assert!(sent - delivered.len() <= 4, "{paging}, killed at {killed_at}");
            assert!(request_count == 0 || world.requests.len() > 1);
        }
    }
}

#[test]
fn a_run_that_ends_within_the_span_is_resumed() {
    let mut world = world("cursor");
    world.latency = seconds(3);
    let mut instance = world.instance("a");
    assert_eq!(world.finish(&mut instance), RunOutcome::OutOfTime);
    let reached = instance.reached().unwrap();
    assert!(SPAN.from < reached && reached < SPAN.to, "{reached}");
    let request = world.requests.len();
    finish(&mut world, "a");
    let first = &world.requests[request];
    assert!(first.mintime + hours(24) > reached, "{first:?}");
    let (expected, delivered) = expected_and_delivered(&world);
    assert_eq!(expected, delivered);
}

#[test]
fn a_rate_limited_backfill_ends_only_when_the_span_is_read() {
    let mut world = world("cursor");
    world.config.limits.requests_per_minute = 5;
    let mut outcomes = Vec::new();
    for _ in 0..60 {
        let outcome = world.run("a").0;
        outcomes.push(outcome);
        if outcome == RunOutcome::CaughtUp {
            break;
        }
        world.now = world.now + seconds(12);
    }
    assert_eq!(outcomes.pop(), Some(RunOutcome::CaughtUp));
    assert!(outcomes.len() > 3, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| *outcome == RunOutcome::RateLimited));
    let (expected, delivered) = expected_and_delivered(&world);
    assert_eq!(expected, delivered);
}

#[test]
fn only_the_hour_that_duo_never_returns_in_full_is_unknown() {
    // Also with many rate-limited runs.
    for (page_size, requests_per_minute) in [(3, 0), (100, 5)] {
        let mut world = world("cursor");
        world.page_size = page_size;
        world.config.limits.requests_per_minute = requests_per_minute;
        let hidden = NOON - hours(70);
        // Duo counts one more record than it returns, in every request that includes the hour.
        world.never_returned = Some(hidden);
        finish(&mut world, "a");
        for hour in SPAN.hours() {
            let result = world.result(hour);
            let is_hidden = hour == Hour::of(hidden);
            assert_eq!(result.state == HourState::Unknown, is_hidden, "{hour} {result:?}");
            assert_eq!((result.gap, result.duo_count > Some(result.delivered)), (None, is_hidden));
        }
        let (expected, delivered) = expected_and_delivered(&world);
        assert_eq!(expected, delivered, "{requests_per_minute} requests per minute");
    }
}

#[test]
fn a_refused_backfill_fails_and_a_retired_log_is_unavailable() {
    let mut world = world("cursor");
    world.fetch_faults.push_back(Some(FetchErrorKind::Forbidden));
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    let mut world = self::world("unsorted");
    world.config.spec.may_be_retired = true;
    world.fetch_faults.push_back(Some(FetchErrorKind::Gone));
    assert_eq!(world.run("a").0, RunOutcome::Unavailable { report: true });
}

#[test]
fn hours_that_leave_duos_retention_do_not_affect_others() {
    let mut world = world("cursor");
    // The first hour leaves the retention in a few seconds.
    let age = world.now - SPAN.from;
    let retention = hours(180 * 24) - minutes(5);
    for event in &mut world.events {
        event.time = event.time - (retention - age - seconds(20));
        event.visible_from = event.time;
    }
    let moved = retention - age - seconds(20);
    let span = Span { from: SPAN.from - moved, to: SPAN.to - moved };
    let hours = Span { from: Hour::of(span.from).after(1).start(), to: Hour::of(span.to).start() };
    world.blobs.clear();
    world.config.backfill = Some(hours);
    world.config.limits.requests_per_minute = 5;
    // More than an hour passes after the first page.
    let mut instance = world.instance("a");
    for _ in 0..8 {
        world.step(&mut instance);
    }
    drop(instance);
    world.now = world.now + HOUR + minutes(40);
    while world.run("b").0 != RunOutcome::CaughtUp {
        world.now = world.now + seconds(12);
    }
    let oldest = world.now - retention;
    let lost = world.lost().into_iter().filter(|event| {
        event.time >= Hour::of(oldest).after(1).start()
            && event.time < hours.to
            && event.time >= hours.from
    });
    assert_eq!(lost.count(), 0);
    for hour in hours.hours().filter(|hour| hour.start() > oldest + HOUR) {
        assert_eq!(world.result(hour).state, HourState::VerifiedLate, "{hour}");
    }
}

#[test]
fn events_delivered_by_a_backfill_hide_none_in_the_first_hour_of_the_live_log() {
    // Live collection starts at half past; two later events are late, two others are before.
    let half_past = NOON - hours(3) + minutes(30);
    let mut times = vec![half_past - minutes(20), half_past - minutes(10)];
    times.extend((0..10).map(|number| half_past + MINUTE + minutes(number * 2)));
    let mut world = World::new(times);
    world.config.start = (half_past, false);
    for late in [3, 4] {
        world.events[late].visible_from = NOON + minutes(30);
    }
    world.run_until_caught_up("a");
    // A backfill of the whole hour delivers the earlier events before live reconciliation.
    for number in [0, 1] {
        world.accepted.push((id(number as u64), IngestKind::Backfill));
        world.add_to_ledger(world.events[number]);
    }
    world.run_until("a", NOON + hours(60));
    assert!(world.lost().is_empty(), "{:?}", world.lost());
}
