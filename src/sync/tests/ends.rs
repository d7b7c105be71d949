//! How a run ends: time, calls, wishes.

use super::borders::{begun, checkpoint, no_checks, page};
use super::world::{Happened, NOON, World, clustered};
use crate::model::{HOUR, Hour, MINUTE, SECOND};
use crate::sync::{Action, Claim, Ending, Event, LogRun, Notice};

#[test]
fn a_run_ends_between_pages_when_its_time_is_over_and_gives_the_claim_back() {
    let mut world = World::new(clustered());
    world.pace = 5 * SECOND;
    let started = world.now;
    assert_eq!(world.run("a").0, Ending::OutOfTime);
    assert!(
        world.now - started <= 70 * SECOND,
        "{}",
        world.now - started
    );
    assert_eq!(world.checkpoint().claim, None);
    assert!(!world.accepted.is_empty());
    world.pace = 10;
    world.run_until_caught_up("b");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn a_run_goes_on_inside_a_window_with_the_cursor_and_the_bounds_of_the_run_before() {
    let mut world = World::new(clustered());
    world.pace = 5 * SECOND;
    for _ in 0..20 {
        if world.checkpoint_window_cursor().is_some() {
            break;
        }
        world.run("a");
    }
    let questions = world.asked.len();
    let before = world.asked.last().unwrap().clone();
    world.now = world.now + MINUTE;
    world.run("b");
    let next = &world.asked[questions];
    assert!(
        next.cursor.is_some() && next.cursor != before.cursor,
        "{next:?}"
    );
    assert_eq!(
        (next.mintime, next.maxtime),
        (before.mintime, before.maxtime)
    );
}

#[test]
fn the_rate_limit_holds_over_runs_and_is_never_slept_out() {
    let mut world = World::new((0..200).map(|number| NOON - HOUR + number * 5 * SECOND));
    world.limits.calls_per_minute = 10;
    world.page_size = 2;
    assert_eq!(world.run("a").0, Ending::OutOfCalls);
    assert_eq!((world.questions, world.counts.len()), (8, 2));
    assert_eq!(world.checkpoint().claim, None);
    for _ in 0..5 {
        world.now = world.now + MINUTE;
        world.run("a");
    }
    let calls = world.questions + world.counts.len() as u64;
    assert!((50..=60).contains(&calls), "{calls}");
    assert!(
        world.slept.iter().all(|slept| *slept <= 5 * SECOND),
        "{:?}",
        world.slept
    );
    world.limits.calls_per_minute = 0;
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
    assert_eq!(world.duplicates(), 0);
}

#[test]
fn an_interrupted_run_ends_at_its_next_commit_and_gives_the_claim_back() {
    let mut world = World::new(clustered());
    let mut run = crate::sync::LogRun::new(
        world.limits.clone(),
        world.now + 50_000,
        fastrand::Rng::with_seed(1),
    );
    // Told to end before it begins: nothing is asked, the first checkpoint stands.
    run.step(Event::Started, world.now, true);
    run.step(
        Event::Loaded {
            checkpoint: None,
            claim_is_dead: false,
        },
        world.now,
        true,
    );
    let action = run.step(Event::Saved, world.now, true);
    assert!(
        matches!(action, crate::sync::Action::Stop(Ending::Interrupted)),
        "{action:?}"
    );
    world.run_until_caught_up("a");
    assert!(world.lost().is_empty());
}

#[test]
fn a_run_that_is_interrupted_inside_a_window_ends_with_the_page_in_hand() {
    let mut claimed = checkpoint(NOON - HOUR);
    claimed.claim = Some(Claim {
        owner: no_checks().owner,
        until: NOON + MINUTE,
    });
    let (mut run, _) = begun(no_checks(), claimed);
    run.step(page(&[NOON - MINUTE], Some("next")), NOON, false);
    let action = run.step(Event::Recalled(vec![true]), NOON, true);
    let Action::Save(stored) = action else {
        panic!("{action:?}");
    };
    assert_eq!(stored.claim, None);
    let cursor = stored.window.and_then(|window| window.cursor);
    assert_eq!(cursor.as_deref(), Some("next"));
    let action = run.step(Event::Saved, NOON, true);
    let is_over = matches!(action, Action::Stop(Ending::Interrupted));
    assert!(is_over, "{action:?}");
}

#[test]
fn the_claim_of_a_dead_process_is_taken_over_at_once_and_that_is_told() {
    for claim_is_dead in [false, true] {
        let mut claimed = checkpoint(NOON - HOUR);
        claimed.claim = Some(Claim {
            owner: "another".to_owned(),
            until: NOON + MINUTE,
        });
        let mut run = LogRun::new(no_checks(), NOON + MINUTE, fastrand::Rng::with_seed(3));
        run.step(Event::Started, NOON, false);
        let loaded = Event::Loaded {
            checkpoint: Some(Box::new(claimed)),
            claim_is_dead,
        };
        let action = run.step(loaded, NOON, false);
        let told = run.tally().notices == [Notice::ClaimTakenOver];
        assert_eq!(told, claim_is_dead);
        let goes_on = matches!(action, Action::Fetch(_));
        assert_eq!(goes_on, claim_is_dead, "{action:?}");
    }
}

#[test]
fn rows_older_than_two_days_are_marked_as_backfill() {
    let mut world = World::new([NOON - 49 * HOUR, NOON - 47 * HOUR]);
    world.limits.first_mintime = NOON - 72 * HOUR;
    world.run_until_caught_up("a");
    let kinds: Vec<&str> = world
        .accepted
        .iter()
        .map(|(_, kind)| kind.as_str())
        .collect();
    assert_eq!(kinds, ["backfill", "live"]);
}

#[test]
fn a_page_of_known_events_only_moves_the_place_and_sends_nothing() {
    let mut world = World::new(clustered());
    let hour = |event: &Happened| (event.id, Hour::of(event.time));
    world.ledger = world.events.iter().map(hour).collect();
    world.run("a");
    assert!(world.accepted.is_empty());
    assert!(NOON - world.checkpoint().mintime < 4 * MINUTE);
}
