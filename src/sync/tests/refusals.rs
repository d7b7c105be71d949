//! Refusals by Duo and Azure Monitor, and back-off.

use super::record::id;
use super::time::{hours, minutes, seconds};
use super::world::{NOON, World, clustered};
use crate::model::{FetchErrorKind, HOUR, MINUTE, SendErrorKind};
use crate::sync::{BackOffCause, Failure, RunOutcome};

#[test]
fn a_log_forbidden_from_the_start_begins_at_its_first_request() {
    let mut world = World::new(clustered());
    let started = world.config.start.0;
    for day in 0..40 {
        world.fetch_faults.push_back(Some(FetchErrorKind::Forbidden));
        let (outcome, _) = world.run("a");
        assert_eq!(outcome, RunOutcome::Unavailable { report: true }, "day {day}");
        // Requested only once an hour.
        let request_count = world.request_count;
        world.now = world.now + minutes(59);
        assert_eq!(world.run("a").0, RunOutcome::Unavailable { report: false });
        assert_eq!(world.request_count, request_count);
        world.now = world.now + hours(24);
        // The stored checkpoint determines the start, not the current setting.
        world.config.start = (world.now - hours(3), false);
    }
    assert_eq!(world.checkpoint().mintime, started);
    for _ in 0..60 {
        world.run("a");
        world.now = world.now + MINUTE;
    }
    assert!(world.lost().is_empty(), "{:?}", world.lost());
}

#[test]
fn a_refused_log_is_reported_once_a_day_and_requested_once_an_hour() {
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
    assert!((23..=25).contains(&world.request_count), "{}", world.request_count);
}

#[test]
fn refusals_by_duo_end_the_run_and_keep_the_checkpoint() {
    use FetchErrorKind::{Credentials, Forbidden, Gone, Malformed, Rejected, Unreachable};
    let failed = RunOutcome::Failed(Failure::Duo);
    let retired = RunOutcome::Unavailable { report: true };
    // Errors; may be retired; returned by Duo before; outcome; number of requests.
    for (kinds, may_be_retired, answered, outcome, requests) in [
        (&[Forbidden][..], false, true, failed, 1),
        (&[Forbidden], true, true, retired, 1),
        (&[Gone], true, true, retired, 1),
        (&[Gone], false, false, failed, 1),
        (&[Rejected], false, false, failed, 1),
        (&[Malformed; 3], false, false, failed, 3),
        // One retry with a new signature, also after another error.
        (&[Credentials; 2], false, true, failed, 2),
        (&[Unreachable, Credentials, Credentials], false, true, failed, 3),
    ] {
        let mut world = World::new(clustered());
        world.config.spec.may_be_retired = may_be_retired;
        if answered {
            world.run_until_caught_up("a");
        }
        let before = (world.stored().map(|checkpoint| checkpoint.mintime), world.request_count);
        world.fetch_faults = kinds.iter().map(|kind| Some(*kind)).collect();
        assert_eq!(world.run("a").0, outcome, "{kinds:?}");
        assert_eq!(world.request_count - before.1, requests, "{kinds:?}");
        let mintime = before.0.unwrap_or(world.config.start.0);
        assert_eq!(world.checkpoint().mintime, mintime, "{kinds:?}");
        world.now = world.now + hours(2);
        world.run_until_caught_up("a");
        world.assert_all_once();
    }
}

#[test]
fn refusals_by_azure_monitor_keep_the_checkpoint_and_release_the_lease() {
    use SendErrorKind::{Credentials, TooLarge};
    // A batch that is too large is halved until it fits.
    let caught_up = RunOutcome::CaughtUp;
    let failed = RunOutcome::Failed(Failure::AzureMonitor);
    for (kinds, outcome) in [(&[Credentials][..], failed), (&[TooLarge; 2], caught_up)] {
        let mut world = World::new(clustered());
        (world.page_size, world.config.max_batch_bytes) = (8, 1000);
        world.send_faults = kinds.iter().map(|kind| Some((*kind, false))).collect();
        assert_eq!(world.run("a").0, outcome, "{kinds:?}");
        assert_eq!(world.checkpoint().lease, None, "{kinds:?}");
        world.run_until_caught_up("b");
        world.assert_all_once();
    }
}

#[test]
fn a_throttled_log_backs_off_at_once_and_longer_each_time() {
    let mut world = World::new(clustered());
    let mut pauses = Vec::new();
    for _ in 0..4 {
        world.fetch_faults.push_back(Some(FetchErrorKind::Throttled { retry_after: None }));
        let RunOutcome::BackingOff { until, cause: BackOffCause::DuoThrottled } = world.run("a").0
        else {
            panic!("the log does not back off");
        };
        pauses.push((until - world.now).num_seconds());
        let request_count = world.request_count;
        assert!(matches!(world.run("a").0, RunOutcome::BackingOff { .. }));
        assert_eq!(world.request_count, request_count, "a log that backs off made a request");
        world.now = until;
    }
    // 1, 2, 5, 5 minutes less two seconds to a fifth, so that no tick is missed.
    let expected = [47..=58, 95..=118, 239..=298, 239..=298];
    let mut paired = pauses.iter().zip(expected);
    assert!(paired.all(|(pause, range)| range.contains(pause)), "{pauses:?}");
    assert!(world.slept.is_empty(), "the run slept on a rate limit");
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.checkpoint().back_off, None);
}

#[test]
fn retry_after_is_respected_up_to_15_minutes() {
    for (request, expected) in [(seconds(7), seconds(7)), (hours(2), minutes(15))] {
        let mut world = World::new(clustered());
        world
            .fetch_faults
            .push_back(Some(FetchErrorKind::Throttled { retry_after: Some(request) }));
        let RunOutcome::BackingOff { until, .. } = world.run("a").0 else {
            panic!("the log does not back off")
        };
        assert_eq!((until - world.now + world.latency).num_seconds(), expected.num_seconds());
    }
}

#[test]
fn transient_errors_are_retried_during_the_run_and_then_back_off() {
    let mut world = World::new(clustered());
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Unreachable), 3).collect();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    world.events.push(super::world::DuoEvent { key: id(900), time: NOON, visible_from: NOON });
    world.now = world.now + HOUR;
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Unreachable), 1000).collect();
    let started = world.now;
    assert!(matches!(
        world.run("a").0,
        RunOutcome::BackingOff { cause: BackOffCause::DuoUnreachable, .. }
    ));
    assert!(world.now - started < seconds(50), "the run exceeded its time limit");
    world.fetch_faults.clear();
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn refused_credentials_are_retried_once_and_then_back_off_for_five_minutes() {
    let mut world = World::new(clustered());
    world.fetch_faults = [Some(FetchErrorKind::Credentials), None].into();
    assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    world.now = world.now + HOUR;
    world.fetch_faults = std::iter::repeat_n(Some(FetchErrorKind::Credentials), 2).collect();
    assert_eq!(world.run("a").0, RunOutcome::Failed(Failure::Duo));
    assert_eq!(world.fetch_faults.len(), 0);
    let backing_off = world.checkpoint().back_off.unwrap();
    assert_eq!(backing_off.cause, BackOffCause::DuoCredentials);
    assert!((4..=5).contains(&((backing_off.retry_at - world.now).num_minutes())));
}

#[test]
fn an_unreachable_azure_monitor_backs_off_longer_each_time_and_loses_nothing() {
    let mut world = World::new(clustered());
    world.send_faults =
        std::iter::repeat_n(Some((SendErrorKind::Unreachable, false)), 60).collect();
    let mut pauses = Vec::new();
    while let (RunOutcome::BackingOff { until, cause: BackOffCause::AzureUnreachable }, _) =
        world.run("a")
    {
        pauses.push((until - world.now).num_seconds());
        world.now = until;
    }
    // Pauses are counted from the start of the run, which retried for a while.
    assert!(pauses.len() >= 3 && pauses.is_sorted() && pauses[0] >= 29, "{pauses:?}");
    world.run_until_caught_up("a");
    world.assert_all_once();
}

#[test]
fn failed_ledger_writes_back_off_longer_each_time() {
    let mut world = World::new(clustered());
    world.ledger_writes_fail = true;
    let failed = RunOutcome::Failed(Failure::Storage);
    assert_eq!(world.run("a").0, failed);
    for _ in 0..60 {
        let outcome = world.run("a").0;
        assert!(outcome == failed || matches!(outcome, RunOutcome::BackingOff { .. }));
        world.now = world.now + MINUTE;
    }
    // At most one request per five minutes.
    assert!(world.request_count <= 15, "{}", world.request_count);
    world.ledger_writes_fail = false;
    world.now = world.now + minutes(10);
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}
