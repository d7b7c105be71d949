//! Killed at any moment, again and again, the handler loses nothing and repeats little.

use std::time::Duration;

use simulator::{LogType, Simulator};

use crate::common::{Azurite, Body, FunctionsHost, PAGE, Settings, number, tenant};

/// Kills where nothing else is said; `DUO_SENTINEL_KILLS` asks for more.
const KILLS: u64 = 60;
/// Draws the moments of the kills where `DUO_SENTINEL_SEED` says nothing else.
const SEED: u64 = 20_261_123;
/// Most calls between two kills.
const CALLS: u64 = 16;
/// Calls of a handler's life before it is left in peace, so that each tenant has work for every kill.
const LAST_CALL: u64 = 180;

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_nothing_is_lost_in_storage() {
    let seed = number("DUO_SENTINEL_SEED").unwrap_or(SEED);
    let storage = Azurite::shared().connection_string();
    let (mut left, mut round) = (number("DUO_SENTINEL_KILLS").unwrap_or(KILLS), 0);
    while left > 0 {
        let mut config = tenant(seed + round, 1_000);
        config.duo_latency = Duration::from_millis(10);
        config.log_analytics_latency = Duration::from_millis(10);
        let simulator = Simulator::start(config).await.expect("free ports");
        let container = format!("kills-{round}");
        // One window for everything, so that each kill falls into the middle of it.
        let settings = Settings::in_storage(&simulator, &storage, &container)
            .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600");
        let kills = kill_and_finish(&simulator, &settings, left, seed + round).await;
        let report = simulator.report().await;
        let (delivered, repeated) = (report.delivered(), report.duplicates());
        println!("{container}: {kills} kills, lost 0 of {delivered} events, repeated {repeated}");
        (left, round) = (left - kills, round + 1);
    }
}

/// Collects a tenant with at most so many kills on the way; how many there were.
async fn kill_and_finish(
    simulator: &Simulator,
    settings: &Settings,
    most_kills: u64,
    seed: u64,
) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut host = FunctionsHost::start(settings).await;
    let mut kills = 0;
    while kills < most_kills && calls(simulator) < LAST_CALL {
        // A few calls on, and a few milliseconds more: between two calls the ledger and the checkpoint are written.
        let after = calls(simulator) + random.u64(1..=CALLS);
        let pause = Duration::from_micros(random.u64(0..12_000));
        let run = tokio::spawn(host.begin(Body::Timer));
        while calls(simulator) < after {
            assert!(!run.is_finished(), "seed {seed}: no work at kill {kills}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(pause).await;
        assert!(host.ended().is_none(), "the handler ended by itself");
        host.kill().await;
        let broken_off = run.await.expect("asking does not panic");
        assert!(broken_off.is_err(), "seed {seed}: kill {kills} was no kill: {broken_off:#?}");
        kills += 1;
        host.restart().await;
    }
    host.catch_up(10).await;
    host.stop().await;
    let report = simulator.report().await;
    assert!(report.is_complete(), "seed {seed}: {report:#?}");
    for log in LogType::ALL {
        let repeated = report.logs[&log].duplicates;
        // A page that was accepted and not yet recorded when the process was killed.
        let bound = kills * PAGE;
        assert!(repeated <= bound, "seed {seed}: {log}: {repeated} repeated after {kills} kills");
    }
    kills
}

/// Calls that the simulators saw.
fn calls(simulator: &Simulator) -> u64 {
    let calls = simulator.calls();
    let duo: u64 = calls.duo.values().map(|log| log.requests).sum();
    duo + calls.log_analytics.requests
}
