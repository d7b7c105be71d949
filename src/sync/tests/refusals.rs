//! What Duo and Azure Monitor refuse, and how long the log waits for them.

use super::record::id;
use super::time::{hours, minutes, seconds};
use super::world::{NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, MINUTE, SendErrorKind};
use crate::sync::{BackOffCause, Failure, RunOutcome};

#[test]
fn a_log_forbidden_from_day_one_starts_where_it_was_first_asked() {
    let mut world = World::new(clustered());
    let started = world.limits.first_mintime;
    for day in 0..40 {
        world.fetch_faults.push_back(Some(FetchErrorKind::Forbidden));
        let (ending, _) = world.run("a");
        assert_eq!(ending, RunOutcome::Unavailable { report: true }, "day {day}");
        // Asked once an hour only.
        let questions = world.questions;
        world.now = world.now + minutes(59);
        assert_eq!(world.run("a").0, RunOutcome::Unavailable { report: false });
        assert_eq!(world.questions, questions);
        world.now = world.now + hours(24);
        // A later first run would begin later: the stored place decides.
        world.limits.first_mintime = world.now - hours(3);
    }
    assert_eq!(world.checkpoint().mintime, started);
    for _ in 0..60 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    assert!(world.lost().is_empty(), "{:?}", world.lost());
}

#[test]
fn a_refused_log_is_reported_once_a_day_and_asked_once_an_hour() {
    let mut world = World::new([]);
    let mut reports = 0;
    for _ in 0..24 * 60 {
        if world.fetch_faults.is_empty() {
            world.fetch_faults.push_back(Some(FetchErrorKind::Forbidden));
        }
        if world.run("a").0 == (RunOutcome::Unavailable { report: true }) {
            reports += 1;
        }
        world.now = world.now + MINUTE;
    }
    assert_eq!(reports, 1);
    assert!((23..=25).contains(&world.questions), "{}", world.questions);
}

#[test]
fn a_log_that_answered_before_and_is_forbidden_now_fails() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    world.fetch_faults.push_back(Some(FetchErrorKind::Forbidden));
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
}

#[test]
fn a_retired_log_is_never_a_failure() {
    for fault in [FetchErrorKind::Forbidden, FetchErrorKind::Gone] {
        let mut world = World::new(clustered());
        world.limits.spec.may_be_retired = true;
        world.run_until_caught_up("a");
        world.fetch_faults.push_back(Some(fault));
        assert_eq!(world.run("a").0, RunOutcome::Unavailable { report: true });
    }
}

#[test]
fn too_many_calls_park_the_log_at_once_and_longer_each_time() {
    let mut world = World::new(clustered());
    let mut pauses = Vec::new();
    for _ in 0..4 {
        world.fetch_faults.push_back(Some(FetchErrorKind::Throttled { retry_after: None }));
        let RunOutcome::BackingOff { until, cause: BackOffCause::DuoThrottled } = world.run("a").0
        else {
            panic!("not parked");
        };
        pauses.push((until - world.now).num_minutes());
        let questions = world.questions;
        assert!(matches!(world.run("a").0, RunOutcome::BackingOff { .. }));
        assert_eq!(world.questions, questions, "a parked log asked");
        world.now = until;
    }
    // 1, 2, 5, 5 minutes, and up to a fifth more.
    assert_eq!(pauses[0], 1);
    assert_eq!(pauses[1], 2);
    assert!((5..=6).contains(&pauses[2]) && (5..=6).contains(&pauses[3]), "{pauses:?}");
    assert!(world.slept.is_empty(), "the run slept on a rate limit");
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.checkpoint().back_off, None);
}

#[test]
fn retry_after_is_followed_up_to_a_quarter_of_an_hour() {
    for (asked, expected) in [(seconds(7), seconds(7)), (hours(2), minutes(15))] {
        let mut world = World::new(clustered());
        world.fetch_faults.push_back(Some(FetchErrorKind::Throttled { retry_after: Some(asked) }));
        let RunOutcome::BackingOff { until, .. } = world.run("a").0 else { panic!("not parked") };
        assert_eq!((until - world.now + world.pace).num_seconds(), expected.num_seconds());
    }
}

#[test]
fn passing_faults_are_tried_again_while_the_run_lasts_and_then_parked() {
    let mut world = World::new(clustered());
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Unreachable), 3).collect();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    world.events.push(super::world::Happened { key: id(900), time: NOON, shown_from: NOON });
    world.now = world.now + HOUR;
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Unreachable), 1000).collect();
    let started = world.now;
    assert!(matches!(
        world.run("a").0,
        RunOutcome::BackingOff { cause: BackOffCause::DuoUnreachable, .. }
    ));
    assert!(world.now - started < seconds(50), "the run outlived its time");
    world.fetch_faults.clear();
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn refused_credentials_are_tried_once_more_and_then_parked_for_five_minutes() {
    let mut world = World::new(clustered());
    world.fetch_faults = [Some(FetchErrorKind::Credentials), None].into();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    world.now = world.now + HOUR;
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Credentials), 2).collect();
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    assert_eq!(world.fetch_faults.len(), 0);
    let parked = world.checkpoint().back_off.unwrap();
    assert_eq!(parked.cause, BackOffCause::DuoCredentials);
    assert!((4..=5).contains(&((parked.retry_at - world.now).num_minutes())));
}

#[test]
fn an_answer_that_is_no_envelope_is_tried_three_times_and_then_fails() {
    let mut world = World::new(clustered());
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Malformed), 10).collect();
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    assert_eq!(world.questions, 3);
    world.fetch_faults.clear();
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn a_refused_question_without_a_cursor_fails_and_keeps_its_place() {
    let mut world = World::new(clustered());
    world.fetch_faults.push_back(Some(FetchErrorKind::Rejected));
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    assert_eq!(world.checkpoint().mintime, world.limits.first_mintime);
}

#[test]
fn azure_monitor_out_of_reach_parks_longer_each_time_and_loses_nothing() {
    let mut world = World::new(clustered());
    world.send_faults =
        std::iter::repeat_n(Some((SendErrorKind::Unreachable, false)), 60).collect();
    let mut pauses = Vec::new();
    while let (RunOutcome::BackingOff { until, cause: BackOffCause::AzureUnreachable }, _) =
        world.run("a")
    {
        pauses.push((until - world.now).num_minutes());
        world.now = until;
    }
    assert!(pauses.len() >= 3 && pauses[0] == 1 && pauses[1] == 2, "{pauses:?}");
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn refused_workspace_credentials_keep_the_place_and_give_the_claim_back() {
    let mut world = World::new(clustered());
    world.send_faults.push_back(Some((SendErrorKind::Credentials, false)));
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::AzureMonitor));
    assert_eq!(world.checkpoint().lease, None);
    world.run_until_caught_up("b");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn a_ledger_that_takes_nothing_parks_the_log_longer_each_time() {
    let mut world = World::new(clustered());
    world.ledger_is_broken = true;
    for _ in 0..60 {
        let ending = world.run("a").0;
        assert!(
            matches!(ending, RunOutcome::Failed(Failure::Storage) | RunOutcome::BackingOff { .. }),
            "{ending:?}"
        );
        world.now = world.now + MINUTE;
    }
    // At most once in five minutes instead of every minute.
    assert!(world.questions <= 15, "{}", world.questions);
    world.ledger_is_broken = false;
    world.now = world.now + minutes(10);
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn credentials_refused_after_another_fault_are_signed_again_too() {
    let mut world = World::new(clustered());
    world.fetch_faults =
        [Some(FetchErrorKind::Unreachable), Some(FetchErrorKind::Credentials), None].into();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
}

#[test]
fn a_call_that_is_too_large_is_halved_until_it_fits() {
    let mut world = World::new(clustered());
    world.page_size = 8;
    world.limits.max_batch_bytes = 1000;
    world.send_faults = std::iter::repeat_n(Some((SendErrorKind::TooLarge, false)), 2).collect();
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}
