//! Processes killed between any two steps.

use super::world::{World, clustered};
use crate::model::MINUTE;

/// Worlds whose first run was killed after each of its steps.
pub(super) fn killed_at_every_step(make: impl Fn() -> World) -> impl Iterator<Item = (u64, World)> {
    let steps = {
        let mut world = make();
        let mut instance = world.instance("a");
        world.finish(&mut instance);
        instance.steps
    };
    assert!(steps >= 40, "the run is too short for this test: {steps}");
    (1..=steps).map(move |killed_at| {
        let mut world = make();
        let mut instance = world.instance("a");
        for _ in 0..killed_at {
            world.step(&mut instance);
        }
        (killed_at, world)
    })
}

#[test]
fn a_kill_between_any_two_steps_loses_nothing_and_duplicates_at_most_one_batch() {
    for (name, make) in
        [("cursor", || World::new(clustered())), ("last second", || World::last_second(8))]
            as [(&str, fn() -> World); 2]
    {
        for (killed_at, mut world) in killed_at_every_step(make) {
            world.now = world.now + MINUTE;
            world.run_until_caught_up("b");
            let (lost, duplicates) = (world.lost(), world.duplicates());
            // A batch has at most four rows here.
            assert!(
                lost.is_empty() && duplicates <= 4,
                "{name}, killed at step {killed_at}: lost {lost:?}, {duplicates} duplicated"
            );
        }
    }
}
