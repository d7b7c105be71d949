//! Every call of a long run goes wrong once, in every way it can.

use super::dead_letters::in_order;
use super::record::id;
use super::time::{hours, minutes, seconds};
use super::world::{Fault, Happened, NOON, World, clustered};
use crate::model::{FetchErrorKind, SendErrorKind};

/// Every way in which a call can go wrong. Those that do not suit a call leave it alone.
const FAULTS: [Fault; 23] = [
    Fault::KilledBefore,
    Fault::KilledAfter,
    Fault::LostResponse,
    Fault::Storage(false),
    Fault::Storage(true),
    Fault::Fetch(FetchErrorKind::Throttled { retry_after: None }),
    Fault::Fetch(FetchErrorKind::Throttled { retry_after: Some(seconds(7)) }),
    Fault::Fetch(FetchErrorKind::Unreachable),
    Fault::Fetch(FetchErrorKind::Malformed),
    Fault::Fetch(FetchErrorKind::Credentials),
    Fault::Fetch(FetchErrorKind::Forbidden),
    Fault::Fetch(FetchErrorKind::Gone),
    Fault::Fetch(FetchErrorKind::Rejected),
    Fault::Fetch(FetchErrorKind::Fatal),
    Fault::Send(SendErrorKind::Throttled { retry_after: None }, false),
    Fault::Send(SendErrorKind::Throttled { retry_after: Some(seconds(7)) }, false),
    Fault::Send(SendErrorKind::Unreachable, false),
    // The answer is lost.
    Fault::Send(SendErrorKind::Unreachable, true),
    Fault::Send(SendErrorKind::TooLarge, false),
    Fault::Send(SendErrorKind::BadRecord, false),
    Fault::Send(SendErrorKind::Credentials, false),
    Fault::Send(SendErrorKind::Fatal, false),
    Fault::Send(SendErrorKind::Fatal, true),
];

/// Runs in which everything must be over: a log that was refused is asked again after an hour, every minute one run.
const MOST_RUNS: u64 = 80;
/// Rows of one page of these worlds.
const PAGE: usize = 8;

fn worlds() -> [(&'static str, World); 3] {
    let mut worlds = [
        ("with counts", World::new(clustered())),
        ("newest first", World::unsorted(clustered())),
        ("last second", World::last_second(PAGE)),
    ];
    for (_, world) in &mut worlds {
        world.page_size = PAGE;
        // The first, two neighbours in the middle, one of them truncated too, and truncated ones that are accepted.
        let order = in_order(world);
        world.letters.refused.extend([order[0], order[10], order[11]]);
        world.letters.truncated.extend([order[11], order[12], order[20]]);
        // Shown hours after they happened.
        for (number, minute) in (500..505).zip(0..) {
            world.events.push(Happened {
                key: id(number),
                time: NOON - hours(2) + minutes(minute),
                shown_from: NOON + hours(20),
            });
        }
    }
    worlds
}

/// Everything that a log goes through: the backlog, hours checked, late events a day later, ids forgotten.
fn live_through(world: &mut World) {
    world.run_until_caught_up("a");
    world.now = world.now.max(NOON + hours(26));
    world.run_until_caught_up("b");
    world.now = world.now.max(NOON + hours(52));
    world.run_until_caught_up("c");
}

#[test]
fn every_operation_goes_wrong_once_in_every_way() {
    let mut schedules = 0;
    let mut struck = 0;
    for place in 0..worlds().len() {
        let (name, mut undisturbed) = worlds().into_iter().nth(place).unwrap();
        live_through(&mut undisturbed);
        assert!(undisturbed.lost().is_empty(), "{name}");
        assert_eq!(undisturbed.duplicates(), 0, "{name}");
        assert!(undisturbed.deeds > 100, "{name}: {}", undisturbed.deeds);
        for (deed, kind) in (1..).zip(undisturbed.kinds) {
            for fault in FAULTS.into_iter().filter(|fault| fault.suits(kind)) {
                let (_, mut world) = worlds().into_iter().nth(place).unwrap();
                world.faults.insert(deed, fault);
                live_through(&mut world);
                let what = format!("{name}: {fault:?} at {deed}");
                assert!(world.lost().is_empty(), "{what}: {:?}", world.lost());
                let bound = if world.may_duplicate > 0 { PAGE } else { 0 };
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
