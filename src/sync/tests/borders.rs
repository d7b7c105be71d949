//! Limits are exact to the millisecond.

use chrono::TimeDelta;

use super::record::{id, of_key};
use super::time::{hours, millis, minutes, seconds};
use super::world::{Instance, NOON, Next, Reply, World};
use crate::model::{FetchErrorKind, HOUR, MINUTE, Millis, PageResponse, SendErrorKind};
use crate::sync::checkpoint::Lease;
use crate::sync::window::Window;
use crate::sync::{Checkpoint, Destination, Failure, RunOutcome, Warning};

/// Duo's retention.
const RETENTION: TimeDelta = TimeDelta::minutes(180 * 24 * 60 - 5);

/// A checkpoint without hours due for reconciliation.
pub(super) fn checkpoint(mintime: Millis) -> Checkpoint {
    let mut checkpoint = Checkpoint::first(mintime, NOON);
    checkpoint.reconciliation.next =
        checkpoint.reconciliation.next.map(|hour| hour.after(24 * 400));
    checkpoint
}

/// A world at noon with a stored checkpoint and without latency.
pub(super) fn world_with(checkpoint: &Checkpoint) -> World {
    let mut world = World::new([]);
    world.latency = TimeDelta::zero();
    world.store(checkpoint);
    world
}

/// A run with a stored checkpoint, and its first operation.
pub(super) fn started(checkpoint: &Checkpoint) -> (World, Instance, Next) {
    let mut world = world_with(checkpoint);
    let mut instance = world.instance("a");
    let next = world.next(&mut instance);
    (world, instance, next)
}

/// The first operation of a run without a checkpoint, and its warnings.
fn first_operation_without_checkpoint(first_mintime: Millis) -> (Next, Vec<Warning>) {
    let mut world = World::new([]);
    world.latency = TimeDelta::zero();
    world.config.start = (first_mintime, false);
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
        limit: None,
    }))
}

/// A run with one page in two batches that is about to send the first; its lease was taken at noon.
pub(super) fn sending() -> (World, Instance) {
    let (mut world, mut instance, next) = started(&checkpoint(NOON - HOUR));
    assert!(matches!(next, Next::Fetch(_)), "{next:?}");
    for number in 0..4 {
        world.add_now(number);
    }
    let next = world.respond(&mut instance, page(&[NOON - minutes(30); 4], None));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
    let next = world.serve(&mut instance);
    assert!(matches!(next, Next::Send), "{next:?}");
    (world, instance)
}

#[test]
fn a_first_run_starts_at_most_an_hour_ahead_and_reports_a_gap_beyond_retention() {
    assert!(matches!(first_operation_without_checkpoint(NOON + HOUR).0, Next::Save(_)));
    let next = first_operation_without_checkpoint((NOON + HOUR).next()).0;
    assert!(matches!(next, Next::End(RunOutcome::Failed(Failure::Future))), "{next:?}");
    let oldest = NOON - RETENTION + minutes(10);
    // One hour of tolerance is not reported as a gap.
    assert_eq!(first_operation_without_checkpoint(oldest - HOUR).1, []);
    let from = (oldest - HOUR).previous();
    assert_eq!(first_operation_without_checkpoint(from).1[0], Warning::Gap { from, to: oldest });
}

#[test]
fn a_checkpoint_up_to_an_hour_ahead_and_one_at_the_end_of_retention_are_used() {
    let next = started(&checkpoint(NOON + HOUR)).2;
    assert!(matches!(next, Next::End(RunOutcome::CaughtUp)), "{next:?}");
    let next = started(&checkpoint((NOON + HOUR).next())).2;
    assert!(matches!(next, Next::End(RunOutcome::Failed(Failure::Future))), "{next:?}");
    for (mintime, gaps) in [(NOON - RETENTION, 0), ((NOON - RETENTION).previous(), 1)] {
        let (mut world, mut instance, next) = started(&checkpoint(mintime));
        assert!(matches!(next, Next::Fetch(_)), "{next:?}");
        world.finish(&mut instance);
        let warnings = &instance.result.unwrap().stats.warnings;
        let is_gap = |warning: &&Warning| matches!(warning, Warning::Gap { .. });
        assert_eq!(warnings.iter().filter(is_gap).count(), gaps);
    }
}

#[test]
fn a_log_that_starts_at_the_border_of_retention_has_no_gap_after_a_pause() {
    for before in [hours(180 * 24), hours(180 * 24) - minutes(15), hours(179 * 24)] {
        let mut world = World::new([]);
        world.config.limits.requests_per_minute = 10;
        world.config.start = (NOON - before, false);
        let throttled = FetchErrorKind::Throttled { retry_after: None };
        world.fetch_faults = std::iter::repeat_n(Some(throttled), 3).collect();
        for _ in 0..12 {
            assert_eq!(world.run("a").1.warnings, [], "{before}");
            world.now = world.now + MINUTE;
        }
        let latest = (NOON - before).max(NOON - hours(180 * 24) + minutes(15));
        assert!(world.requests[3].mintime <= latest, "{before}");
    }
}

#[test]
fn a_busy_window_at_the_border_of_retention_is_read_on_where_it_was_delivered() {
    // Sixty pages in the first hour, ten in each run.
    let start = NOON - RETENTION + minutes(10);
    let mut world = World::new((0..180).map(|number| start + seconds(20 * number)));
    world.config.limits.requests_per_minute = 10;
    world.config.start = (start, false);
    for event in &mut world.events {
        event.visible_from = event.time;
    }
    for _ in 0..40 {
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings, []);
        world.now = world.now + MINUTE;
    }
    world.assert_all_once();
}

#[test]
fn a_stored_window_beyond_retention_is_not_resumed() {
    for (from, is_kept) in [(NOON - RETENTION, true), ((NOON - RETENTION).previous(), false)] {
        let mut checkpoint = checkpoint(from);
        let mut window = Window::new(from, from + HOUR);
        window.cursor = Some("1,2".to_owned());
        checkpoint.window = Some(window);
        let Next::Fetch(request) = started(&checkpoint).2 else { panic!() };
        assert_eq!(request.cursor.is_some(), is_kept);
        assert_eq!(request.mintime, from.max(NOON - RETENTION));
    }
}

#[test]
fn delivered_pages_of_a_window_beyond_retention_are_no_gap() {
    let (from, to) = (NOON - RETENTION - hours(2), NOON - RETENTION);
    let mut checkpoint = checkpoint(from);
    let last_time = Some(from + HOUR);
    checkpoint.window = Some(Window { last_time, ..Window::new(from, to + HOUR) });
    let (mut world, mut instance, _) = started(&checkpoint);
    world.finish(&mut instance);
    let gap = Warning::Gap { from: from + HOUR, to };
    assert_eq!(instance.result.unwrap().stats.warnings, [gap]);
}

#[test]
fn another_instance_and_another_destination_are_respected_to_the_millisecond() {
    let leased_until = |expires_at| {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.lease = Some(Lease { owner: "b".to_owned(), expires_at });
        started(&checkpoint).2
    };
    assert!(matches!(leased_until(NOON.next()), Next::End(RunOutcome::LeaseHeld)));
    assert!(matches!(leased_until(NOON), Next::Fetch(_)));
    let used_at = |used_at| {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.destination = Some(Destination { fingerprint: "another".to_owned(), used_at });
        started(&checkpoint).2
    };
    let next = used_at((NOON - minutes(15)).next());
    let free_at = NOON.next();
    let other = RunOutcome::Failed(Failure::OtherDestination { free_at });
    assert!(matches!(next, Next::End(outcome) if outcome == other), "{next:?}");
    assert!(matches!(used_at(NOON - minutes(15)), Next::Fetch(_)));
}

#[test]
fn a_lease_left_by_an_earlier_run_is_renewed_before_sending() {
    let mut checkpoint = checkpoint(NOON - HOUR);
    checkpoint.lease = Some(Lease { owner: "a".to_owned(), expires_at: NOON + seconds(90) });
    let (mut world, mut instance, _) = started(&checkpoint);
    let next = world.respond(&mut instance, page(&[NOON - minutes(30)], None));
    assert!(matches!(next, Next::Save(_)), "{next:?}");
}

#[test]
fn a_further_window_has_at_least_a_minute() {
    for (short_by, expected) in [(0, 2), (1, 1)] {
        let mut world = World::new([]);
        world.latency = TimeDelta::zero();
        // The first window ends at noon, and the horizon is about a minute later.
        world.now = NOON + world.config.limits.window_delay + MINUTE - millis(short_by);
        world.config.start = (NOON - HOUR, false);
        world.run("a");
        let live = world.requests.iter().filter(|request| !request.is_reconciliation);
        assert_eq!(live.count(), expected, "short by {short_by}");
    }
}

#[test]
fn an_empty_page_with_a_cursor_ends_its_window() {
    let (mut world, mut instance, _) = started(&checkpoint(NOON - HOUR));
    let Next::Save(saved) = world.respond(&mut instance, page(&[], Some("1,2"))) else { panic!() };
    assert_eq!(saved.window, None);
    assert!(saved.mintime > NOON - HOUR);
}

#[test]
fn a_lease_that_could_expire_within_30_seconds_after_a_request_is_renewed_first() {
    // The lease was taken at noon for 90 seconds: the timeout of 30 and 60 more.
    for (passed, is_renewed) in
        [(seconds(30), false), (seconds(30) + TimeDelta::milliseconds(1), true)]
    {
        let (mut world, mut instance) = sending();
        world.serve(&mut instance);
        world.now = NOON + passed;
        // The first batch is now in the ledger.
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
fn the_duration_of_a_lease_depends_on_the_timeout() {
    for (timeout_s, expected) in [(30, 90), (60, 120), (120, 180), (0, 90), (9999, 180)] {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.timeout_s = timeout_s;
        let (mut world, mut instance, _) = started(&checkpoint);
        // A slow response does not shorten the timeout of 60 seconds.
        world.now = NOON + seconds(29);
        let Next::Save(saved) = world.respond(&mut instance, page(&[NOON - minutes(30)], None))
        else {
            panic!()
        };
        let is_short = timeout_s == 120 || timeout_s == 9999;
        let expected = if is_short { expected - 60 } else { expected };
        assert_eq!(saved.lease.unwrap().expires_at, world.now + seconds(expected), "{timeout_s}");
    }
}

#[test]
fn a_request_aborted_by_a_shutdown_is_not_an_error() {
    for kind in [FetchErrorKind::Unreachable, FetchErrorKind::TimedOut, FetchErrorKind::Malformed] {
        let (mut world, mut instance, _) = started(&checkpoint(NOON - HOUR));
        instance.request_shutdown();
        let next = world.respond(&mut instance, Reply::Page(Err(kind)));
        assert!(matches!(next, Next::End(RunOutcome::ShutdownRequested)), "{next:?}");
    }
}

#[test]
fn a_clock_more_than_30_seconds_ahead_is_reported() {
    for (ahead, reported) in [(30, 0), (31, 1)] {
        let mut world = World::new([]);
        world.latency = TimeDelta::zero();
        world.clock_ahead = seconds(ahead);
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings.len(), reported, "{ahead}");
    }
}

#[test]
fn timeouts_double_after_timeouts_and_halve_after_fast_responses() {
    let mut world = World::new([NOON - hours(1)]);
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::TimedOut), 3).collect();
    let timeouts = |world: &World| {
        world.requests.iter().map(|request| request.timeout.as_secs()).collect::<Vec<_>>()
    };
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    assert_eq!(timeouts(&world)[..4], [30, 60, 120, 120]);
    assert!(
        timeouts(&world)[4..].windows(2).all(|pair| pair[1] <= pair[0]),
        "{:?}",
        timeouts(&world)
    );
    assert_eq!(world.checkpoint().timeout_s, 30);
}

#[test]
fn only_a_batch_that_times_out_lengthens_the_timeout() {
    for (kind, timeout_s) in [(SendErrorKind::TimedOut, 120), (SendErrorKind::Unreachable, 30)] {
        let mut world = World::new([NOON - hours(1)]);
        world.send_faults = std::iter::repeat_n(Some((kind, false)), 20).collect();
        assert!(matches!(world.run("a").0, RunOutcome::BackingOff { .. }));
        assert_eq!(world.checkpoint().timeout_s, timeout_s, "{kind:?}");
    }
}
