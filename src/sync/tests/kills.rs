//! A process that ends between any two steps.

use super::time::{minutes, seconds};
use super::world::{World, clustered};
use crate::model::{MINUTE, Millis, SendErrorKind};
use crate::sync::RunOutcome;

type MakeWorld = Box<dyn Fn() -> World>;

fn worlds() -> Vec<(&'static str, MakeWorld)> {
    // Seconds-based logs know whole seconds only.
    let seconds = || clustered().into_iter().map(|time| Millis::from_seconds(time.seconds()));
    vec![
        ("cursor", Box::new(|| World::new(clustered()))),
        ("last second", Box::new(move || World::v1(seconds(), 8))),
    ]
}

#[test]
fn an_undisturbed_log_delivers_everything_once() {
    for (name, world) in worlds() {
        let mut world = world();
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty(), "{name}: {:?}", world.lost());
        assert_eq!(world.duplicates(), 0, "{name}");
    }
}

#[test]
fn a_kill_between_any_two_steps_loses_nothing_and_repeats_one_call_at_most() {
    for (name, world) in worlds() {
        let steps = {
            let mut world = world();
            let mut instance = world.instance("a");
            world.finish(&mut instance);
            instance.steps
        };
        assert!(steps >= 40, "the run is too short to prove anything: {steps}");
        for killed_at in 1..=steps {
            let mut world = world();
            let mut instance = world.instance("a");
            for _ in 0..killed_at {
                world.step(&mut instance);
            }
            drop(instance);
            world.now = world.now + MINUTE;
            world.run_until_caught_up("b");
            let lost = world.lost();
            assert!(lost.is_empty(), "{name}, killed at step {killed_at}: {lost:?}");
            // Four rows fit into one call of this world.
            assert!(
                world.duplicates() <= 4,
                "{name}, killed at step {killed_at}: {}",
                world.duplicates()
            );
        }
    }
}

#[test]
fn a_kill_and_another_kill_cost_one_call_each() {
    let steps = 40;
    for first in 1..steps {
        for second in (1..steps).step_by(3) {
            let mut world = World::new(clustered());
            for (owner, killed_at) in [("a", first), ("b", second)] {
                let mut instance = world.instance(owner);
                for _ in 0..killed_at {
                    if world.step(&mut instance).is_some() {
                        break;
                    }
                }
                world.now = world.now + minutes(2);
            }
            world.run_until_caught_up("c");
            assert!(world.lost().is_empty(), "killed at {first} and {second}: {:?}", world.lost());
            assert!(world.duplicates() <= 8, "killed at {first} and {second}");
        }
    }
}

#[test]
fn a_lost_answer_repeats_one_call() {
    for at in 0..8 {
        let mut world = World::new(clustered());
        world.send_faults = (0..at).map(|_| None).collect();
        world.send_faults.push_back(Some((SendErrorKind::Unreachable, true)));
        world.run_until_caught_up("a");
        assert!(world.lost().is_empty());
        assert!((1..=4).contains(&world.duplicates()), "{}", world.duplicates());
    }
}

#[test]
fn a_claim_of_a_killed_process_is_waited_for_and_then_taken() {
    let mut world = World::new(clustered());
    let mut killed = world.instance("a");
    while world.accepted.is_empty() {
        world.step(&mut killed);
    }
    assert_eq!(world.run("b").0, RunOutcome::LeaseHeld);
    world.now = world.now + seconds(91);
    assert_eq!(world.run("b").0, RunOutcome::CaughtUp);
}
