//! Two processes on one state.

use super::world::{World, clustered};
use crate::model::{MINUTE, Millis};
use crate::sync::{Action, Ending, Event, Failure, Limits, LogRun, Notice};

#[test]
fn any_two_interleaved_runs_lose_nothing_and_repeat_one_page_at_most() {
    for v1 in [false, true] {
        for seed in 0..400 {
            let mut world = if v1 {
                let seconds = clustered()
                    .into_iter()
                    .map(|time| Millis::from_seconds(time.seconds()));
                World::v1(seconds, 8)
            } else {
                World::new(clustered())
            };
            let mut chance = fastrand::Rng::with_seed(seed);
            let mut instances = [world.instance("a"), world.instance("b")];
            let mut over = [false; 2];
            while over != [true; 2] {
                let turn = chance.usize(0..2);
                // Runs of steps, so that one instance also gets far ahead of the other.
                for _ in 0..chance.usize(1..12) {
                    over[turn] = over[turn] || world.step(&mut instances[turn]).is_some();
                }
                if chance.u8(0..20) == 0 {
                    world.now = world.now + chance.i64(0..100_000);
                }
            }
            world.run_until_caught_up("c");
            assert!(
                world.lost().is_empty(),
                "v1 {v1}, seed {seed}: {:?}",
                world.lost()
            );
            let page = world.page_size;
            assert!(
                world.duplicates() <= page,
                "v1 {v1}, seed {seed}: {}",
                world.duplicates()
            );
        }
    }
}

#[test]
fn a_store_that_hides_the_first_checkpoint_is_not_asked_for_ever() {
    let world = World::new([]);
    let mut run = LogRun::new(
        world.limits.clone(),
        world.now + MINUTE,
        fastrand::Rng::new(),
    );
    let hidden = || Event::Loaded {
        checkpoint: None,
        claim_is_dead: false,
    };
    run.step(Event::Started, world.now, false);
    run.step(hidden(), world.now, false);
    let again = run.step(Event::Conflict, world.now, false);
    assert!(matches!(again, Action::Load), "{again:?}");
    run.step(hidden(), world.now, false);
    let end = run.step(Event::Conflict, world.now, false);
    assert!(
        matches!(end, Action::Stop(Ending::Failed(Failure::State))),
        "{end:?}"
    );
}

#[test]
fn a_process_that_wakes_after_its_claim_ended_repeats_one_call_at_most() {
    // Stopped before any of its steps, another instance does all the work, then it goes on.
    for asleep_at in 1..120 {
        let mut world = World::new(clustered());
        let mut sleeper = world.instance("a");
        for _ in 0..asleep_at {
            world.step(&mut sleeper);
        }
        world.now = world.now + 2 * MINUTE;
        world.run_until_caught_up("b");
        world.finish(&mut sleeper);
        world.run_until_caught_up("b");
        assert!(world.lost().is_empty(), "asleep at {asleep_at}");
        assert!(
            world.duplicates() <= 4,
            "asleep at {asleep_at}: {}",
            world.duplicates()
        );
    }
}

#[test]
fn an_instance_with_another_destination_stops_and_takes_over_only_after_long_silence() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    let first = world.limits.clone();
    world.limits = Limits {
        destination: "elsewhere".to_owned(),
        ..first.clone()
    };
    for _ in 0..10 {
        let ending = world.run("b").0;
        let is_refused = matches!(ending, Ending::Failed(Failure::OtherDestination { .. }));
        assert!(is_refused, "{ending:?}");
        world.now = world.now + MINUTE;
        // The first one goes on, also without events, and so keeps its place.
        world.limits = first.clone();
        assert_eq!(world.run("a").0, Ending::CaughtUp);
        world.limits = Limits {
            destination: "elsewhere".to_owned(),
            ..first.clone()
        };
    }
    world.now = world.now + 15 * MINUTE;
    let (ending, tally) = world.run("b");
    assert_eq!(ending, Ending::CaughtUp);
    assert!(tally.notices.contains(&Notice::DestinationChanged));
}
