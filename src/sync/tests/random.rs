//! Random schedules of everything that can happen.
//!
//! Seeds determine traces. `DUO_SENTINEL_SEED` runs one schedule, `DUO_SENTINEL_SCHEDULES` many.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::record::id;
use super::time::{hours, millis, minutes, seconds};
use super::world::{Container, DuoEvent, Fault, NOON, PageFault, World};
use crate::model::{FetchErrorKind, HOUR, Hour, LogType, MINUTE, Millis, RecordKey, SendErrorKind};
use crate::sync::HourState;

/// Default number of schedules; RELIABILITY.md describes the long run.
const SCHEDULES: u64 = 500;
/// Maximum delay with which Duo returns an event.
const LATEST: TimeDelta = hours(46);
/// Rare states that the fixed seeds must reach.
const RARE: [&str; 20] = [
    "ClockAhead",
    "LeaseHeld",
    "WindowRestarted",
    "backed off",
    "batch accepted and reported as an error",
    "checkpoint restored",
    "conflict with one's own write",
    "cursor missing",
    "damaged ledger",
    "hour unknown",
    "hour verified late",
    "late event",
    "lease outlived by a sleeper",
    "out of time",
    "rate limited",
    "record dead-lettered",
    "storage error after an effect",
    "update",
    "write conflict",
    "wrong page",
];

pub(super) fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "not a setting of the program")]
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn random_schedules_lose_nothing_and_verify_no_incomplete_hour() {
    let seeds = match setting("DUO_SENTINEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("DUO_SENTINEL_SCHEDULES").unwrap_or(SCHEDULES),
    };
    let (mut faults, mut duplicates, mut judged) = (0, 0, 0);
    let mut rare: BTreeMap<&str, u64> = BTreeMap::new();
    let schedules = seeds.end - seeds.start;
    for seed in seeds {
        let played = std::panic::catch_unwind(|| play(seed, false));
        let world = played
            .unwrap_or_else(|_| panic!("seed {seed}; DUO_SENTINEL_SEED={seed} reproduces it"));
        faults += world.injected;
        duplicates += world.duplicates();
        judged += world.judged;
        for (state, count) in world.rare {
            *rare.entry(state).or_default() += count;
        }
    }
    println!(
        "{schedules} schedules with {faults} errors and kills: lost 0, duplicated {duplicates} rows"
    );
    println!(
        "{judged} reports of verified hours agree with the truth; rare states reached: {rare:?}"
    );
    for state in RARE {
        assert!(schedules < SCHEDULES || rare.contains_key(state), "{state} was never reached");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let traces = [0, 1].map(|_| play(seed, true).trace.unwrap());
        assert!(traces[0].len() > 50, "seed {seed}: {} operations", traces[0].len());
        assert_eq!(traces[0], traces[1], "seed {seed}");
    }
}

/// Plays one schedule and checks the result.
fn play(seed: u64, is_traced: bool) -> World {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut world = world(&mut rng);
    world.trace = is_traced.then(Vec::new);
    // Process names are unique.
    let mut names = (0..).map(|number| format!("process {number}"));
    let mut name = || names.next().expect("an infinite iterator");
    let mut instances = vec![world.instance(&name())];
    // A phase with faults.
    for _ in 0..rng.u32(20..400) {
        if rng.u8(0..12) == 0 {
            let number = world.operation_count + rng.u64(1..15);
            world.faults.insert(number, fault(&mut rng));
        }
        if rng.u8(0..40) == 0 {
            jump(&mut world, millis(rng.i64(-600_000..1_200_000)));
        }
        if rng.u8(0..15) == 0 {
            world.now = world.now + up_to(&mut rng, hours(3));
        }
        // Only between runs: a run appends to the blob as it was read.
        if rng.u8(0..20) == 0 && instances.iter().all(|instance| instance.steps == 0) {
            damage(&mut world);
        }
        if rng.u8(0..60) == 0 && instances.iter().all(|instance| instance.steps == 0) {
            world.delete_checkpoint();
        }
        if rng.u8(0..30) == 0 && instances.iter().all(|instance| instance.steps == 0) {
            change(&mut world, &mut rng);
        }
        if instances.len() < 2 && rng.u8(0..6) == 0 {
            instances.push(world.instance(&name()));
            world.is_shared = true;
        }
        let turn = rng.usize(0..instances.len());
        for _ in 0..rng.u32(1..30) {
            if world.step(&mut instances[turn]).is_some() {
                world.now = world.now + MINUTE;
                instances[turn] = world.instance(&name());
            }
        }
    }
    // Without faults, everything must be delivered and every hour become final in bounded time.
    world.faults.clear();
    world.miscount = world.miscount.map(|_| 0);
    world.clock_ahead = millis(0);
    // With a run every 15 minutes, pages of one record must not be rate-limited.
    world.config.limits.requests_per_minute = 0;
    world.latency = millis(10);
    // Active instances are killed, perhaps just after a batch was accepted.
    world.may_duplicate += instances.len() as u64;
    drop(instances);
    world.now = world.now + minutes(4);
    let last = world.events.iter().map(|event| event.time).max();
    let end = (last.unwrap_or(NOON).max(NOON) + hours(50)).max(world.now + hours(5));
    if world.letters.refused.is_empty() {
        world.run_until_caught_up("d");
    } else {
        // A refused record waits for an accepted one, so add further events.
        let now = Millis::from_seconds(world.now.seconds());
        let times = (0..).map(|number: i64| (number, now + hours(2 * number)));
        for (number, time) in times.take_while(|(_, time)| *time < end - HOUR) {
            let key = id(20_000 + number.unsigned_abs());
            world.events.push(DuoEvent { key, time, visible_from: time + MINUTE });
        }
        world.run_until("d", world.now + hours(3));
    }
    world.run_until("d", end);
    if !world.letters.refused.is_empty() {
        // The last reading may also have found a refused record.
        let time = Millis::from_seconds(world.now.seconds());
        world.events.push(DuoEvent { key: id(30_000), time, visible_from: time + MINUTE });
    }
    world.run_until_caught_up("d");
    judge(&world);
    world
}

fn judge(world: &World) {
    // Where Duo returned wrong pages at the last stage, the hour is unknown.
    let is_unknown = |event: &&DuoEvent| {
        world.result_of(Hour::of(event.time)).is_some_and(|hour| hour.state == HourState::Unknown)
    };
    let lost: Vec<DuoEvent> = world.lost();
    let reported = lost.iter().filter(is_unknown).count();
    assert!(
        reported == lost.len() && (lost.is_empty() || world.rare.contains_key("wrong page")),
        "{lost:?}"
    );
    let bound = usize::try_from(world.may_duplicate).unwrap() * world.page_size;
    let duplicates = world.duplicates();
    assert!(duplicates <= bound, "{duplicates} duplicated, {bound} allowed");
    for refused in &world.letters.refused {
        assert!(world.is_dead_lettered(*refused), "a refused record was skipped");
    }
    // Duo finally returns every event. In v1, a late event may look like a truncated second.
    let mut results = world.results().into_iter();
    assert!(
        world.v1 || results.all(|result| result.state != HourState::Gap),
        "a false gap was reported"
    );
}

/// Sets the local clock, but not Duo's.
fn jump(world: &mut World, by: TimeDelta) {
    world.now = world.now + by;
    world.clock_ahead += by;
}

/// Changes an event in place.
fn change(world: &mut World, rng: &mut fastrand::Rng) {
    if world.events.is_empty() {
        return;
    }
    let number = rng.usize(0..world.events.len());
    let key = &mut world.events[number].key;
    if world.letters.refused.contains(key) || world.letters.truncated.contains(key) {
        return;
    }
    key.content = rng.u32(..).to_be_bytes();
    // Duo changes some events after their last reading.
    world.changed.insert(*key);
}

/// Appends a partial entry to a ledger blob, which misaligns later entries.
fn damage(world: &mut World) {
    let is_ledger = |(_, name): &&(Container, String)| name.strip_suffix(".ids").is_some();
    let Some(key) = world.blobs.keys().find(is_ledger).cloned() else {
        return;
    };
    if let Some((content, _)) = world.blobs.get_mut(&key) {
        content.extend([9; 5]);
    }
    world.reach("damaged ledger");
}

fn up_to(rng: &mut fastrand::Rng, longest: TimeDelta) -> TimeDelta {
    millis(rng.i64(0..longest.num_milliseconds()))
}

fn world(rng: &mut fastrand::Rng) -> World {
    let v1 = rng.u8(0..4) == 0;
    let page_size = rng.usize(1..40);
    let mut times = Vec::new();
    for _ in 0..rng.usize(0..120) {
        let time = NOON - up_to(rng, hours(5));
        // Some share a millisecond, some a second.
        for _ in 0..[1, 1, 1, 2, 5][rng.usize(0..5)] {
            times.push(time);
        }
        if rng.bool() {
            times.push(time.next());
        }
    }
    let whole_second = |time: Millis| Millis::from_seconds(time.seconds());
    let mut world = if v1 {
        // Each second must fit into a page; Duo never returns the rest.
        World::v1(times.into_iter().map(whole_second), 1000)
    } else {
        World::new(times)
    };
    if !v1 {
        world.page_size = page_size;
        world.newest_first = rng.u8(0..4) == 0;
        if world.newest_first {
            world.config.spec.paging = LogType::TrustMonitor.spec().paging;
        }
        world.last_has_cursor = rng.bool();
    }
    // Some events of one millisecond have one id.
    for number in 1..world.events.len() {
        let [before, event] = [world.events[number - 1], world.events[number]];
        if before.time == event.time && rng.u8(0..4) == 0 {
            let content = u32::try_from(number).unwrap().to_be_bytes();
            world.events[number].key = RecordKey { content, ..before.key };
        }
    }
    for event in &mut world.events {
        // In any order, and some late.
        event.visible_from = event.time
            + match rng.u8(0..20) {
                0 => minutes(2) + up_to(rng, LATEST - minutes(2)),
                1..4 => minutes(2) + up_to(rng, minutes(13)),
                _ => up_to(rng, minutes(2)),
            };
    }
    // Some events happen during collection.
    for number in 0..rng.u64(0..20) {
        let time = NOON + up_to(rng, hours(20));
        let time = if v1 { whole_second(time) } else { time };
        let visible_from = time + up_to(rng, minutes(2));
        world.events.push(DuoEvent { key: id(10_000 + number), time, visible_from });
    }
    // Some are refused or truncated.
    if rng.u8(0..3) == 0 {
        for event in &world.events {
            match rng.u8(0..10) {
                0 if world.letters.refused.len() < 10 => world.letters.refused.insert(event.key),
                1 => world.letters.truncated.insert(event.key),
                _ => false,
            };
        }
    }
    world.config.start = (NOON - hours(6), false);
    world.config.limits.first_window = [minutes(10), HOUR][rng.usize(0..2)];
    world.config.limits.longest_window = [HOUR, hours(24)][rng.usize(0..2)];
    world.config.max_batch_bytes = [60, 200, 100_000][rng.usize(0..3)];
    world.config.limits.requests_per_minute = [0, 10, 100][rng.usize(0..3)];
    world.miscount = [Some(0), Some(0), Some(1), None][rng.usize(0..4)];
    // Events more than a day late are found only by Duo's count.
    world.count_is_cached = rng.u8(0..4) == 0 && !world.events.iter().any(is_a_day_late);
    if !v1 {
        world.config.spec.limit = u32::try_from(world.page_size).ok();
    }
    world.latency = up_to(rng, seconds(5)) + millis(1);
    world
}

fn is_a_day_late(event: &DuoEvent) -> bool {
    event.visible_from > event.time + hours(23)
}

fn fault(rng: &mut fastrand::Rng) -> Fault {
    let page = [
        PageFault::CursorMissing,
        PageFault::RecordOmitted,
        PageFault::RecordRepeated,
        PageFault::Count(1),
        PageFault::Count(-1),
    ];
    let fetch = [
        FetchErrorKind::Throttled { retry_after: None },
        FetchErrorKind::Throttled { retry_after: Some(seconds(3)) },
        FetchErrorKind::TimedOut,
        FetchErrorKind::Unreachable,
        FetchErrorKind::Malformed,
        FetchErrorKind::TooLarge,
        FetchErrorKind::Credentials,
        FetchErrorKind::Forbidden,
        FetchErrorKind::Rejected,
        FetchErrorKind::Fatal,
    ];
    let send = [
        SendErrorKind::Throttled { retry_after: None },
        SendErrorKind::TimedOut,
        SendErrorKind::Unreachable,
        SendErrorKind::TooLarge,
        SendErrorKind::Credentials,
        SendErrorKind::NoToken { is_transient: true },
        SendErrorKind::Intercepted,
        SendErrorKind::Fatal,
    ];
    match rng.u8(0..7) {
        0 => Fault::KilledBefore,
        1 => Fault::KilledAfter,
        2 => Fault::Storage(rng.bool()),
        3 => Fault::LostResponse,
        4 => Fault::Fetch(fetch[rng.usize(0..fetch.len())]),
        5 => Fault::Page(page[rng.usize(0..page.len())]),
        _ => Fault::Send(send[rng.usize(0..send.len())], rng.bool()),
    }
}
