use std::collections::BTreeMap;

use super::{CurrentHealth, KEPT_ERRORS, KEPT_HOURS, LONGEST_SILENCE, LogHealth};
use crate::model::{HOUR, Hour, MINUTE, Millis};
use crate::status::{Activity, Code, Outcome};
use crate::storage::Document as _;
use crate::sync::RunCounts;
use chrono::TimeDelta;

const NOW: Millis = Millis(1_795_348_800_000);

type Run = (CurrentHealth, RunCounts);

fn run(at: Millis, outcome: Outcome, code: Option<Code>, events: u64) -> Run {
    let current = CurrentHealth {
        outcome,
        code,
        http_status: None,
        since: at,
        seen_at: at,
        collected_to: Some(at - MINUTE),
        retry_at: None,
    };
    (current, RunCounts { events, requests: 1, ..RunCounts::default() })
}

fn add(health: &mut LogHealth, (current, counts): Run) -> bool {
    health.add(current, counts)
}

fn quiet(at: Millis) -> Run {
    run(at, Outcome::CaughtUp, None, 0)
}

#[test]
fn a_row_is_due_after_activity_or_a_change_and_after_15_minutes() {
    let mut health = LogHealth::default();
    assert!(add(&mut health, quiet(NOW)));
    health.reported(NOW);
    assert!(!add(&mut health, quiet(NOW + MINUTE)));
    assert!(!add(&mut health, run(NOW + TimeDelta::minutes(2), Outcome::MoreToFetch, None, 0)));
    assert!(add(&mut health, run(NOW + TimeDelta::minutes(3), Outcome::CaughtUp, None, 7)));
    health.reported(NOW + TimeDelta::minutes(3));
    assert!(!add(
        &mut health,
        quiet(NOW + TimeDelta::minutes(3) + LONGEST_SILENCE - TimeDelta::milliseconds(1))
    ));
    assert!(add(&mut health, quiet(NOW + TimeDelta::minutes(3) + LONGEST_SILENCE)));
    health.reported(NOW + HOUR);
    let backing_off = |at| run(at, Outcome::BackingOff, Some(Code::DuoThrottled), 0);
    assert!(add(&mut health, backing_off(NOW + HOUR + MINUTE)));
    health.reported(NOW + HOUR + MINUTE);
    assert!(!add(&mut health, backing_off(NOW + HOUR + TimeDelta::minutes(2))));
    let refused =
        run(NOW + HOUR + TimeDelta::minutes(3), Outcome::BackingOff, Some(Code::AzureThrottled), 0);
    assert!(add(&mut health, refused));
    // A clock that was set back must not suppress rows.
    health.reported(NOW + TimeDelta::hours(9));
    assert!(add(&mut health, quiet(NOW)));
}

#[test]
fn counts_are_kept_until_they_are_reported_and_per_hour_for_a_week() {
    let mut health = LogHealth::default();
    for hour in 0..KEPT_HOURS + 5 {
        add(&mut health, run(NOW + TimeDelta::hours(hour), Outcome::CaughtUp, None, 2));
        add(&mut health, run((NOW + TimeDelta::hours(hour)).next(), Outcome::CaughtUp, None, 1));
    }
    assert_eq!(i64::try_from(health.hours.len()).unwrap(), KEPT_HOURS);
    assert!(health.hours.values().all(|hour| (hour.runs, hour.counts.events) == (2, 3)));
    assert_eq!(health.unreported.counts.events, u64::try_from(3 * (KEPT_HOURS + 5)).unwrap());
    health.reported(NOW);
    assert_eq!(health.unreported, Activity::default());
}

#[test]
fn since_and_the_last_success_are_kept() {
    let mut health = LogHealth::default();
    add(&mut health, quiet(NOW));
    for minute in 1..4 {
        add(
            &mut health,
            run(NOW + TimeDelta::minutes(minute), Outcome::Failed, Some(Code::DuoCredentials), 0),
        );
    }
    let current = health.current.as_ref().unwrap();
    assert_eq!((current.since, current.seen_at), (NOW + MINUTE, NOW + TimeDelta::minutes(3)));
    assert_eq!(health.succeeded_at, Some(NOW));
    let [error] = &health.last_errors[..] else { panic!("{:?}", health.last_errors) };
    assert_eq!(
        (error.first_at, error.last_at, error.runs),
        (NOW + MINUTE, NOW + TimeDelta::minutes(3), 3)
    );
}

#[test]
fn the_last_errors_are_kept_once_each() {
    let mut health = LogHealth::default();
    for (number, code) in Code::all().enumerate() {
        let at = NOW + MINUTE * i32::try_from(number).unwrap();
        add(&mut health, run(at, Outcome::BackingOff, Some(code), 0));
    }
    add(&mut health, run(NOW + HOUR, Outcome::BackingOff, Some(Code::State), 0));
    let codes: Vec<Code> = health.last_errors.iter().map(|error| error.code).collect();
    assert_eq!(codes.len(), KEPT_ERRORS);
    assert_eq!(codes[..2], [Code::State, Code::Internal]);
    assert_eq!(health.last_errors[0].runs, 2);
}

#[test]
fn health_survives_a_round_trip_with_fields_of_a_later_release() {
    let mut health = LogHealth::default();
    add(&mut health, run(NOW, Outcome::Failed, Some(Code::State), 3));
    let mut json: serde_json::Value = serde_json::from_slice(&health.to_json()).unwrap();
    json["later"] = 7.into();
    let read = LogHealth::from_json(json.to_string().as_bytes()).unwrap();
    let again: serde_json::Value = serde_json::from_slice(&read.to_json()).unwrap();
    assert_eq!(again, json);
    assert!(LogHealth::from_json(b"{\"min_reader\":9}").is_err());
}

#[test]
fn events_of_a_run_that_was_killed_are_added_once() {
    let hour = Hour::of(NOW);
    let mut health = LogHealth::default();
    add(&mut health, run(NOW, Outcome::CaughtUp, None, 5));
    health.add_entries(&[(hour, 5)].into(), None);
    health.reported(NOW);
    // A killed run appended two more, and three to the next hour.
    let ledger: BTreeMap<Hour, u64> = [(hour, 7), (hour.after(1), 3)].into();
    for _ in 0..2 {
        health.add_unrecorded(ledger.clone(), None, NOW);
        assert_eq!(health.unreported.counts.events, 5);
        assert_eq!(health.hours[&Hour::of(NOW)].counts.events, 10);
        assert_eq!(health.hours[&Hour::of(NOW)].runs, 1);
    }
    assert!(add(&mut health, quiet(NOW)), "a row is due");
    // Entries that the live log removed are no longer compared; a backfill adds its own there.
    health.add_entries(&BTreeMap::new(), Some(hour.after(1)));
    health.add_unrecorded([(hour, 9), (hour.after(1), 3)].into(), Some(hour.after(1)), NOW);
    assert_eq!(health.unreported.counts.events, 5);
}
