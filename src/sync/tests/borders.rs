//! What decides at a border does so to the millisecond.

use chrono::TimeDelta;

use super::record::{id, of_key};
use super::time::{hours, minutes, seconds};
use super::world::{Instance, NOON, Next, Reply, World};
use crate::model::{FetchErrorKind, HOUR, MINUTE, Millis, PageResponse};
use crate::sync::checkpoint::Lease;
use crate::sync::window::Window;
use crate::sync::{Checkpoint, Destination, Failure, RunOutcome, Warning};

/// How far back Duo keeps logs.
const RETENTION: TimeDelta = TimeDelta::days(179);

/// A checkpoint of which nothing is due to be reconciled.
pub(super) fn checkpoint(mintime: Millis) -> Checkpoint {
    let mut checkpoint = Checkpoint::first(mintime, NOON);
    checkpoint.reconciliation.next =
        checkpoint.reconciliation.next.map(|hour| hour.after(24 * 400));
    checkpoint
}

/// A world at noon where every operation takes no time, with this checkpoint.
pub(super) fn world_with(checkpoint: &Checkpoint) -> World {
    let mut world = World::new([]);
    world.limits = TimeDelta::zero();
    world.store(checkpoint);
    world
}

/// A run that was given its checkpoint, and what it does first.
pub(super) fn begun(checkpoint: &Checkpoint) -> (World, Instance, Next) {
    let mut world = world_with(checkpoint);
    let mut instance = world.instance("a");
    let next = world.next(&mut instance);
    (world, instance, next)
}

/// What a log that was never collected does first.
fn begun_without_checkpoint(first_mintime: Millis) -> (Next, Vec<Warning>) {
    let mut world = World::new([]);
    world.limits = TimeDelta::zero();
    world.config.first_mintime = first_mintime;
    let mut instance = world.instance("a");
    let next = world.next(&mut instance);
    world.finish(&mut instance);
    (next, instance.result.unwrap().stats.warnings)
}

pub(super) fn page(times: &[Millis], cursor: Option<&str>) -> Reply {
    let records = (0..).zip(times).map(|(number, time)| {
        let mut record = of_key(id(number), Some(*time), false);
        record.row_bytes = 98;
        record
    });
    Reply::Page(Ok(PageResponse {
        records: records.collect(),
        cursor: cursor.map(str::to_owned),
        total: None,
        server_time: Some(NOON),
    }))
}

/// A run with one page in two batches, the first of which is in its hand; its lease was taken at noon.
pub(super) fn sending() -> (World, Instance) {
    let (mut world, mut instance, next) = begun(&checkpoint(NOON - HOUR));
    assert!(matches!(next, Next::Fetch(_)), "{next:?}");
    for number in 0..4 {
        world.add_now(number);
    }
    let next = world.answer(&mut instance, page(&[NOON - minutes(30); 4], None));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
    let next = world.serve(&mut instance);
    assert!(matches!(next, Next::Send), "{next:?}");
    (world, instance)
}

#[test]
fn a_first_run_begins_at_most_an_hour_ahead_and_reports_what_duo_does_not_keep() {
    assert!(matches!(begun_without_checkpoint(NOON + HOUR).0, Next::Save(_)));
    let next = begun_without_checkpoint((NOON + HOUR).next()).0;
    assert!(matches!(next, Next::End(RunOutcome::Failed(Failure::Future))), "{next:?}");
    let oldest = NOON - RETENTION;
    // A start is rounded down and some time passed: an hour of it is no gap.
    assert_eq!(begun_without_checkpoint(oldest - HOUR).1, []);
    let from = (oldest - HOUR).previous();
    assert_eq!(begun_without_checkpoint(from).1[0], Warning::Gap { from, to: oldest });
}

#[test]
fn a_checkpoint_ahead_of_the_clock_and_one_at_the_edge_of_retention_are_taken_as_they_are() {
    let next = begun(&checkpoint(NOON + HOUR)).2;
    assert!(matches!(next, Next::End(RunOutcome::CaughtUp)), "{next:?}");
    let next = begun(&checkpoint((NOON + HOUR).next())).2;
    assert!(matches!(next, Next::End(RunOutcome::Failed(Failure::Future))), "{next:?}");
    for (mintime, gaps) in [(NOON - RETENTION, 0), ((NOON - RETENTION).previous(), 1)] {
        let (mut world, mut instance, next) = begun(&checkpoint(mintime));
        assert!(matches!(next, Next::Fetch(_)), "{next:?}");
        world.finish(&mut instance);
        let warnings = &instance.result.unwrap().stats.warnings;
        let is_gap = |warning: &&Warning| matches!(warning, Warning::Gap { .. });
        assert_eq!(warnings.iter().filter(is_gap).count(), gaps);
    }
}

#[test]
fn a_window_that_duo_does_not_keep_any_more_is_not_read_on() {
    for (from, is_kept) in [(NOON - RETENTION, true), ((NOON - RETENTION).previous(), false)] {
        let mut checkpoint = checkpoint(from);
        let mut window = Window::new(from, from + HOUR);
        window.cursor = Some("1,2".to_owned());
        checkpoint.window = Some(window);
        let Next::Fetch(request) = begun(&checkpoint).2 else { panic!() };
        assert_eq!(request.cursor.is_some(), is_kept);
        assert_eq!(request.mintime, from.max(NOON - RETENTION));
    }
}

#[test]
fn another_instance_and_another_destination_are_respected_to_the_millisecond() {
    let leased_until = |expires_at| {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.lease = Some(Lease { owner: "b".to_owned(), expires_at });
        begun(&checkpoint).2
    };
    assert!(matches!(leased_until(NOON.next()), Next::End(RunOutcome::LeaseHeld)));
    assert!(matches!(leased_until(NOON), Next::Fetch(_)));
    let used_at = |used_at| {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.destination = Some(Destination { fingerprint: "another".to_owned(), used_at });
        begun(&checkpoint).2
    };
    let next = used_at((NOON - minutes(15)).next());
    let free_at = NOON.next();
    let other = RunOutcome::Failed(Failure::OtherDestination { free_at });
    assert!(matches!(next, Next::End(outcome) if outcome == other), "{next:?}");
    assert!(matches!(used_at(NOON - minutes(15)), Next::Fetch(_)));
}

#[test]
fn a_lease_that_an_earlier_run_left_behind_is_taken_again_before_anything_is_sent() {
    let mut checkpoint = checkpoint(NOON - HOUR);
    checkpoint.lease = Some(Lease { owner: "a".to_owned(), expires_at: NOON + seconds(90) });
    let (mut world, mut instance, _) = begun(&checkpoint);
    let next = world.answer(&mut instance, page(&[NOON - minutes(30)], None));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
}

#[test]
fn a_further_window_is_opened_for_a_minute_and_not_for_less() {
    for (short_by, questions) in [(0, 2), (1, 1)] {
        let mut world = World::new([]);
        world.limits = TimeDelta::zero();
        let horizon = world.now - world.config.limits.window_delay;
        // The second window begins a millisecond behind the first.
        world.config.first_mintime =
            (horizon - HOUR - MINUTE + TimeDelta::milliseconds(short_by)).previous();
        world.run("a");
        let live = world.asked.iter().filter(|asked| !asked.is_reconciliation);
        assert_eq!(live.count(), questions, "short by {short_by}");
    }
}

#[test]
fn an_empty_page_ends_its_window_whatever_cursor_it_has() {
    let (mut world, mut instance, _) = begun(&checkpoint(NOON - HOUR));
    let Next::Save(saved) = world.answer(&mut instance, page(&[], Some("1,2"))) else { panic!() };
    assert_eq!(saved.window, None);
    assert!(saved.mintime > NOON - HOUR);
}

#[test]
fn a_lease_that_does_not_outlive_the_next_request_by_half_a_minute_is_renewed_before_it() {
    // It was taken at noon, for the timeout of 30 seconds and 60 more.
    for (passed, is_renewed) in
        [(seconds(30), false), (seconds(30) + TimeDelta::milliseconds(1), true)]
    {
        let (mut world, mut instance) = sending();
        world.serve(&mut instance);
        world.now = NOON + passed;
        // The ledger was read before the first batch, and has the batch now.
        let next = world.serve(&mut instance);
        let Next::Save(saved) = next else {
            assert!(!is_renewed && matches!(next, Next::Send), "{next:?}");
            continue;
        };
        assert!(is_renewed);
        assert_eq!(saved.lease.unwrap().expires_at, NOON + passed + seconds(90));
    }
}

#[test]
fn a_lease_lasts_as_long_as_the_timeout_in_force() {
    for (timeout_s, expected) in [(30, 90), (60, 120), (120, 180), (0, 90), (9999, 180)] {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.timeout_s = timeout_s;
        let (mut world, mut instance, _) = begun(&checkpoint);
        // A response that took long keeps the timeout as it is.
        world.now = NOON + seconds(29);
        let Next::Save(saved) = world.answer(&mut instance, page(&[NOON - minutes(30)], None))
        else {
            panic!()
        };
        let is_short = timeout_s == 120 || timeout_s == 9999;
        let expected = if is_short { expected - 60 } else { expected };
        assert_eq!(saved.lease.unwrap().expires_at, world.now + seconds(expected), "{timeout_s}");
    }
}

#[test]
fn a_request_that_a_shutdown_aborts_is_no_error_of_duo() {
    for kind in [FetchErrorKind::Unreachable, FetchErrorKind::TimedOut, FetchErrorKind::Malformed] {
        let (mut world, mut instance, _) = begun(&checkpoint(NOON - HOUR));
        instance.request_shutdown();
        let next = world.answer(&mut instance, Reply::Page(Err(kind)));
        assert!(matches!(next, Next::End(RunOutcome::ShutdownRequested)), "{next:?}");
    }
}

#[test]
fn a_clock_that_is_more_than_half_a_minute_ahead_is_reported() {
    for (ahead, reported) in [(30, 0), (31, 1)] {
        let mut world = World::new([]);
        world.limits = TimeDelta::zero();
        world.clock_ahead = seconds(ahead);
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings.len(), reported, "{ahead}");
    }
}

#[test]
fn timeouts_double_while_requests_time_out_and_come_back_when_responses_are_quick() {
    let mut world = World::new([NOON - hours(1)]);
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::TimedOut), 3).collect();
    let timeouts =
        |world: &World| world.asked.iter().map(|asked| asked.timeout.as_secs()).collect::<Vec<_>>();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    assert_eq!(timeouts(&world)[..4], [30, 60, 120, 120]);
    assert!(
        timeouts(&world)[4..].windows(2).all(|pair| pair[1] <= pair[0]),
        "{:?}",
        timeouts(&world)
    );
    assert_eq!(world.checkpoint().timeout_s, 30);
}
