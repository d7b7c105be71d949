//! A process that ends between any two steps.

use super::world::{World, clustered};
use crate::model::MINUTE;

#[test]
fn a_kill_between_any_two_steps_loses_nothing_and_repeats_one_call_at_most() {
    for (name, make) in
        [("cursor", || World::new(clustered())), ("last second", || World::last_second(8))]
            as [(&str, fn() -> World); 2]
    {
        let steps = {
            let mut world = make();
            let mut instance = world.instance("a");
            world.finish(&mut instance);
            instance.steps
        };
        assert!(steps >= 40, "the run is too short to prove anything: {steps}");
        for killed_at in 1..=steps {
            let mut world = make();
            let mut instance = world.instance("a");
            for _ in 0..killed_at {
                world.step(&mut instance);
            }
            drop(instance);
            world.now = world.now + MINUTE;
            world.run_until_caught_up("b");
            let (lost, duplicates) = (world.lost(), world.duplicates());
            // Four rows fit into one call of this world.
            assert!(
                lost.is_empty() && duplicates <= 4,
                "{name}, killed at step {killed_at}: lost {lost:?}, {duplicates} repeated"
            );
        }
    }
}
