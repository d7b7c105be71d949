//! Random kills of the handler lose nothing and duplicate at most one batch each.

use std::path::Path;
use std::time::Duration;

use simulator::{LogType, Simulator};

use serde_json::Value;

use crate::common::app::{json, page};
use crate::common::{
    Azurite, Body, FunctionsHost, PAGE, Settings, accepted_rows, duo_sentinel, number,
    temporary_folder, tenant,
};

/// Default number of kills; `DUO_SENTINEL_KILLS` changes it.
const KILLS: u64 = 60;
/// Default seed for the moments of the kills; `DUO_SENTINEL_SEED` changes it.
const SEED: u64 = 20_261_123;
/// Maximum requests between two kills.
const REQUESTS: u64 = 16;
/// Requests per tenant after which no more kills happen, so that every kill interrupts a run.
const LAST_REQUEST: u64 = 180;

#[tokio::test(flavor = "multi_thread")]
async fn repeated_kills_lose_nothing() {
    let seed = number("DUO_SENTINEL_SEED").unwrap_or(SEED);
    let storage = Azurite::shared().connection_string();
    let (mut left, mut round) = (number("DUO_SENTINEL_KILLS").unwrap_or(KILLS), 0);
    while left > 0 {
        let rows = temporary_folder();
        let mut config = tenant(seed + round, 1_000);
        config.rows_dir = Some(rows.path().to_owned());
        config.duo_latency = Duration::from_millis(10);
        config.log_analytics_latency = Duration::from_millis(10);
        let simulator = Simulator::start(config).await.expect("free ports");
        let container = format!("kills-{round}");
        // One window for everything, so that each kill falls in the middle of it.
        let settings = Settings::in_storage(&simulator, &storage, &container)
            .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600");
        let kills = kill_and_finish(&simulator, &settings, left, seed + round).await;
        assert_counts_agree(&simulator, &settings, rows.path()).await;
        let report = simulator.report().await;
        let (delivered, duplicates) = (report.delivered(), report.duplicates());
        println!("{container}: {kills} kills, {delivered} events, lost 0, duplicates {duplicates}");
        (left, round) = (left - kills, round + 1);
    }
}

/// Collects a tenant with at most `most_kills` kills, and returns their number.
async fn kill_and_finish(
    simulator: &Simulator,
    settings: &Settings,
    max_kills: u64,
    seed: u64,
) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut host = FunctionsHost::start(settings).await;
    let mut kills = 0;
    while kills < max_kills && requests(simulator) < LAST_REQUEST {
        // After some requests and milliseconds, because state is written between requests.
        let after = requests(simulator) + random.u64(1..=REQUESTS);
        let pause = Duration::from_micros(random.u64(0..12_000));
        let run = tokio::spawn(host.begin(Body::Timer));
        while requests(simulator) < after {
            assert!(!run.is_finished(), "seed {seed}: the run ended before kill {kills}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(pause).await;
        assert!(host.ended().is_none(), "the handler ended by itself");
        host.kill().await;
        let result = run.await.expect("the request does not panic");
        assert!(result.is_err(), "seed {seed}: kill {kills} came after the run: {result:#?}");
        kills += 1;
        host.restart().await;
    }
    host.catch_up(10).await;
    host.stop().await;
    let report = simulator.report().await;
    assert!(report.is_complete(), "seed {seed}: {report:#?}");
    for log in LogType::ALL {
        let duplicates = report.logs[&log].duplicates;
        // One page that was accepted and not yet in the ledger when the process was killed.
        let bound = kills * PAGE;
        assert!(duplicates <= bound, "seed {seed}: {log}: {duplicates} after {kills} kills");
    }
    kills
}

/// Asserts that command line, page, JSON and health rows count each delivered event once, also
/// those of killed runs.
async fn assert_counts_agree(simulator: &Simulator, settings: &Settings, rows: &Path) {
    let host = FunctionsHost::start(settings).await;
    let (of_page, page) = (json(&host.address()).await, page(&host.address()).await.body);
    let printed = duo_sentinel(settings, rows, &["status", "--json"]).await.stdout;
    let of_command: Value = serde_json::from_slice(&printed).expect("JSON");
    let printed = duo_sentinel(settings, rows, &["status"]).await.stdout;
    let text = String::from_utf8(printed).expect("a table").replace(',', "");
    let health = accepted_rows(rows, "CiscoDuoHealth_CL");
    for (log, counts) in simulator.report().await.logs {
        let name = log.name();
        let delivered = counts.delivered;
        for status in [&of_page, &of_command] {
            let mut logs = status["logs"].as_array().expect("logs").iter();
            let status = logs.find(|status| status["log_type"] == name).expect("every log");
            assert_eq!(status["activity"]["events"], delivered, "{status:#}");
        }
        let row = text.lines().find(|line| line.starts_with(name)).expect("every log");
        assert!(row.split_whitespace().any(|cell| cell == delivered.to_string()), "{row}");
        let (_, section) = page.split_once(&format!("id=\"{name}\"")).expect("every log");
        let section = section.replace(',', "");
        let section = section.split("</section>").next().expect("a section");
        assert!(section.contains(&format!(": {delivered} in total")), "{name}: {delivered}");
        let rows = health.iter().filter(|row| row["eventtype"] == name);
        let reported: u64 = rows.filter_map(|row| row["events"].as_u64()).sum();
        assert_eq!(reported, delivered, "{name}: health rows");
    }
}

/// Requests received by the simulators.
fn requests(simulator: &Simulator) -> u64 {
    let requests = simulator.counts();
    let duo: u64 = requests.duo.values().map(|log| log.requests).sum();
    duo + requests.log_analytics.requests
}
