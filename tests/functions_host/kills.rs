//! Killed at any moment, the handler loses nothing and repeats little.

use std::time::Duration;

use simulator::{LogType, Simulator};

use crate::common::{Azurite, Body, FunctionsHost, PAGE, Settings, temporary_folder, tenant};

const KILLS: u64 = 8;
/// Calls of a handler's life, over which the moments of the kills are spread. Enough work is left after all of them.
const CALLS: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_nothing_is_lost_in_storage() {
    let simulator = slow_tenant(11).await;
    let storage = Azurite::shared().connection_string();
    // One window for everything, so that each kill falls into the middle of it.
    let settings = Settings::in_storage(&simulator, &storage, "kills")
        .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600");
    kill_and_finish(&simulator, &settings, 20_261_123).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_nothing_is_lost_in_a_folder() {
    let simulator = slow_tenant(12).await;
    let folder = temporary_folder();
    let settings = Settings::in_folder(&simulator, folder.path());
    kill_and_finish(&simulator, &settings, 7).await;
}

async fn slow_tenant(seed: u64) -> Simulator {
    let mut config = tenant(seed, 1_000);
    config.duo_latency = Duration::from_millis(10);
    config.log_analytics_latency = Duration::from_millis(10);
    Simulator::start(config).await.expect("free ports")
}

async fn kill_and_finish(simulator: &Simulator, settings: &Settings, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut host = FunctionsHost::start(settings).await;
    for kill in 0..KILLS {
        // One moment in each eighth of the span, and a few milliseconds more: between two calls the ledger and the
        // checkpoint are written.
        let after = kill * CALLS / KILLS + random.u64(1..=CALLS / KILLS);
        let pause = Duration::from_micros(random.u64(0..12_000));
        let before = calls(simulator);
        let run = tokio::spawn(host.begin(Body::Timer));
        while calls(simulator) < before + after {
            assert!(!run.is_finished(), "the run ended before kill {kill}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(pause).await;
        assert!(host.ended().is_none(), "the handler ended by itself");
        host.kill().await;
        let broken_off = run.await.expect("asking does not panic");
        assert!(
            broken_off.is_err(),
            "kill {kill} was no kill: {broken_off:#?}"
        );
        host.restart().await;
    }
    host.catch_up(10).await;
    let report = simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    for log in LogType::ALL {
        let repeated = report.logs[&log].duplicates;
        // A page that was accepted and not yet recorded when the process was killed.
        assert!(repeated <= KILLS * PAGE, "{log}: {repeated} repeated");
    }
    host.stop().await;
}

/// Calls that the simulators saw.
fn calls(simulator: &Simulator) -> u64 {
    let calls = simulator.calls();
    let duo: u64 = calls.duo.values().map(|log| log.requests).sum();
    duo + calls.log_analytics.requests
}
