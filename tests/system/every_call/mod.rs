//! Every real call goes wrong once: to Duo, to Azure Monitor and to Blob Storage, in every way. The program is the real
//! one, the storage Azurite, and each run a process of its own.
//!
//! `DUO_SENTINEL_EVERY_CALL=all` tries every call with every fault, hanging ones too; a number tries so many of them.

mod play;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::play::{Schedule, Side, play};
use crate::common::{Azurite, Spoil, text};

/// Schedules where nothing else is said.
const SCHEDULES: usize = 75;
/// Played against one emulator of Blob Storage.
const PLAYS_OF_AN_EMULATOR: usize = 300;
/// Played side by side: most of their time is waiting.
const SIDE_BY_SIDE: usize = 6;
/// Those in which a call hangs do little else but wait.
const WAITING_SIDE_BY_SIDE: usize = 30;

const SPOILS: [Spoil; 7] = [
    Spoil::Closed,
    Spoil::Cut,
    Spoil::Status(429),
    Spoil::Status(500),
    Spoil::Status(503),
    Spoil::Status(403),
    Spoil::ResponseLost,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_call_goes_wrong_once() {
    let azurite = Arc::new(Azurite::of_its_own());
    let undisturbed = play(&azurite, None).await.expect("nothing goes wrong");
    assert_eq!(undisturbed.repeated, 0);
    let calls = Side::ALL.map(|side| undisturbed.calls[side.index()]);
    let [duo, sink, blob] = calls;
    println!("undisturbed: {duo} calls to Duo, {sink} to Azure Monitor, {blob} to Blob Storage");
    assert!(duo > 30 && sink > 20 && blob > 100, "too little to go wrong");
    let wanted = match text("DUO_SENTINEL_EVERY_CALL").as_deref() {
        None => Some(SCHEDULES),
        Some("all") => None,
        Some(number) => Some(number.parse().expect("a number, or all")),
    };
    let schedules = schedules(calls, wanted);
    let count = schedules.len();

    let room = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let waiting_room = Arc::new(Semaphore::new(WAITING_SIDE_BY_SIDE));
    let (mut struck, mut repeated, mut faults) = (0, 0, Vec::new());
    for batch in schedules.chunks(PLAYS_OF_AN_EMULATOR) {
        let azurite = Arc::new(Azurite::of_its_own());
        let mut plays = JoinSet::new();
        for &schedule in batch {
            let azurite = Arc::clone(&azurite);
            let room =
                Arc::clone(if schedule.spoil == Spoil::Hang { &waiting_room } else { &room });
            plays.spawn(async move {
                let _place = room.acquire_owned().await.expect("it is never closed");
                play(&azurite, Some(schedule)).await
            });
        }
        while let Some(played) = plays.join_next().await {
            match played.expect("a play tells what is wrong, and does not panic") {
                Ok(played) => {
                    struck += usize::from(played.is_struck);
                    repeated += played.repeated;
                }
                Err(fault) => faults.push(fault),
            }
        }
        println!("{struck} struck so far, {} faults", faults.len());
    }
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
    println!(
        "{count} schedules, in {struck} of them the call went wrong: lost 0, repeated {repeated} rows"
    );
    // How many calls a catch-up takes varies by a few, as six logs share one process.
    assert!(struck * 10 >= count * 9, "{struck} of {count} struck");
}

/// Every call with every fault, or so many of them, spread evenly over calls and faults.
fn schedules(calls: [u64; 3], wanted: Option<usize>) -> Vec<Schedule> {
    let places = Side::ALL
        .into_iter()
        .zip(calls)
        .flat_map(|(side, count)| (1..=count).map(move |call| (side, call)));
    let hang = wanted.is_none().then_some(Spoil::Hang);
    let all: Vec<Schedule> = places
        .flat_map(|(side, call)| {
            let spoils = SPOILS.into_iter().chain(hang);
            spoils.map(move |spoil| Schedule { side, call, spoil })
        })
        .collect();
    let mut stride = wanted.map_or(1, |wanted| all.len().div_ceil(wanted.max(1)));
    if stride > 1 && stride.is_multiple_of(SPOILS.len()) {
        // It would meet the same fault at every call.
        stride += 1;
    }
    all.into_iter().step_by(stride).collect()
}
