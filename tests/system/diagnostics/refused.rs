//! Rows about the connector itself that Azure Monitor does not take for a while: no log suffers, and nothing of the hours is
//! lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use simulator::{Fault, FaultKind, IngestionApi, Target};

use crate::common::{FunctionsHost, Gate, Spoil, StorageFault, assert_nothing_lost};
use crate::diagnostics::health_rows::{BOTH_APIS, EVENTS, Scene, events};

/// When each closed hour of each log was checked last, as it is stored.
async fn results(scene: &Scene) -> BTreeMap<(String, String), String> {
    let results = scene.container.results().await.into_iter();
    let checked = results.map(|((log, hour), result)| {
        let checked_at = result["checked_at"].as_str().unwrap().to_owned();
        ((log, format!("{hour}:00:00.000Z")), checked_at)
    });
    checked.collect()
}

fn complaints(host: &FunctionsHost) -> Vec<String> {
    let all = host.stdout().into_iter().chain(host.stderr());
    all.filter(|line| line.contains("event=health_refused")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_refused_are_sent_until_they_are_accepted_also_by_the_next_process() {
    for api in BOTH_APIS {
        let scene = Scene::new(api, 64, "refused").await;
        let target = match api {
            IngestionApi::DataCollector => Target::LogAnalytics,
            IngestionApi::LogsIngestion => Target::LogsIngestion,
        };
        // Every row about the connector has this field, and no event has.
        let needle = "\"record_type".to_owned();
        let refused = Fault::always(target, FaultKind::InvalidRecord { needle });
        scene.simulator.faults().push(refused);
        let mut host = FunctionsHost::start(&scene.settings).await;
        host.catch_up(5).await;
        for _ in 0..2 {
            assert!(host.fire().await.is_caught_up());
        }
        let told = complaints(&host);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains(" WARN ") && told[0].contains("HTTP 400"), "{told:#?}");
        let others = host.stderr().len() - told.len();
        assert_eq!(others, 0, "{:#?}", host.stderr());
        assert_nothing_lost(&scene.simulator, 0).await;
        let found = results(&scene).await;
        assert!(found.len() >= 3 * 4, "{found:#?}");
        assert!(scene.reported("hour").await.is_empty() && scene.reported("run").await.is_empty());

        // A process that ends takes no hour with it.
        host.kill().await;
        host.restart().await;
        assert!(host.fire().await.is_caught_up());
        assert_eq!(complaints(&host).len(), 2, "one of each process");
        scene.simulator.faults().clear();
        host.kill().await;
        host.restart().await;
        for _ in 0..3 {
            assert!(host.fire().await.is_caught_up());
        }
        let rows = scene.reported("hour").await;
        let of = |row: &serde_json::Map<String, serde_json::Value>, field: &str| {
            row[field].as_str().unwrap().to_owned()
        };
        let told: BTreeMap<(String, String), String> = rows
            .iter()
            .map(|row| ((of(row, "eventtype"), of(row, "hour")), of(row, "checked_at")))
            .collect();
        assert_eq!(told, results(&scene).await, "{api:?}");
        assert_eq!(told.len(), rows.len(), "told twice");
        assert_eq!(events(&scene.reported("run").await), EVENTS * 6);

        // What was accepted is not told again by the process after that.
        host.kill().await;
        host.restart().await;
        assert!(host.fire().await.is_caught_up());
        let again = scene.reported("hour").await.len() - rows.len();
        // One hour of each log may have become due.
        assert!(again <= 3, "{again} hours were told again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_hangs_or_is_forbidden_fails_no_run_and_keeps_no_log_waiting() {
    let scene = Scene::new(IngestionApi::LogsIngestion, 65, "refused-table").await;
    let gate = Gate::to(&scene.simulator.logs_ingestion_url()).await;
    let endpoint = gate.instead_of(&scene.simulator.logs_ingestion_url());
    let settings = scene.settings.clone().with("LOGS_INGESTION_ENDPOINT", endpoint);
    gate.begin(StorageFault::every(Spoil::Hang).of("POST", "CiscoDuoHealth"));
    let host = FunctionsHost::start(&settings).await;
    let began = Instant::now();
    let fired = tokio::spawn(host.begin(crate::common::Body::Timer));
    // The events do not wait for it.
    while scene.simulator.report().await.delivered() < EVENTS * 6 {
        assert!(began.elapsed() < Duration::from_secs(9), "the logs wait");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let invocation = fired.await.unwrap().unwrap();
    assert!(invocation.is_caught_up(), "{:#}", invocation.answer);
    // 10 s for the rows, and 20 s for the check, which asks the same table.
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    assert!(gate.struck() >= 2);
    gate.begin(StorageFault::every(Spoil::Status(403)).of("POST", "CiscoDuoHealth"));
    for _ in 0..2 {
        assert!(host.fire().await.is_caught_up());
    }
    assert_eq!(complaints(&host).len(), 1);
    gate.end();
    assert!(host.fire().await.is_caught_up());
    assert_eq!(events(&scene.reported("run").await), EVENTS * 6);
    assert_nothing_lost(&scene.simulator, 0).await;
}
