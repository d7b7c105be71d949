//! Two processes with the same state.

use super::random::setting;
use super::time::{minutes, seconds};
use super::world::{Container, Fault, Kind, NOON, Reply, World, clustered};
use crate::model::{FetchErrorKind, HOUR, MINUTE, SendErrorKind};
use crate::sync::{Failure, LogConfig, RunOutcome, Warning};

/// Faults of the exhaustive search, up to two at a time.
const FAULTS: [Fault; 5] = [
    Fault::KilledAfter,
    Fault::Storage(true),
    Fault::LostResponse,
    Fault::Fetch(FetchErrorKind::TimedOut),
    Fault::Send(SendErrorKind::TimedOut, true),
];

/// One page of two events in one batch.
fn one_page() -> World {
    let mut world = World::new([NOON - minutes(30), NOON - minutes(20)]);
    world.page_size = 10;
    world.config.start = (NOON - minutes(40), false);
    world
}

/// Runs two instances, switching after these operations. Returns the kinds of operations.
fn play(switches: &[u64], faults: &[(u64, Fault)]) -> Vec<Kind> {
    let mut world = one_page();
    world.faults = faults.iter().copied().collect();
    let mut instances = [world.instance("a"), world.instance("b")];
    let mut has_ended = [false; 2];
    let (mut turn, mut operations) = (0, 0);
    while has_ended != [true; 2] {
        turn = if switches.contains(&operations) || has_ended[turn] { 1 - turn } else { turn };
        has_ended[turn] = has_ended[turn] || world.step(&mut instances[turn]).is_some();
        operations += 1;
    }
    let kinds = world.kinds.clone();
    let what = || format!("switches {switches:?}, faults {faults:?}");
    // Without faults, everything is delivered within bounded time.
    world.faults.clear();
    world.now = world.now + minutes(10);
    world.run_until_caught_up("c");
    assert!(world.lost().is_empty(), "{}: {:?}", what(), world.lost());
    let bound = 2 * faults.len();
    assert!(world.duplicates() <= bound, "{}: {} duplicated", what(), world.duplicates());
    kinds
}

/// Every fault that applies to one of the operations after the first `after`.
fn applicable_faults(kinds: &[Kind], after: u64) -> impl Iterator<Item = (u64, Fault)> {
    let operations = (1..).zip(kinds.iter().copied()).filter(move |(at, _)| *at > after);
    operations.flat_map(|(at, kind)| {
        let faults = FAULTS.into_iter().filter(move |fault| fault.applies_to(kind));
        faults.map(move |fault| (at, fault))
    })
}

#[test]
fn two_instances_on_one_page_with_two_preemptions_and_two_errors() {
    // Two faults at a time only in the long run.
    let is_long = setting("DUO_SENTINEL_SCHEDULES").is_some();
    let operations = u64::try_from(play(&[], &[]).len()).unwrap() + 2;
    assert!(operations > 10, "{operations}");
    let mut schedules = 0_u64;
    for first in 0..operations {
        for second in first..operations {
            let switches = [first, second];
            let kinds = play(&switches, &[]);
            schedules += 1;
            for (at, fault) in applicable_faults(&kinds, 0) {
                let kinds = play(&switches, &[(at, fault)]);
                schedules += 1;
                for (later, other) in applicable_faults(&kinds, at).filter(|_| is_long) {
                    play(&switches, &[(at, fault), (later, other)]);
                    schedules += 1;
                }
            }
        }
    }
    println!(
        "{schedules} schedules of two instances: lost 0, at most one batch duplicated per error"
    );
}

#[test]
fn a_store_that_hides_the_first_checkpoint_is_not_read_forever() {
    let mut world = World::new([]);
    let mut instance = world.instance("a");
    world.step(&mut instance);
    let mut reads = 0;
    while let Some((number, operation)) = instance.operation() {
        reads += 1;
        let operation = format!("{operation:?}");
        assert!(reads < 16, "{operation}");
        let reply = match &operation[..4] {
            "Read" => Reply::Read(None),
            "List" => Reply::Listed(Vec::new()),
            _ => Reply::Conflict,
        };
        world.reply(&mut instance, number, reply);
    }
    assert_eq!(instance.outcome(), Some(RunOutcome::Failed(Failure::Storage)));
    assert!(!world.blobs.keys().any(|(container, _)| *container == Container::State));
}

#[test]
fn a_process_that_wakes_after_its_lease_expired_duplicates_at_most_one_batch() {
    // The process sleeps before any of its steps while another one does the work.
    for asleep_at in 1..120 {
        let mut world = World::new(clustered());
        let mut sleeper = world.instance("a");
        for _ in 0..asleep_at {
            world.step(&mut sleeper);
        }
        world.now = world.now + minutes(2);
        world.run_until_caught_up("b");
        world.finish(&mut sleeper);
        world.run_until_caught_up("b");
        assert!(world.lost().is_empty(), "asleep at {asleep_at}");
        assert!(world.duplicates() <= 4, "asleep at {asleep_at}: {}", world.duplicates());
    }
}

#[test]
fn an_instance_with_another_destination_takes_over_only_after_15_idle_minutes() {
    let mut world = World::new(clustered());
    world.run_until_caught_up("a");
    let first = world.config.clone();
    let elsewhere = || LogConfig { destination: "elsewhere".to_owned(), ..first.clone() };
    for _ in 0..10 {
        world.config = elsewhere();
        let outcome = world.run("b").0;
        let is_refused = matches!(outcome, RunOutcome::Failed(Failure::OtherDestination { .. }));
        assert!(is_refused, "{outcome:?}");
        world.now = world.now + MINUTE;
        // The first instance continues, even without events, and keeps its state.
        world.config = first.clone();
        assert_eq!(world.run("a").0, RunOutcome::CaughtUp);
    }
    world.config = elsewhere();
    world.now = world.now + minutes(15) + seconds(1);
    let (outcome, stats) = world.run("b");
    assert_eq!(outcome, RunOutcome::CaughtUp);
    assert!(stats.warnings.contains(&Warning::DestinationChanged));
    assert!(world.now - NOON < HOUR);
}
