//! Every call of a long run goes wrong once, in every way it can.

use super::world::{Happened, NOON, Trouble, World, clustered, id};
use crate::model::{HOUR, MINUTE, Millis, SECOND};
use crate::sync::{FetchFault, SendFault};

/// Every way in which a call can go wrong. Those that do not suit a call leave it alone.
const TROUBLES: [Trouble; 22] = [
    Trouble::KilledBefore,
    Trouble::KilledAfter,
    Trouble::State(false),
    Trouble::State(true),
    Trouble::Fetch(FetchFault::Throttled { retry_after: None }),
    Trouble::Fetch(FetchFault::Throttled {
        retry_after: Some(7 * SECOND),
    }),
    Trouble::Fetch(FetchFault::Unreachable),
    Trouble::Fetch(FetchFault::Garbled),
    Trouble::Fetch(FetchFault::Credentials),
    Trouble::Fetch(FetchFault::Forbidden),
    Trouble::Fetch(FetchFault::Gone),
    Trouble::Fetch(FetchFault::Rejected),
    Trouble::Fetch(FetchFault::Fatal),
    Trouble::Send(SendFault::Throttled { retry_after: None }, false),
    Trouble::Send(
        SendFault::Throttled {
            retry_after: Some(7 * SECOND),
        },
        false,
    ),
    Trouble::Send(SendFault::Unreachable, false),
    // The answer is lost.
    Trouble::Send(SendFault::Unreachable, true),
    Trouble::Send(SendFault::TooLarge, false),
    Trouble::Send(SendFault::BadRecord, false),
    Trouble::Send(SendFault::Credentials, false),
    Trouble::Send(SendFault::Fatal, false),
    Trouble::Send(SendFault::Fatal, true),
];

/// Runs in which everything must be over: a log that was refused is asked again after an hour, every minute one run.
const MOST_RUNS: u64 = 80;
/// Rows of one page of these worlds.
const PAGE: usize = 8;

fn worlds() -> [(&'static str, World); 3] {
    let seconds = clustered()
        .into_iter()
        .map(|time| Millis::from_seconds(time.seconds()));
    let mut newest_first = World::new(clustered());
    newest_first.newest_first = true;
    newest_first.limits.sorted = false;
    let mut worlds = [
        ("with counts", World::new(clustered())),
        ("newest first", newest_first),
        ("last second", World::v1(seconds, PAGE)),
    ];
    for (_, world) in &mut worlds {
        world.page_size = PAGE;
        // Shown hours after they happened.
        for (number, minute) in (500..505).zip(0..) {
            world.events.push(Happened {
                id: id(number),
                time: NOON - 2 * HOUR + minute * MINUTE,
                shown_from: NOON + 20 * HOUR,
            });
        }
    }
    worlds
}

/// Everything that a log goes through: the backlog, hours checked, late events a day later, ids forgotten.
fn live_through(world: &mut World) {
    world.run_until_caught_up("a");
    world.now = world.now.max(NOON + 26 * HOUR);
    world.run_until_caught_up("b");
    world.now = world.now.max(NOON + 52 * HOUR);
    world.run_until_caught_up("c");
}

#[test]
fn every_call_goes_wrong_once_in_every_way() {
    let mut schedules = 0;
    let mut struck = 0;
    for place in 0..worlds().len() {
        let (name, mut undisturbed) = worlds().into_iter().nth(place).unwrap();
        live_through(&mut undisturbed);
        assert!(undisturbed.lost().is_empty(), "{name}");
        assert_eq!(undisturbed.duplicates(), 0, "{name}");
        assert!(undisturbed.deeds > 100, "{name}: {}", undisturbed.deeds);
        for deed in 1..=undisturbed.deeds {
            for trouble in TROUBLES {
                let (_, mut world) = worlds().into_iter().nth(place).unwrap();
                world.troubles.insert(deed, trouble);
                live_through(&mut world);
                let what = format!("{name}: {trouble:?} at {deed}");
                assert!(world.lost().is_empty(), "{what}: {:?}", world.lost());
                let bound = if world.may_repeat > 0 { PAGE } else { 0 };
                let repeated = world.duplicates();
                assert!(repeated <= bound, "{what}: {repeated} repeated");
                assert!(world.runs <= MOST_RUNS, "{what}: {} runs", world.runs);
                schedules += 1;
                struck += world.struck;
            }
        }
    }
    println!("{schedules} schedules, in {struck} of them the call went wrong: lost 0");
    assert!(struck > 2_000, "{struck}");
}
