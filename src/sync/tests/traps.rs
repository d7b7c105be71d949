//! Properties of Duo's endpoints with which other connectors lose events.

use super::time::{hours, minutes, seconds};
use super::world::{NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, Hour, IngestKind, MINUTE};
use crate::sync::outcome::WindowError;
use crate::sync::{Failure, HourState, RunOutcome, Warning};
use chrono::TimeDelta;

#[test]
fn a_clock_61_seconds_fast_loses_nothing() {
    // An event every second, returned after two minutes by Duo's clock.
    let mut world = World::new((0..3600).map(|second| NOON - minutes(20) + seconds(second)));
    world.page_size = 1000;
    world.config.limits.window_delay = minutes(2);
    world.clock_ahead = seconds(61);
    for _ in 0..90 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    assert!(world.lost().is_empty(), "{} lost", world.lost().len());
    assert_eq!(world.duplicates(), 0);
    // No event had to be found by reconciliation.
    let live = |(_, kind): &(_, IngestKind)| *kind == IngestKind::Live;
    assert!(world.accepted.iter().all(live));
}

#[test]
fn a_clock_far_ahead_closes_no_window_and_is_reported() {
    let mut world = World::new([]);
    world.config.start = (NOON - minutes(10), false);
    world.clock_ahead = HOUR;
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    assert_eq!(world.checkpoint().mintime, NOON - minutes(10));
    assert!(
        stats.warnings.iter().any(|warning| matches!(warning, Warning::ClockAhead(_))),
        "{stats:?}"
    );
    assert_eq!(world.request_count, 1);
}

#[test]
fn a_repeated_cursor_restarts_the_window_at_the_last_delivered_millisecond() {
    let mut world = World::new(clustered());
    world.repeat_cursor_at.insert(3);
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    assert!(stats.warnings.contains(&Warning::WindowRestarted(WindowError::CursorRepeated)));
    assert!(
        world.requests[3].mintime > world.requests[2].mintime,
        "the window was restarted from its beginning"
    );
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_cursor_that_repeats_forever_stops_the_log_and_keeps_the_checkpoint() {
    let mut world = World::new(clustered());
    world.repeat_cursor_at = (1..100).collect();
    let (outcome, _) = world.run("a");
    assert_eq!(outcome, RunOutcome::Failed(Failure::Window(WindowError::CursorRepeated)));
    assert!(world.request_count < 10, "{}", world.request_count);
    world.repeat_cursor_at.clear();
    world.now = world.now + MINUTE;
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_window_is_not_closed_on_a_short_count() {
    let mut world = World::new(clustered());
    world.omit_record_at.insert(2);
    let (_, stats) = world.run("a");
    assert!(stats.warnings.contains(&Warning::WindowRestarted(WindowError::CountShort)));
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_count_that_stays_short_is_reported_and_does_not_stop_the_log() {
    let mut world = World::new(clustered());
    world.page_size = 100;
    world.set_window(hours(3));
    world.omit_record_at = (1..=1000).collect();
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    let is_one_short = |warning: &&Warning| matches!(warning, Warning::CountDisagrees { counted, returned, .. } if counted - returned == 1);
    assert!(stats.warnings.iter().any(|warning| is_one_short(&warning)), "{:?}", stats.warnings);
    // The record that Duo omits is missing, and its hour is unknown.
    world.run("a");
    assert_eq!((world.lost().len(), world.duplicates()), (1, 0));
    let result = world.result(Hour::of(world.lost()[0].time));
    assert_eq!((result.state, result.gap), (HourState::Unknown, None));
    assert_eq!(result.duo_count.unwrap() - result.delivered, 1);
    // Once Duo returns it, the next stage finds it.
    world.omit_record_at.clear();
    world.now = world.now + hours(24);
    world.run_until_caught_up("a");
    assert_eq!((world.lost().len(), world.duplicates()), (0, 0));
}

#[test]
fn a_count_that_never_matches_does_not_stop_a_window_of_many_runs() {
    let mut world = World::new(clustered());
    world.set_window(hours(3));
    world.config.limits.requests_per_minute = 10;
    world.page_size = 2;
    // Every page lacks a record.
    world.omit_record_at = (1..=400).collect();
    let mut reported = false;
    for _ in 0..120 {
        let (_, stats) = world.run("a");
        let is_reported = |warning: &Warning| matches!(warning, Warning::CountDisagrees { .. });
        reported |= stats.warnings.iter().any(is_reported);
        world.now = world.now + MINUTE;
    }
    assert!(reported, "the warning was not reported");
    assert!(NOON - world.checkpoint().mintime < HOUR, "{}", world.checkpoint().mintime);
}

#[test]
fn a_clock_temporarily_ahead_does_not_move_the_checkpoint() {
    let mut world = World::new(clustered());
    // The wrong clock also affects the token bucket.
    world.config.limits.requests_per_minute = 10;
    world.run("a");
    let mintime = world.checkpoint().mintime;
    let now = world.now;
    world.now = world.now + hours(400 * 24);
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Credentials), 2).collect();
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    // At most to the last delivered record of the open window.
    let moved = world.checkpoint().mintime - mintime;
    assert!(moved >= hours(0) && moved <= HOUR, "{moved}");
    world.now = now + minutes(10);
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn records_left_to_a_later_run_do_not_exceed_the_page_limit() {
    // A thousand records of the last three minutes after a known second.
    let waiting = (0..1000).map(|number| NOON - minutes(2) + TimeDelta::milliseconds(number));
    let mut world = World::v1([NOON - HOUR].into_iter().chain(waiting), 1000);
    for event in &mut world.events {
        event.visible_from = event.time;
    }
    for _ in 0..3 {
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings, []);
    }
}
