//! What decides at a border does so to the millisecond.

use super::world::{NOON, World, id};
use crate::model::{HOUR, MINUTE, Millis, SECOND};
use crate::sync::{
    Action, Checkpoint, Claim, Destination, Ending, Event, Failure, FetchFault, Limits, LogRun,
    Notice, PageSeen, Seen, Window,
};

/// Duo keeps this much for us.
const RETENTION: i64 = 179 * 24 * HOUR;

fn limits() -> Limits {
    World::new([]).limits
}

pub(super) fn checkpoint(mintime: Millis) -> Checkpoint {
    let mut checkpoint = Checkpoint::first(mintime, NOON);
    // No checks of closed hours unless a test asks for them.
    checkpoint.sweeps = None;
    checkpoint
}

pub(super) fn no_checks() -> Limits {
    Limits {
        sweeps: false,
        ..limits()
    }
}

/// A run that was given its checkpoint, and what it does first.
pub(super) fn begun(limits: Limits, checkpoint: Checkpoint) -> (LogRun, Action) {
    let mut run = LogRun::new(limits, NOON + 50 * SECOND, fastrand::Rng::with_seed(3));
    run.step(Event::Started, NOON, false);
    let loaded = Event::Loaded {
        checkpoint: Some(Box::new(checkpoint)),
        claim_is_dead: false,
    };
    let action = run.step(loaded, NOON, false);
    (run, action)
}

/// What a log that was never collected does first.
fn begun_anew(first_mintime: Millis) -> (LogRun, Action) {
    let limits = Limits {
        first_mintime,
        ..no_checks()
    };
    let mut run = LogRun::new(limits, NOON + 50 * SECOND, fastrand::Rng::with_seed(3));
    run.step(Event::Started, NOON, false);
    let loaded = Event::Loaded {
        checkpoint: None,
        claim_is_dead: false,
    };
    let action = run.step(loaded, NOON, false);
    (run, action)
}

pub(super) fn page(times: &[Millis], cursor: Option<&str>) -> Event {
    let seen = |(number, time): (u64, &Millis)| Seen {
        id: id(number),
        time: Some(*time),
        bytes: 98,
        is_cut: false,
    };
    Event::Fetched {
        page: PageSeen {
            records: (0..).zip(times).map(seen).collect(),
            cursor: cursor.map(str::to_owned),
            total: None,
        },
        server_time: Some(NOON),
    }
}

/// A run with one page in two calls, the first of which is in its hand; its claim was taken at noon.
pub(super) fn sending() -> LogRun {
    let (mut run, action) = begun(no_checks(), checkpoint(NOON - HOUR));
    assert!(matches!(action, Action::Fetch(_)), "{action:?}");
    run.step(page(&[NOON - 30 * MINUTE; 4], None), NOON, false);
    let action = run.step(Event::Recalled(vec![false; 4]), NOON, false);
    assert!(matches!(action, Action::Save(_)), "{action:?}");
    let action = run.step(Event::Saved, NOON, false);
    assert!(matches!(action, Action::Send(_)), "{action:?}");
    run
}

#[test]
fn a_first_run_begins_at_most_an_hour_ahead_and_tells_of_what_duo_does_not_keep() {
    let future = Ending::Failed(Failure::Future);
    assert!(matches!(begun_anew(NOON + HOUR).1, Action::Save(_)));
    let action = begun_anew(NOON + HOUR + 1).1;
    assert!(matches!(action, Action::Stop(ending) if ending == future));
    let oldest = NOON - RETENTION;
    // A start is rounded down and some time passed: an hour of it is no gap.
    assert_eq!(begun_anew(oldest - HOUR).0.tally().notices, []);
    let from = oldest - HOUR - 1;
    let gap = Notice::Gap { from, to: oldest };
    assert_eq!(begun_anew(from).0.tally().notices, [gap]);
}

#[test]
fn a_place_ahead_of_the_clock_and_one_at_the_edge_of_retention_are_taken_as_they_are() {
    let action = begun(no_checks(), checkpoint(NOON + HOUR)).1;
    assert!(
        matches!(action, Action::Stop(Ending::CaughtUp)),
        "{action:?}"
    );
    let action = begun(no_checks(), checkpoint(NOON + HOUR + 1)).1;
    assert!(matches!(
        action,
        Action::Stop(Ending::Failed(Failure::Future))
    ));
    let (run, action) = begun(no_checks(), checkpoint(NOON - RETENTION));
    assert!(matches!(action, Action::Fetch(_)));
    assert_eq!(run.tally().notices, []);
    let (run, _) = begun(no_checks(), checkpoint(NOON - RETENTION - 1));
    assert_eq!(run.tally().notices.len(), 1);
}

#[test]
fn a_window_that_duo_does_not_keep_any_more_is_not_gone_on_with() {
    for (age, is_kept) in [(RETENTION, true), (RETENTION + 1, false)] {
        let from = NOON - age;
        let mut checkpoint = checkpoint(from);
        let mut window = Window::new(from, from + HOUR);
        window.cursor = Some("1,2".to_owned());
        checkpoint.window = Some(window);
        let Action::Fetch(request) = begun(no_checks(), checkpoint).1 else {
            panic!()
        };
        assert_eq!(request.cursor.is_some(), is_kept);
        assert_eq!(request.mintime, from.max(NOON - RETENTION));
    }
}

#[test]
fn another_instance_and_another_destination_are_respected_to_the_millisecond() {
    let held_until = |until| {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.claim = Some(Claim {
            owner: "b".to_owned(),
            until,
        });
        begun(no_checks(), checkpoint).1
    };
    assert!(matches!(
        held_until(NOON + 1),
        Action::Stop(Ending::HeldElsewhere)
    ));
    assert!(matches!(held_until(NOON), Action::Fetch(_)));
    let used_at = |used_at| {
        let mut checkpoint = checkpoint(NOON - HOUR);
        checkpoint.destination = Some(Destination {
            fingerprint: "another".to_owned(),
            used_at,
        });
        begun(no_checks(), checkpoint).1
    };
    let action = used_at(NOON - 15 * MINUTE + 1);
    let free_at = NOON + 1;
    let other = Ending::Failed(Failure::OtherDestination { free_at });
    assert!(matches!(action, Action::Stop(ending) if ending == other));
    assert!(matches!(used_at(NOON - 15 * MINUTE), Action::Fetch(_)));
}

#[test]
fn a_claim_that_an_earlier_run_left_behind_is_taken_anew_before_anything_is_sent() {
    let mut checkpoint = checkpoint(NOON - HOUR);
    checkpoint.claim = Some(Claim {
        owner: "a".to_owned(),
        until: NOON + 90 * SECOND,
    });
    let (mut run, _) = begun(no_checks(), checkpoint);
    run.step(page(&[NOON - 30 * MINUTE], None), NOON, false);
    let action = run.step(Event::Recalled(vec![false]), NOON, false);
    assert!(matches!(action, Action::Save(_)), "{action:?}");
}

#[test]
fn a_further_window_is_opened_for_a_minute_and_not_for_less() {
    for (short_by, questions) in [(0, 2), (1, 1)] {
        let mut world = World::new([]);
        world.pace = 0;
        world.limits.sweeps = false;
        let horizon = world.now - world.limits.settle;
        // The second window begins a millisecond behind the first.
        world.limits.first_mintime = horizon - HOUR - 1 - MINUTE + short_by;
        world.run("a");
        assert_eq!(world.questions, questions, "short by {short_by}");
    }
}

#[test]
fn an_empty_page_ends_its_window_whatever_cursor_it_has() {
    let (mut run, _) = begun(no_checks(), checkpoint(NOON - HOUR));
    let action = run.step(page(&[], Some("1,2")), NOON, false);
    let Action::Save(saved) = action else {
        panic!("{action:?}")
    };
    assert_eq!(saved.window, None);
    assert!(saved.mintime > NOON - HOUR);
}

#[test]
fn a_claim_with_less_than_45_seconds_is_renewed_before_a_call() {
    // It was taken at noon, for 90 seconds.
    for (passed, is_renewed) in [(45 * SECOND, false), (45 * SECOND + 1, true)] {
        let mut run = sending();
        let now = NOON + passed;
        run.step(Event::Accepted, now, false);
        let action = run.step(Event::Recorded, now, false);
        let Action::Save(saved) = action else {
            assert!(
                !is_renewed && matches!(action, Action::Send(_)),
                "{action:?}"
            );
            continue;
        };
        assert!(is_renewed);
        assert_eq!(saved.claim.unwrap().until, now + 90 * SECOND);
    }
}

#[test]
fn a_question_that_was_broken_off_by_the_end_of_the_process_is_no_fault_of_duo() {
    for fault in [FetchFault::Unreachable, FetchFault::Garbled] {
        let (mut run, _) = begun(no_checks(), checkpoint(NOON - HOUR));
        let action = run.step(Event::FetchFailed(fault), NOON, true);
        assert!(
            matches!(action, Action::Stop(Ending::Interrupted)),
            "{action:?}"
        );
    }
}

#[test]
fn a_log_that_cannot_be_retired_fails_when_it_is_gone() {
    let (mut run, _) = begun(no_checks(), checkpoint(NOON - HOUR));
    let action = run.step(Event::FetchFailed(FetchFault::Gone), NOON, false);
    assert!(
        matches!(action, Action::Stop(Ending::Failed(Failure::Duo))),
        "{action:?}"
    );
}

#[test]
fn a_clock_that_is_more_than_half_a_minute_ahead_is_told_of() {
    for (ahead, told) in [(30 * SECOND, 0), (31 * SECOND, 1)] {
        let mut world = World::new([]);
        world.pace = 0;
        world.clock_ahead = ahead;
        let (_, tally) = world.run("a");
        assert_eq!(tally.notices.len(), told, "{ahead}");
    }
}
