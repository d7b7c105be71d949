//! A span of whole hours that is read again, beside the live log and on a place of its own.

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

/// Events every 40 minutes over five days, some of them in one second, and every fifth delivered long ago.
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
            ending => panic!("{ending:?}"),
        }
        world.now = world.now + MINUTE;
    }
    panic!("the backfill never ends");
}

/// Ids of the events of the span that nobody delivered before, and of those that were delivered now.
fn wanted_and_got(world: &World) -> (Vec<u64>, Vec<u64>) {
    let inside = |time: Millis| time >= SPAN.from && time < SPAN.to;
    let wanted = world.events.iter().filter(|event| inside(event.time));
    let mut wanted: Vec<u64> = wanted
        .map(|event| number(event.key))
        .filter(|number| *number >= 180 || *number % 5 != 0)
        .collect();
    let mut got: Vec<u64> = world.accepted.iter().map(|(id, _)| number(*id)).collect();
    got.sort_unstable();
    wanted.sort_unstable();
    (wanted, got)
}

#[test]
fn what_was_never_delivered_of_the_span_arrives_once_and_nothing_else() {
    for paging in PAGINGS {
        let mut world = world(paging);
        finish(&mut world, "a");
        let (wanted, got) = wanted_and_got(&world);
        assert_eq!(wanted, got, "{paging}");
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
        assert!(world.removed.is_empty(), "the entries are the live log's");
    }
}

#[test]
fn a_kill_anywhere_repeats_one_call_at_most_and_the_next_run_goes_on() {
    for paging in PAGINGS {
        for (killed_at, mut world) in killed_at_every_step(|| world(paging)) {
            let questions = world.questions;
            world.now = world.now + minutes(2);
            finish(&mut world, "b");
            let (wanted, mut got) = wanted_and_got(&world);
            let sent = got.len();
            got.dedup();
            assert_eq!(wanted, got, "{paging}, killed at step {killed_at}");
            // Four rows fit into one call of this world.
            assert!(sent - got.len() <= 4, "{paging}, killed at {killed_at}");
            assert!(questions == 0 || world.asked.len() > 1);
        }
    }
}

#[test]
fn a_run_that_ends_before_the_span_does_goes_on_where_it_stopped() {
    let mut world = world("cursor");
    world.limits = seconds(3);
    let mut instance = world.instance("a");
    assert_eq!(world.finish(&mut instance), RunOutcome::OutOfTime);
    let reached = instance.reached().unwrap();
    assert!(SPAN.from < reached && reached < SPAN.to, "{reached}");
    let asked = world.asked.len();
    finish(&mut world, "a");
    let first = &world.asked[asked];
    assert!(first.mintime + hours(24) > reached, "{first:?}");
    let (wanted, got) = wanted_and_got(&world);
    assert_eq!(wanted, got);
}

#[test]
fn a_backfill_within_the_limit_of_calls_is_not_done_before_its_end() {
    let mut world = world("cursor");
    world.config.limits.requests_per_minute = 5;
    let mut endings = Vec::new();
    for _ in 0..60 {
        let ending = world.run("a").0;
        endings.push(ending);
        if ending == RunOutcome::CaughtUp {
            break;
        }
        world.now = world.now + seconds(12);
    }
    assert_eq!(endings.pop(), Some(RunOutcome::CaughtUp));
    assert!(endings.len() > 3, "{endings:?}");
    assert!(endings.iter().all(|ending| *ending == RunOutcome::RateLimited));
    let (wanted, got) = wanted_and_got(&world);
    assert_eq!(wanted, got);
}

#[test]
fn the_one_hour_that_duo_never_shows_in_full_is_unknown_and_no_other() {
    // Also where the limit of requests ends many runs.
    for (page_size, requests_per_minute) in [(3, 0), (100, 5)] {
        let mut world = world("cursor");
        world.page_size = page_size;
        world.config.limits.requests_per_minute = requests_per_minute;
        let hidden = NOON - hours(70);
        // Duo counts one more than it shows, in every question that touches the hour.
        world.never_shown = Some(hidden);
        finish(&mut world, "a");
        for hour in SPAN.hours() {
            let result = world.result(hour);
            let is_it = hour == Hour::of(hidden);
            assert_eq!(result.state == HourState::Unknown, is_it, "{hour} {result:?}");
            assert_eq!((result.gap, result.duo_count > Some(result.delivered)), (None, is_it));
        }
        let (wanted, got) = wanted_and_got(&world);
        assert_eq!(wanted, got, "{requests_per_minute} requests per minute");
    }
}

#[test]
fn a_refused_backfill_fails_and_a_retired_log_is_none_to_read() {
    let mut world = world("cursor");
    world.fetch_faults.push_back(Some(FetchErrorKind::Forbidden));
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    let mut world = self::world("unsorted");
    world.config.spec.may_be_retired = true;
    world.fetch_faults.push_back(Some(FetchErrorKind::Gone));
    assert_eq!(world.run("a").0, RunOutcome::Unavailable { report: true });
}

#[test]
fn what_leaves_duos_retention_on_the_way_takes_nothing_else_with_it() {
    let mut world = world("cursor");
    // The first of its hours is kept for a few seconds more.
    let age = world.now - SPAN.from;
    let retention = hours(179 * 24);
    for event in &mut world.events {
        event.time = event.time - (retention - age - seconds(20));
        event.shown_from = event.time;
    }
    let moved = retention - age - seconds(20);
    let span = Span { from: SPAN.from - moved, to: SPAN.to - moved };
    let hours = Span { from: Hour::of(span.from).after(1).start(), to: Hour::of(span.to).start() };
    world.blobs.clear();
    world.config.backfill = Some(hours);
    world.config.limits.requests_per_minute = 5;
    // An hour passes after the first page.
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
fn what_a_backfill_delivers_hides_nothing_of_the_hour_in_which_the_live_log_began() {
    // Live begins at half past; two events of its half are shown late, and two lie in the other half.
    let half_past = NOON - hours(3) + minutes(30);
    let mut times = vec![half_past - minutes(20), half_past - minutes(10)];
    times.extend((0..10).map(|number| half_past + MINUTE + minutes(number * 2)));
    let mut world = World::new(times);
    world.config.first_mintime = half_past;
    for late in [3, 4] {
        world.events[late].shown_from = NOON + minutes(30);
    }
    world.run_until_caught_up("a");
    // What a backfill of the whole hour delivered before live looks again.
    for number in [0, 1] {
        world.accepted.push((id(number as u64), IngestKind::Backfill));
        world.add_to_ledger(world.events[number]);
    }
    world.run_until("a", NOON + hours(60));
    assert!(world.lost().is_empty(), "{:?}", world.lost());
}
