//! Every operation of a long run fails once, with every applicable fault.

use super::dead_letters::in_order;
use super::record::id;
use super::time::{hours, minutes, seconds};
use super::world::{DuoEvent, Fault, NOON, World, clustered};
use crate::model::{FetchErrorKind, SendErrorKind};

/// All faults. A fault is skipped for operations that it does not apply to.
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
    // The response is lost.
    Fault::Send(SendErrorKind::Unreachable, true),
    Fault::Send(SendErrorKind::TooLarge, false),
    Fault::Send(SendErrorKind::BadRecord, false),
    Fault::Send(SendErrorKind::Credentials, false),
    Fault::Send(SendErrorKind::Fatal, false),
    Fault::Send(SendErrorKind::Fatal, true),
];

/// Maximum runs, one per minute; a refused log is requested again after an hour.
const MAX_RUNS: u64 = 80;
/// Rows of a page.
const PAGE: usize = 8;

fn worlds() -> [(&'static str, World); 3] {
    let mut worlds = [
        ("with counts", World::new(clustered())),
        ("newest first", World::unsorted(clustered())),
        ("last second", World::last_second(PAGE)),
    ];
    for (_, world) in &mut worlds {
        world.page_size = PAGE;
        // The first record and two adjacent ones, one also truncated; accepted truncated ones.
        let order = in_order(world);
        world.letters.refused.extend([order[0], order[10], order[11]]);
        world.letters.truncated.extend([order[11], order[12], order[20]]);
        // Late events.
        for (number, minute) in (500..505).zip(0..) {
            world.events.push(DuoEvent {
                key: id(number),
                time: NOON - hours(2) + minutes(minute),
                visible_from: NOON + hours(20),
            });
        }
    }
    worlds
}

/// The lifecycle of a log: backlog, reconciliation, late events a day later, removal of ids.
fn run_lifecycle(world: &mut World) {
    world.run_until_caught_up("a");
    world.now = world.now.max(NOON + hours(26));
    world.run_until_caught_up("b");
    world.now = world.now.max(NOON + hours(52));
    world.run_until_caught_up("c");
}

#[test]
fn every_operation_fails_once_with_every_fault() {
    let mut schedules = 0;
    let mut injected = 0;
    for index in 0..worlds().len() {
        let (name, mut fault_free) = worlds().into_iter().nth(index).unwrap();
        run_lifecycle(&mut fault_free);
        assert!(fault_free.lost().is_empty(), "{name}");
        assert_eq!(fault_free.duplicates(), 0, "{name}");
        assert!(fault_free.operation_count > 100, "{name}: {}", fault_free.operation_count);
        for (number, kind) in (1..).zip(fault_free.kinds) {
            for fault in FAULTS.into_iter().filter(|fault| fault.applies_to(kind)) {
                let (_, mut world) = worlds().into_iter().nth(index).unwrap();
                world.faults.insert(number, fault);
                run_lifecycle(&mut world);
                let what = format!("{name}: {fault:?} at {number}");
                assert!(world.lost().is_empty(), "{what}: {:?}", world.lost());
                let bound = if world.may_duplicate > 0 { PAGE } else { 0 };
                let duplicates = world.duplicates();
                assert!(duplicates <= bound, "{what}: {duplicates} duplicated");
                assert!(world.runs <= MAX_RUNS, "{what}: {} runs", world.runs);
                schedules += 1;
                injected += world.injected;
            }
        }
    }
    println!("{schedules} schedules, {injected} injected faults: lost 0");
    assert!(injected > 2_000, "{injected}");
}
