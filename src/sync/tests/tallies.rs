//! What a run tells of itself.

use super::world::{Happened, NOON, World, id};
use crate::model::{HOUR, MINUTE};
use crate::sync::FetchFault;

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
    world.events.push(Happened {
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
    // Refused for credentials, which are signed once more, and for too many calls.
    world.fetch_faults = [Some(FetchFault::Credentials)].into();
    assert_eq!(world.run("a").1.retries, 1);
    world.now = world.now + MINUTE;
    let retry_after = None;
    world.fetch_faults = [Some(FetchFault::Throttled { retry_after })].into();
    assert_eq!(world.run("a").1.throttled, 1);
}
