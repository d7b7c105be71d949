//! Schedules drawn by chance: everything that can happen, happening together.

use super::world::{Happened, NOON, Trouble, World, id};
use crate::model::{HOUR, MINUTE, Millis, SECOND};
use crate::sync::{FetchFault, HourState, SendFault};

/// Schedules where nothing else is said; see RELIABILITY.md for the long run.
const SCHEDULES: u64 = 500;
/// How long after an event it can still be found.
const LATEST: i64 = 46 * HOUR;

fn setting(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test runs is no setting"
    )]
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_happens_nothing_is_lost() {
    let seeds = match setting("DUO_SENTINEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("DUO_SENTINEL_SCHEDULES").unwrap_or(SCHEDULES),
    };
    let (mut troubles, mut repeated) = (0, 0);
    let schedules = seeds.end - seeds.start;
    for seed in seeds {
        let played = std::panic::catch_unwind(|| play(seed));
        let (struck, twice) = played.unwrap_or_else(|_| {
            panic!("seed {seed}; DUO_SENTINEL_SEED={seed} repeats it");
        });
        troubles += struck;
        repeated += twice;
    }
    println!("{schedules} schedules with {troubles} troubles: lost 0, repeated {repeated} rows");
}

/// Plays one schedule; gives the troubles that struck and the rows sent again.
fn play(seed: u64) -> (u64, usize) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut world = world(&mut chance);
    // No two processes have one name.
    let mut names = (0..).map(|number| format!("process {number}"));
    let mut name = || names.next().expect("there is always one more");
    let mut instances = vec![world.instance(&name())];
    // Troubled times.
    for _ in 0..chance.u32(20..400) {
        if chance.u8(0..12) == 0 {
            let deed = world.deeds + chance.u64(1..15);
            world.troubles.insert(deed, trouble(&mut chance));
        }
        if chance.u8(0..40) == 0 {
            jump(&mut world, chance.i64(-10 * MINUTE..20 * MINUTE));
        }
        if chance.u8(0..15) == 0 {
            world.now = world.now + chance.i64(0..3 * HOUR);
        }
        if instances.len() < 2 && chance.u8(0..6) == 0 {
            instances.push(world.instance(&name()));
        }
        let turn = chance.usize(0..instances.len());
        for _ in 0..chance.u32(1..30) {
            if world.step(&mut instances[turn]).is_some() {
                world.now = world.now + MINUTE;
                instances[turn] = world.instance(&name());
            }
        }
    }
    // Then all is well.
    world.troubles.clear();
    world.clock_ahead = 0;
    // With a run every quarter of an hour only, pages of one record must not take long.
    world.limits.calls_per_minute = 0;
    world.pace = 10;
    // Whoever is still at work is killed, perhaps with a call just accepted.
    world.may_repeat += instances.len() as u64;
    drop(instances);
    world.now = world.now + 2 * MINUTE;
    let last = world.events.iter().map(|event| event.time).max();
    let end = (last.unwrap_or(NOON).max(NOON) + 50 * HOUR).max(world.now + 5 * HOUR);
    if world.letters.refused.is_empty() {
        world.run_until_caught_up("d");
    } else {
        // A refused record waits for one that is accepted, on a log where nothing happens for ever.
        let now = Millis::from_seconds(world.now.seconds());
        let moments = (0..).map(|number| (number, now + 2 * HOUR * number));
        for (number, time) in moments.take_while(|(_, time)| *time < end - HOUR) {
            world.events.push(Happened {
                id: id(20_000 + number.unsigned_abs()),
                time,
                shown_from: time + MINUTE,
            });
        }
        world.run_until("d", world.now + 3 * HOUR);
    }
    world.run_until("d", end);
    world.run_until_caught_up("d");
    assert!(world.lost().is_empty(), "{:?}", world.lost());
    let bound = usize::try_from(world.may_repeat).unwrap() * world.page_size;
    let repeated = world.duplicates();
    assert!(repeated <= bound, "{repeated} repeated, {bound} allowed");
    for refused in &world.letters.refused {
        assert!(world.is_set_aside(*refused), "it was passed over");
    }
    let mut results = world.results.values().flat_map(|day| day.hours.values());
    // Duo shows everything in the end. Without a cursor, what is shown late may look like the rest of a second.
    let is_honest = world.v1 || results.all(|result| result.state != HourState::Gap);
    assert!(
        is_honest,
        "a gap is told of that is none: {:?}",
        world.results
    );
    (world.struck, repeated)
}

/// The local clock is set, while Duo's goes on.
fn jump(world: &mut World, milliseconds: i64) {
    world.now = world.now + milliseconds;
    world.clock_ahead += milliseconds;
}

fn world(chance: &mut fastrand::Rng) -> World {
    let v1 = chance.u8(0..4) == 0;
    let page_size = chance.usize(1..40);
    let mut times = Vec::new();
    for _ in 0..chance.usize(0..120) {
        let time = NOON - chance.i64(0..5 * HOUR);
        // Some share a millisecond, some a second.
        for _ in 0..[1, 1, 1, 2, 5][chance.usize(0..5)] {
            times.push(time);
        }
        if chance.bool() {
            times.push(time + 1);
        }
    }
    let mut world = if v1 {
        // Each second must fit into a page, or Duo never shows the rest of it.
        let seconds = times
            .iter()
            .map(|time| Millis::from_seconds(time.seconds()));
        World::v1(seconds, 1000)
    } else {
        World::new(times)
    };
    if !v1 {
        world.page_size = page_size;
        world.newest_first = chance.u8(0..4) == 0;
        world.limits.sorted = !world.newest_first;
        world.last_has_cursor = chance.bool();
    }
    for event in &mut world.events {
        // In any order, and some much later than the others.
        event.shown_from = event.time
            + match chance.u8(0..20) {
                0 => chance.i64(2 * MINUTE..LATEST),
                1..4 => chance.i64(2 * MINUTE..15 * MINUTE),
                _ => chance.i64(0..2 * MINUTE),
            };
    }
    // Some happen while the log is collected.
    for number in 0..chance.u64(0..20) {
        let time = NOON + chance.i64(0..20 * HOUR);
        let time = if v1 {
            Millis::from_seconds(time.seconds())
        } else {
            time
        };
        world.events.push(Happened {
            id: id(10_000 + number),
            time,
            shown_from: time + chance.i64(0..2 * MINUTE),
        });
    }
    // Some are refused, and the rows of some lack a part of them.
    if chance.u8(0..3) == 0 {
        for event in &world.events {
            match chance.u8(0..10) {
                0 if world.letters.refused.len() < 10 => world.letters.refused.insert(event.id),
                1 => world.letters.cut.insert(event.id),
                _ => false,
            };
        }
    }
    world.limits.first_mintime = NOON - 6 * HOUR;
    world.limits.window = [10 * MINUTE, HOUR, 24 * HOUR][chance.usize(0..3)];
    world.limits.max_call_bytes = [60, 200, 100_000][chance.usize(0..3)];
    world.limits.calls_per_minute = [0, 10, 100][chance.usize(0..3)];
    world.miscount = [Some(0), Some(0), None][chance.usize(0..3)];
    world.pace = chance.i64(1..5 * SECOND);
    world
}

fn trouble(chance: &mut fastrand::Rng) -> Trouble {
    let fetch = [
        FetchFault::Throttled { retry_after: None },
        FetchFault::Throttled {
            retry_after: Some(3 * SECOND),
        },
        FetchFault::Unreachable,
        FetchFault::Garbled,
        FetchFault::Credentials,
        FetchFault::Forbidden,
        FetchFault::Rejected,
        FetchFault::Fatal,
    ];
    let send = [
        SendFault::Throttled { retry_after: None },
        SendFault::Unreachable,
        SendFault::TooLarge,
        SendFault::Credentials,
        SendFault::Fatal,
    ];
    match chance.u8(0..5) {
        0 => Trouble::KilledBefore,
        1 => Trouble::KilledAfter,
        2 => Trouble::State(chance.bool()),
        3 => Trouble::Fetch(fetch[chance.usize(0..fetch.len())]),
        _ => Trouble::Send(send[chance.usize(0..send.len())], chance.bool()),
    }
}
