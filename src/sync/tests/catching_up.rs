//! The rate limit of Duo determines how fast a log that is behind catches up.

use super::time::{hours, minutes, seconds};
use super::world::{NOON, World};
use crate::model::{MINUTE, PageRequest};
use crate::sync::RunOutcome;

#[test]
fn windows_grow_while_the_log_is_behind_and_its_pages_are_few() {
    let lengths = |world: &World| {
        let live = world.requests.iter().filter(|request| !request.is_reconciliation);
        let first_pages = live.filter(|request| request.cursor.is_none());
        let length = |request: &PageRequest| (request.maxtime.next() - request.mintime).num_hours();
        first_pages.map(length).collect::<Vec<_>>()
    };
    let mut world = World::new([]);
    world.config.start = (NOON - hours(30 * 24), false);
    world.config.limits.longest_window = hours(7 * 24);
    world.run("a");
    assert_eq!(lengths(&world), [1, 2, 4, 8, 16, 32, 64, 128, 168, 168, 104, 24]);
    assert_eq!(world.checkpoint().doublings, 0);
    // Twenty-five pages in each hour.
    let mut world = World::new((0..75 * 6).map(|number| NOON - hours(6) + minutes(4) / 5 * number));
    world.config.start = (NOON - hours(6), false);
    world.config.limits.longest_window = hours(7 * 24);
    world.run("a");
    assert_eq!(lengths(&world), [1, 2, 2, 0]);
}

/// Number of requests for live pages, and for reconciliation.
fn requests(world: &World) -> (usize, usize) {
    let live = world.requests.iter().filter(|request| !request.is_reconciliation).count();
    (live, world.requests.len() - live + world.counts.len())
}

/// Runs every minute at Duo's default rate until the log has caught up. Returns the number of runs,
/// and the requests of all but the last.
fn catch_up(world: &mut World) -> (usize, (usize, usize)) {
    world.config.limits.requests_per_minute = 10;
    world.config.limits.longest_window = hours(7 * 24);
    for runs in 1..100 {
        let before = requests(world);
        if world.run("a").0 == RunOutcome::CaughtUp {
            return (runs, before);
        }
        world.now = world.now + MINUTE;
    }
    panic!("the log does not catch up");
}

#[test]
fn an_outage_of_a_day_takes_one_request_per_page_and_few_more() {
    // If the last page has a cursor, an empty page ends each window.
    for (last_has_cursor, most) in [(false, 82), (true, 90)] {
        // 75 pages.
        let times = (0..7_500).map(|number| NOON - hours(24) + seconds(1_150) * number / 100);
        let mut world = World::new(times);
        (world.page_size, world.last_has_cursor) = (100, last_has_cursor);
        world.config.start = (NOON - hours(24), false);
        let (runs, (behind, others)) = catch_up(&mut world);
        world.assert_all_once();
        let live = requests(&world).0;
        println!("{runs} runs, {live} live requests; {behind} and {others} others while behind");
        assert!(live <= most, "{live} live requests");
        assert!(others <= behind / 4, "{others} of reconciliation beside {behind}");
    }
}

#[test]
fn half_a_year_without_events_takes_few_runs() {
    let mut world = World::new([]);
    world.config.start = (NOON - hours(180 * 24), false);
    let (runs, _) = catch_up(&mut world);
    println!("{runs} runs");
    assert!(runs <= 10, "{runs} runs");
}
