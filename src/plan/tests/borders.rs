//! What decides at a border does so to the millisecond.

use super::world::{NOON, World, id};
use crate::model::{HOUR, MINUTE, Millis, SECOND};
use crate::plan::{
    Action, Bucket, Checkpoint, Claim, Destination, Ending, Event, Failure, FetchFault, Limits,
    LogRun, Notice, PageSeen, ParkCause, Seen, SendFault, Window,
};

/// Duo keeps this much for us.
const RETENTION: i64 = 179 * 24 * HOUR;

fn limits() -> Limits {
    World::new([]).limits
}

fn checkpoint(mintime: Millis) -> Checkpoint {
    let mut checkpoint = Checkpoint::first(mintime, NOON);
    // No checks of closed hours unless a test asks for them.
    checkpoint.sweeps = None;
    checkpoint
}

fn no_checks() -> Limits {
    Limits {
        sweeps: false,
        ..limits()
    }
}

/// A run that was given its checkpoint, and what it does first.
fn begun(limits: Limits, checkpoint: Checkpoint) -> (LogRun, Action) {
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

fn page(times: &[Millis], cursor: Option<&str>) -> Event {
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
fn sending() -> LogRun {
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
    let other = Ending::Failed(Failure::OtherDestination);
    assert!(matches!(action, Action::Stop(ending) if ending == other));
    assert!(matches!(used_at(NOON - 15 * MINUTE), Action::Fetch(_)));
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

/// A run that may make one more call, at so many a minute, and made it: what it stores and does then.
fn after_the_last_call(calls_per_minute: u32, deadline: i64) -> (Option<Claim>, Action) {
    let limits = Limits {
        calls_per_minute,
        ..no_checks()
    };
    let mut run = LogRun::new(limits, NOON + deadline, fastrand::Rng::with_seed(3));
    run.step(Event::Started, NOON, false);
    let mut checkpoint = checkpoint(NOON - 10 * HOUR);
    checkpoint.rate.log.tokens = 1.0;
    let loaded = Event::Loaded {
        checkpoint: Some(Box::new(checkpoint)),
        claim_is_dead: false,
    };
    let action = run.step(loaded, NOON, false);
    let Action::Draw(account) = action else {
        panic!("the account's bucket is not asked: {action:?}")
    };
    run.step(
        Event::Drawn {
            wait: None,
            account,
        },
        NOON,
        false,
    );
    let times = [NOON - 9 * HOUR - 30 * MINUTE];
    run.step(page(&times, Some("1,2")), NOON, false);
    run.step(Event::Recalled(vec![false]), NOON, false);
    run.step(Event::Saved, NOON, false);
    run.step(Event::Accepted, NOON, false);
    let Action::Save(saved) = run.step(Event::Recorded, NOON, false) else {
        panic!()
    };
    (saved.claim, run.step(Event::Saved, NOON, false))
}

#[test]
fn a_call_is_waited_for_up_to_five_seconds_and_never_beyond_the_end_of_the_run() {
    // Twelve a minute: one in five seconds. The claim is kept for it.
    let (claim, action) = after_the_last_call(12, 50 * SECOND);
    assert!(claim.is_some());
    assert!(matches!(action, Action::Wait(5000)), "{action:?}");
    // A little more than five seconds: the claim is given back with the page.
    let (claim, action) = after_the_last_call(11, 50 * SECOND);
    assert_eq!(claim, None);
    assert!(
        matches!(action, Action::Stop(Ending::OutOfCalls)),
        "{action:?}"
    );
    // The run ends before, or when, the call may be made.
    for (deadline, waits) in [(5 * SECOND, false), (5 * SECOND + 1, true)] {
        let (_, action) = after_the_last_call(12, deadline);
        assert_eq!(matches!(action, Action::Wait(_)), waits, "{action:?}");
    }
}

#[test]
fn the_wait_of_a_drawn_account_is_a_wait_of_the_log() {
    let limits = Limits {
        calls_per_minute: 10,
        ..no_checks()
    };
    let (mut run, _) = begun(limits, checkpoint(NOON - HOUR));
    let account = Bucket::full(3, NOON);
    let wait = Some(2000);
    let action = run.step(Event::Drawn { wait, account }, NOON, false);
    assert!(matches!(action, Action::Wait(2000)), "{action:?}");
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
fn azure_monitors_retry_after_is_waited_for_within_the_run_and_parks_the_log_beyond_it() {
    let throttled = |asked, interrupted| {
        let mut run = sending();
        let retry_after = Some(asked);
        let fault = Event::SendFailed(SendFault::Throttled { retry_after });
        let action = run.step(fault, NOON, interrupted);
        assert_eq!(run.tally().throttled, 1);
        (run, action)
    };
    let (run, action) = throttled(50 * SECOND - 1, false);
    assert!(matches!(action, Action::Wait(49_999)), "{action:?}");
    assert_eq!(run.tally().retries, 1);
    let (_, action) = throttled(50 * SECOND, false);
    let Action::Save(saved) = action else {
        panic!("{action:?}")
    };
    let parked = saved.parked.unwrap();
    let until = NOON + 50 * SECOND;
    assert_eq!(
        (parked.not_before, parked.cause),
        (until, ParkCause::AzureThrottled)
    );
    // A run that is asked to end does not wait.
    let (mut run, action) = throttled(SECOND, true);
    assert!(matches!(action, Action::Save(saved) if saved.claim.is_none()));
    let action = run.step(Event::Saved, NOON, true);
    assert!(matches!(action, Action::Stop(Ending::Interrupted)));
    // Nobody says how long.
    let mut run = sending();
    let retry_after = None;
    run.step(
        Event::SendFailed(SendFault::Throttled { retry_after }),
        NOON,
        false,
    );
    assert_eq!(run.tally().throttled, 1);
}

#[test]
fn a_backoff_is_between_half_and_the_whole_and_ends_before_the_run() {
    let first_wait = |seed, deadline| {
        let mut run = LogRun::new(no_checks(), NOON + deadline, fastrand::Rng::with_seed(seed));
        run.step(Event::Started, NOON, false);
        let loaded = Event::Loaded {
            checkpoint: Some(Box::new(checkpoint(NOON - HOUR))),
            claim_is_dead: false,
        };
        run.step(loaded, NOON, false);
        let action = run.step(Event::FetchFailed(FetchFault::Unreachable), NOON, false);
        match action {
            Action::Wait(wait) => Some((wait, run.tally().retries)),
            _ => None,
        }
    };
    for seed in 0..50 {
        let (wait, retries) = first_wait(seed, 50 * SECOND).unwrap();
        assert!((250..=500).contains(&wait), "{wait}");
        assert_eq!(retries, 1);
        assert_eq!(first_wait(seed, wait), None);
        assert_eq!(first_wait(seed, wait + 1), Some((wait, 1)));
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

#[test]
fn what_a_run_did_is_counted() {
    let times = (0..7).map(|number| NOON - 2 * HOUR + number * MINUTE);
    let mut world = World::new(times);
    let (_, tally) = world.run("a");
    let calls = world.questions + world.counts.len() as u64;
    assert_eq!((tally.requests, tally.pages), (calls, world.questions));
    assert_eq!((tally.events, tally.late), (7, 0));
    // Three pages of three rows, one call each.
    assert_eq!(tally.calls, 3);
    assert!(tally.checks > 0);
    assert_eq!(tally.duplicates_dropped, 0);
    // Every fifth run reads the last quarter of an hour once more.
    world.now = world.now + MINUTE;
    world.events.push(super::world::Happened {
        id: id(800),
        time: NOON - 4 * MINUTE,
        shown_from: NOON,
    });
    let (mut dropped, mut late) = (0, 0);
    world.add_now(900);
    for _ in 0..20 {
        let (_, tally) = world.run("a");
        dropped += tally.duplicates_dropped;
        late += tally.late;
        world.now = world.now + MINUTE;
    }
    assert_eq!(late, 1);
    assert!(dropped > 0);
    // Refused for too many calls, and for credentials that are signed once more.
    world.fetch_faults = [Some(FetchFault::Credentials)].into();
    assert_eq!(world.run("a").1.retries, 1);
    world.now = world.now + MINUTE;
    let retry_after = None;
    world.fetch_faults = [Some(FetchFault::Throttled { retry_after })].into();
    assert_eq!(world.run("a").1.throttled, 1);
}
