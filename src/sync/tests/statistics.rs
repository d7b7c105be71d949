//! Statistics of a run.

use super::record::id;
use super::time::{hours, minutes};
use super::world::{DuoEvent, NOON, World};
use crate::model::{FetchErrorKind, MINUTE};

#[test]
fn the_work_of_a_run_is_counted() {
    let times = (0..7).map(|number| NOON - hours(2) + minutes(number));
    let mut world = World::new(times);
    let (_, stats) = world.run("a");
    let requests = world.request_count + world.counts.len() as u64;
    assert_eq!((stats.counts.requests, stats.counts.pages), (requests, world.request_count));
    assert_eq!((stats.counts.events, stats.counts.late), (7, 0));
    assert!(!stats.reconciled.is_empty());
    assert_eq!(stats.counts.deduplicated, 0);
    // Every fifth run reads the overlap of 15 minutes.
    world.now = world.now + MINUTE;
    world.events.push(DuoEvent { key: id(800), time: NOON - minutes(4), visible_from: NOON });
    let (mut dropped, mut late) = (0, 0);
    world.add_now(900);
    for _ in 0..20 {
        let (_, stats) = world.run("a");
        dropped += stats.counts.deduplicated;
        late += stats.counts.late;
        world.now = world.now + MINUTE;
    }
    assert_eq!(late, 1);
    assert!(dropped > 0);
    // Refused credentials are retried, throttled requests are not.
    world.fetch_faults = [Some(FetchErrorKind::Credentials)].into();
    assert_eq!(world.run("a").1.counts.retries, 1);
    world.now = world.now + MINUTE;
    let retry_after = None;
    world.fetch_faults = [Some(FetchErrorKind::Throttled { retry_after })].into();
    assert_eq!(world.run("a").1.counts.throttled, 1);
}
