//! A log without new events costs little.

use super::record::id;
use super::time::{minutes, seconds};
use super::world::{DuoEvent, Kind, NOON, World};
use crate::model::MINUTE;
use crate::sync::RunOutcome;

fn worlds() -> [World; 3] {
    [World::new([]), World::v1([], 10), World::unsorted([])]
}

#[test]
fn an_idle_run_reads_its_checkpoint_and_writes_it_every_15_minutes() {
    for mut world in worlds() {
        world.run_until_caught_up("a");
        // Between two reconciliations.
        world.now = NOON + minutes(20);
        world.run("a");
        let mut writes = 0;
        for _ in 0..30 {
            world.now = world.now + MINUTE;
            let before = world.kinds.len();
            assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
            let run = &world.kinds[before..];
            let count = |kind| run.iter().filter(|of_run| **of_run == kind).count();
            assert_eq!((count(Kind::Read), count(Kind::Fetch)), (1, 1), "{run:?}");
            writes += count(Kind::Write);
            assert_eq!(run.len(), 2 + count(Kind::Write), "{run:?}");
        }
        assert_eq!(writes, 2);
    }
}

#[test]
fn an_idle_run_reports_how_far_it_read_and_the_next_one_reads_that_again() {
    for mut world in worlds() {
        world.run_until_caught_up("a");
        world.now = NOON + minutes(20);
        world.run("a");
        let saved = world.checkpoint().mintime;
        world.now = world.now + minutes(5);
        let mut instance = world.instance("a");
        world.finish(&mut instance);
        let reached = instance.result.unwrap().checkpoint.unwrap().mintime;
        assert_eq!(world.checkpoint().mintime, saved);
        assert!(world.v1 || reached > saved + minutes(4), "{reached}");
        // An event appears in the span that was read.
        let time = saved + seconds(60);
        world.events.push(DuoEvent { key: id(0), time, visible_from: world.now });
        world.now = world.now + MINUTE;
        world.run("a");
        world.assert_all_once();
    }
}

#[test]
fn an_idle_log_makes_one_request() {
    let mut world = World::new([]);
    world.config.start = (NOON - minutes(4), false);
    world.run("a");
    assert_eq!(world.request_count, 1);
    assert!(world.checkpoint().mintime > NOON - minutes(4));
}
