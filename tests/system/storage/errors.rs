//! Storage that fails during a run: what is reported, and what is delivered after it recovers.

use std::time::Duration;

use serde_json::Value;
use simulator::{LogType, Simulator};

use crate::common::{
    ACCOUNT_KEY, Failure, FunctionsHost, PAGE, Proxied, StorageFault, duo_sentinel, events_in,
    temporary_folder,
};

/// Events per log.
const EVENTS: u64 = 120;
/// Requests to storage before the failure: by then every log has a lease and delivered some events.
const PASS_FIRST: u64 = 60;
/// Pause of a log that backs off once, with some margin.
const BACK_OFF: Duration = Duration::from_millis(1_300);
/// Maximum runs to catch up.
const MAX_RUNS: u32 = 6;

/// The result of a run.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    report: Value,
    stderr: String,
}

/// The tenant of these tests.
struct Scene(Proxied);

impl std::ops::Deref for Scene {
    type Target = Proxied;

    fn deref(&self) -> &Proxied {
        &self.0
    }
}

impl Scene {
    async fn new(seed: u64, name: &str) -> Self {
        let mut scene = Proxied::new(seed, EVENTS, name).await;
        scene.settings = scene.settings.with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "150");
        Self(scene)
    }

    /// Runs one process that collects once.
    async fn run(&self) -> Run {
        let folder = temporary_folder();
        let output = duo_sentinel(&self.settings, folder.path(), &["run", "--json"]).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let config = self.simulator.config();
        for secret in ["sig=", ACCOUNT_KEY, &config.secret_key, &config.shared_key] {
            assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stdout}{stderr}");
        }
        Run {
            code: output.status.code(),
            report: serde_json::from_str(&stdout)
                .unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")),
            stderr,
        }
    }

    /// Catches up, asserts that one more run delivers nothing, and returns the duplicates.
    async fn run_until_caught_up(&self) -> u64 {
        for number in 1.. {
            tokio::time::sleep(BACK_OFF).await;
            let run = self.run().await;
            if run.outcomes() == ["caught_up"; 6] {
                assert_eq!(run.code, Some(0), "{run:#?}");
                break;
            }
            assert!(number < MAX_RUNS, "not caught up: {run:#?}");
        }
        let report = self.simulator.report().await;
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(report.delivered(), EVENTS * 6, "{report:#?}");
        let accepted = self.simulator.counts().log_analytics.accepted;
        let once_more = self.run().await;
        assert_eq!(once_more.code, Some(0), "{once_more:#?}");
        assert_eq!(self.simulator.counts().log_analytics.accepted, accepted, "rows are sent again");
        report.duplicates()
    }
}

impl Run {
    fn outcomes(&self) -> Vec<&str> {
        let logs = self.report["logs"].as_array().unwrap();
        logs.iter().map(|log| log["outcome"].as_str().unwrap()).collect()
    }

    /// Asserts that each log that has not caught up reports the error, and the program the hint.
    fn assert_reported(&self, errors: &[&str], hint: &str) {
        assert_eq!(self.code, Some(1), "{self:#?}");
        for log in self.report["logs"].as_array().unwrap() {
            let message = log["message"].as_str().unwrap_or_default();
            let is_reported =
                errors.iter().any(|error| message.contains(error)) && self.stderr.contains(message);
            assert!(is_reported || log["outcome"] == "caught_up", "{self:#?}");
        }
        assert!(self.stderr.contains(hint), "no \"{hint}\" in {}", self.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_storage_is_reported_and_duplicates_at_most_one_page() {
    let scene = Scene::new(81, "read-only").await;
    let refused = Failure::Storage(403, "AuthorizationPermissionMismatch");
    scene.proxy.begin(StorageFault::every(refused).of("PUT", "").after(PASS_FIRST));
    let errors = ["HTTP 403 AuthorizationPermissionMismatch"];
    let run = scene.run().await;
    run.assert_reported(&errors, "Storage Blob Data Owner");
    assert!(scene.proxy.failed_count() > 0);
    let delivered = scene.simulator.report().await.delivered();
    assert!(delivered > 0, "nothing was delivered before");
    // During the failure nothing is sent, because rows that cannot be recorded would be duplicated.
    let accepted = events_in(&scene.simulator.counts().log_analytics.rows);
    let run = scene.run().await;
    run.assert_reported(&errors, "Storage Blob Data Owner");
    let rows = scene.simulator.counts().log_analytics.rows;
    assert_eq!(events_in(&rows), accepted);
    scene.proxy.end();
    scene.run_until_caught_up().await;
    assert_at_most_one_page_each(&scene.simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_storage_duplicates_at_most_one_page_however_often_the_timer_fires() {
    let scene = Scene::new(87, "read-only-host").await;
    let mut host = FunctionsHost::start(&scene.settings).await;
    let refused = Failure::Storage(403, "AuthorizationPermissionMismatch");
    scene.proxy.begin(StorageFault::every(refused).of("PUT", "").after(PASS_FIRST));
    for _ in 0..3 {
        host.fire().await.assert_failed();
    }
    scene.proxy.end();
    host.finish(&scene.simulator, 6 * PAGE).await;
    assert_at_most_one_page_each(&scene.simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporarily_busy_storage_is_retried_without_an_error() {
    let scene = Scene::new(82, "busy-for-a-moment").await;
    let busy = Failure::Storage(503, "ServerBusy");
    scene.proxy.begin(StorageFault::every(busy).after(PASS_FIRST).times(4));
    let run = scene.run().await;
    assert_eq!(run.outcomes(), ["caught_up"; 6], "{run:#?}");
    assert_eq!((run.code, scene.proxy.failed_count()), (Some(0), 4));
    assert_eq!(scene.run_until_caught_up().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_storage_is_reported_and_duplicates_at_most_one_page() {
    let scene = Scene::new(83, "throttled").await;
    scene.proxy.begin(StorageFault::every(Failure::Storage(503, "ServerBusy")).after(PASS_FIRST));
    let run = scene.run().await;
    run.assert_reported(&["HTTP 503 ServerBusy"], "check the account's metrics for throttling");
    assert!(scene.simulator.report().await.delivered() > 0, "nothing was delivered before");
    // The same if storage fails from the first request.
    let run = scene.run().await;
    assert_eq!(run.outcomes(), ["failed"; 6]);
    run.assert_reported(&["HTTP 503 ServerBusy"], "check the account's metrics for throttling");
    scene.proxy.end();
    scene.run_until_caught_up().await;
    assert_at_most_one_page_each(&scene.simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_storage_only_takes_more_runs() {
    let mut scene = Scene::new(84, "slow").await;
    scene.0.settings = scene.settings.clone().with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "3");
    scene.proxy.begin(StorageFault::every(Failure::Slow(Duration::from_millis(300))));
    let mut delivered = 0;
    for number in 1.. {
        let run = scene.run().await;
        assert_eq!(run.code, Some(0), "{run:#?}");
        let elapsed = run.report["elapsed_ms"].as_u64().unwrap();
        assert!(elapsed < 10_000, "the run lasted {elapsed} ms");
        if run.outcomes() == ["caught_up"; 6] {
            assert!(number > 1, "storage was not slow");
            break;
        }
        let before = std::mem::replace(&mut delivered, scene.simulator.report().await.delivered());
        assert!(delivered > before, "run {number} delivered nothing");
        assert!(number < 20, "{run:#?}");
    }
    scene.proxy.end();
    assert_eq!(scene.run_until_caught_up().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_container_is_deleted_during_a_run_collection_restarts_at_the_lookback() {
    // The request that waits until the container is deleted.
    let counts = [
        ("deleted-before-a-checkpoint", "PUT", "checkpoint.json", 20),
        ("deleted-before-ids", "PUT", ".ids", 8),
        ("deleted-before-a-read", "GET", ".ids", 8),
    ];
    for (name, method, path, after) in counts {
        let scene = Scene::new(85, name).await;
        let slow = Failure::Slow(Duration::from_secs(1));
        scene.proxy.begin(StorageFault::every(slow).of(method, path).after(after));
        let (run, ()) = tokio::join!(scene.run(), async {
            while scene.proxy.failed_count() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            scene.container.delete().await;
            scene.proxy.end();
        });
        let errors = ["HTTP 404 ContainerNotFound", "it was deleted after the last write"];
        run.assert_reported(&errors, "CISCO_DUO_LOOKBACK_HOURS");
        let delivered = scene.simulator.report().await.delivered();
        // The ledger is read before the first batch is sent, so that nothing may be delivered.
        assert!(delivered > 0 || method == "GET", "nothing was delivered");
        // State is lost: events are delivered at most twice, and none of the lookback is missing.
        let duplicates = scene.run_until_caught_up().await;
        assert!(duplicates <= delivered, "{duplicates} of {delivered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_being_deleted_is_reported_and_retried() {
    let scene = Scene::new(86, "being-deleted").await;
    // Azure does not create a container of this name for 30 seconds or longer.
    let deleted = Failure::Storage(409, "ContainerBeingDeleted");
    scene.proxy.begin(StorageFault::every(deleted).of("PUT", ""));
    let run = scene.run().await;
    assert_eq!(run.outcomes(), ["failed"; 6]);
    run.assert_reported(&["HTTP 409 ContainerBeingDeleted"], "the container is being deleted");
    scene.proxy.end();
    assert_eq!(scene.run_until_caught_up().await, 0);
}

/// Asserts that no log has more duplicates than one page.
async fn assert_at_most_one_page_each(simulator: &Simulator) {
    let report = simulator.report().await;
    for log in LogType::ALL {
        let duplicates = report.logs[&log].duplicates;
        assert!(duplicates <= PAGE, "{log}: {duplicates} duplicates");
    }
}
