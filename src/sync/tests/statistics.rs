//! What a run tells of itself.

use super::record::id;
use super::time::{hours, minutes};
use super::world::{Happened, NOON, World};
use crate::model::{FetchErrorKind, MINUTE};

#[test]
fn what_a_run_did_is_counted() {
    let times = (0..7).map(|number| NOON - hours(2) + minutes(number));
    let mut world = World::new(times);
    let (_, stats) = world.run("a");
    let calls = world.questions + world.counts.len() as u64;
    assert_eq!((stats.counts.requests, stats.counts.pages), (calls, world.questions));
    assert_eq!((stats.counts.events, stats.counts.late), (7, 0));
    // Three pages of three rows, one call each.
    assert!(!stats.reconciled.is_empty());
    assert_eq!(stats.counts.duplicates_dropped, 0);
    // Every fifth run reads the last quarter of an hour once more.
    world.now = world.now + MINUTE;
    world.events.push(Happened { key: id(800), time: NOON - minutes(4), shown_from: NOON });
    let (mut dropped, mut late) = (0, 0);
    world.add_now(900);
    for _ in 0..20 {
        let (_, stats) = world.run("a");
        dropped += stats.counts.duplicates_dropped;
        late += stats.counts.late;
        world.now = world.now + MINUTE;
    }
    assert_eq!(late, 1);
    assert!(dropped > 0);
    // Refused for credentials, which are signed once more, and for too many calls.
    world.fetch_faults = [Some(FetchErrorKind::Credentials)].into();
    assert_eq!(world.run("a").1.counts.retries, 1);
    world.now = world.now + MINUTE;
    let retry_after = None;
    world.fetch_faults = [Some(FetchErrorKind::Throttled { retry_after })].into();
    assert_eq!(world.run("a").1.counts.throttled, 1);
}
