//! The traps of Duo's endpoints that cost other connectors events.

use super::time::{hours, minutes, seconds};
use super::world::{NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, Hour, IngestKind, MINUTE};
use crate::sync::outcome::WindowError;
use crate::sync::{Failure, HourState, RunOutcome, Warning};
use chrono::TimeDelta;

#[test]
fn a_clock_61_seconds_fast_loses_nothing() {
    // An event every second, shown two minutes after it happened by Duo's clock.
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
    // All in their turn: no check had to find one.
    let live = |(_, kind): &(_, IngestKind)| *kind == IngestKind::Live;
    assert!(world.accepted.iter().all(live));
}

#[test]
fn a_clock_that_is_far_ahead_closes_nothing_and_says_so() {
    let mut world = World::new([]);
    world.config.first_mintime = NOON - minutes(10);
    world.clock_ahead = HOUR;
    let (ending, stats) = world.run("a");
    assert_eq!(ending, RunOutcome::CaughtUp);
    assert_eq!(world.checkpoint().mintime, NOON - minutes(10));
    assert!(
        stats.warnings.iter().any(|notice| matches!(notice, Warning::ClockAhead(_))),
        "{stats:?}"
    );
    assert_eq!(world.questions, 1);
}

#[test]
fn a_repeated_cursor_starts_the_window_again_from_the_last_delivered_millisecond() {
    let mut world = World::new(clustered());
    world.repeat_cursor_at.insert(3);
    let (ending, stats) = world.run("a");
    assert_eq!(ending, RunOutcome::CaughtUp);
    assert!(stats.warnings.contains(&Warning::WindowRestarted(WindowError::CursorRepeated)));
    assert!(world.asked[3].mintime > world.asked[2].mintime, "started from the beginning again");
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_cursor_that_repeats_for_ever_stops_the_log_and_keeps_its_place() {
    let mut world = World::new(clustered());
    world.repeat_cursor_at = (1..100).collect();
    let (ending, _) = world.run("a");
    assert_eq!(ending, RunOutcome::Failed(Failure::Window(WindowError::CursorRepeated)));
    assert!(world.questions < 10, "{}", world.questions);
    world.repeat_cursor_at.clear();
    world.now = world.now + MINUTE;
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_window_is_not_closed_on_a_short_count() {
    let mut world = World::new(clustered());
    world.leave_out_at.insert(2);
    let (_, stats) = world.run("a");
    assert!(stats.warnings.contains(&Warning::WindowRestarted(WindowError::CountShort)));
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn a_count_that_stays_short_is_reported_once_and_stops_nothing() {
    let mut world = World::new(clustered());
    world.page_size = 100;
    world.config.limits.longest_window = hours(3);
    world.leave_out_at = (1..=1000).collect();
    let (outcome, stats) = world.run("a");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    let is_one_short = |warning: &&Warning| matches!(warning, Warning::CountDisagrees { counted, returned, .. } if counted - returned == 1);
    assert!(stats.warnings.iter().any(|warning| is_one_short(&warning)), "{:?}", stats.warnings);
    // What Duo never returned is missing, and its hour says so.
    world.run("a");
    assert_eq!((world.lost().len(), world.duplicates()), (1, 0));
    let result = world.result(Hour::of(world.lost()[0].time));
    assert_eq!((result.state, result.gap), (HourState::Unknown, None));
    assert_eq!(result.duo_count.unwrap() - result.delivered, 1);
    // Once Duo returns it, the next stage finds it.
    world.leave_out_at.clear();
    world.now = world.now + hours(24);
    world.run_until_caught_up("a");
    assert_eq!((world.lost().len(), world.duplicates()), (0, 0));
}

#[test]
fn a_count_that_never_agrees_stops_no_log_that_needs_many_runs_for_a_window() {
    let mut world = World::new(clustered());
    world.config.limits.longest_window = hours(3);
    world.config.limits.requests_per_minute = 10;
    world.page_size = 2;
    // Of the first window's pages one is always short.
    world.leave_out_at = (1..=400).collect();
    let mut passed = false;
    for _ in 0..120 {
        let (_, stats) = world.run("a");
        let told = |notice: &Warning| matches!(notice, Warning::CountDisagrees { .. });
        passed |= stats.warnings.iter().any(told);
        world.now = world.now + MINUTE;
    }
    assert!(passed, "never reported");
    assert!(NOON - world.checkpoint().mintime < HOUR, "{}", world.checkpoint().mintime);
}

#[test]
fn a_clock_that_jumps_ahead_for_a_while_moves_no_place_for_good() {
    let mut world = World::new(clustered());
    // The bucket of the limit is filled by the wrong clock too.
    world.config.limits.requests_per_minute = 10;
    world.run("a");
    let place = world.checkpoint().mintime;
    let now = world.now;
    world.now = world.now + hours(400 * 24);
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Credentials), 2).collect();
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    assert_eq!(world.checkpoint().mintime, place);
    world.now = now + minutes(10);
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn records_that_wait_crowd_no_second() {
    // A thousand records of the last three minutes, and before them a quiet second that is known already.
    let waiting = (0..1000).map(|number| NOON - minutes(2) + TimeDelta::milliseconds(number));
    let mut world = World::v1([NOON - HOUR].into_iter().chain(waiting), 1000);
    for event in &mut world.events {
        event.shown_from = event.time;
    }
    for _ in 0..3 {
        let (_, stats) = world.run("a");
        assert_eq!(stats.warnings, []);
    }
}

#[test]
fn an_idle_log_asks_nothing_twice_in_the_same_minute() {
    let mut world = World::new([]);
    world.config.first_mintime = NOON - minutes(4);
    world.run("a");
    assert_eq!(world.questions, 1);
    assert!(world.checkpoint().mintime > NOON - minutes(4));
}
