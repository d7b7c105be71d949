//! Health rows that Azure Monitor temporarily refuses: no log is affected, and no result is lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use simulator::{Fault, FaultKind, IngestionApi, Target};

use crate::common::{Failure, FunctionsHost, Proxy, StorageFault, assert_nothing_lost};
use crate::diagnostics::health_rows::{BOTH_APIS, EVENTS, Scene, events};

/// The time of the last reconciliation of each closed hour, from the ledger.
async fn results(scene: &Scene) -> BTreeMap<(String, String), String> {
    let results = scene.container.results().await.into_iter();
    let checked = results.map(|((log, hour), result)| {
        let reconciled_at = result["reconciled_at"].as_str().unwrap().to_owned();
        ((log, format!("{hour}:00:00.000Z")), reconciled_at)
    });
    checked.collect()
}

fn refusals(host: &FunctionsHost) -> Vec<String> {
    let all = host.stdout().into_iter().chain(host.stderr());
    all.filter(|line| line.contains("event=health_refused")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_retried_until_accepted_also_by_the_next_process() {
    for api in BOTH_APIS {
        let scene = Scene::new(api, 64, "refused").await;
        let target = match api {
            IngestionApi::DataCollector => Target::LogAnalytics,
            IngestionApi::LogsIngestion => Target::LogsIngestion,
        };
        // Every health row has this field, and no event has.
        let needle = "\"record_type".to_owned();
        let refused = Fault::always(target, FaultKind::InvalidRecord { needle });
        scene.simulator.faults().push(refused);
        let mut host = FunctionsHost::start(&scene.settings).await;
        host.catch_up(5).await;
        for _ in 0..2 {
            assert!(host.fire().await.is_caught_up());
        }
        let logged = refusals(&host);
        assert_eq!(logged.len(), 1, "{logged:#?}");
        assert!(logged[0].contains(" WARN ") && logged[0].contains("HTTP 400"), "{logged:#?}");
        let others = host.stderr().len() - logged.len();
        assert_eq!(others, 0, "{:#?}", host.stderr());
        assert_nothing_lost(&scene.simulator, 0).await;
        let found = results(&scene).await;
        assert!(found.len() >= 3 * 4, "{found:#?}");
        assert!(scene.reported("hour").await.is_empty() && scene.reported("run").await.is_empty());

        // The end of a process loses no hour.
        host.kill().await;
        host.restart().await;
        assert!(host.fire().await.is_caught_up());
        assert_eq!(refusals(&host).len(), 2, "one per process");
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
        let sent: BTreeMap<(String, String), String> = rows
            .iter()
            .map(|row| ((of(row, "eventtype"), of(row, "hour")), of(row, "reconciled_at")))
            .collect();
        assert_eq!(sent, results(&scene).await, "{api:?}");
        assert_eq!(sent.len(), rows.len(), "an hour was sent twice");
        assert_eq!(events(&scene.reported("run").await), EVENTS * 6);

        // Accepted rows are not sent again by the next process.
        host.kill().await;
        host.restart().await;
        assert!(host.fire().await.is_caught_up());
        let again = scene.reported("hour").await.len() - rows.len();
        // One hour per log may have become due.
        assert!(again <= 3, "{again} hours were sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_or_forbidden_health_table_fails_no_run_and_delays_no_log() {
    let scene = Scene::new(IngestionApi::LogsIngestion, 65, "refused-table").await;
    let proxy = Proxy::to(&scene.simulator.logs_ingestion_url()).await;
    let endpoint = proxy.instead_of(&scene.simulator.logs_ingestion_url());
    let settings = scene.settings.clone().with("LOGS_INGESTION_ENDPOINT", endpoint);
    proxy.begin(StorageFault::every(Failure::Hang).of("POST", "CiscoDuoHealth"));
    let host = FunctionsHost::start(&settings).await;
    let began = Instant::now();
    let fired = tokio::spawn(host.begin(crate::common::Body::Timer));
    // The events are not delayed.
    while scene.simulator.report().await.delivered() < EVENTS * 6 {
        assert!(began.elapsed() < Duration::from_secs(9), "the logs are delayed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let invocation = fired.await.unwrap().unwrap();
    assert!(invocation.is_caught_up(), "{:#}", invocation.response);
    // 10 s for the rows, and 20 s for the check, which sends requests to the same table.
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    assert!(proxy.failed_count() >= 2);
    proxy.begin(StorageFault::every(Failure::Status(403)).of("POST", "CiscoDuoHealth"));
    for _ in 0..2 {
        assert!(host.fire().await.is_caught_up());
    }
    assert_eq!(refusals(&host).len(), 1);
    proxy.end();
    assert!(host.fire().await.is_caught_up());
    assert_eq!(events(&scene.reported("run").await), EVENTS * 6);
    assert_nothing_lost(&scene.simulator, 0).await;
}
