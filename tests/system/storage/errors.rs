//! Storage that turns bad in the middle of a run: what a user is told, and what is delivered once it is well again.

use std::time::Duration;

use serde_json::Value;
use simulator::{LogType, Simulator};

use crate::common::{
    ACCOUNT_KEY, FunctionsHost, Gated, PAGE, Spoil, StorageFault, duo_sentinel, events_in,
    temporary_folder,
};

/// Events of each log.
const EVENTS: u64 = 120;
/// Calls to storage that go well before the trouble begins: every log has a claim by then, and has delivered something.
const CALLS_BEFORE: u64 = 60;
/// Pause of a log that backs off once, and a little more.
const PARKED: Duration = Duration::from_millis(1_300);
/// Runs in which everything must be over.
const MOST_RUNS: u32 = 6;

/// What a run said.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    report: Value,
    stderr: String,
}

/// The tenant of these tests.
struct Scene(Gated);

impl std::ops::Deref for Scene {
    type Target = Gated;

    fn deref(&self) -> &Gated {
        &self.0
    }
}

impl Scene {
    async fn new(seed: u64, name: &str) -> Self {
        let mut scene = Gated::new(seed, EVENTS, name).await;
        scene.settings = scene.settings.with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "150");
        Self(scene)
    }

    /// One process that collects once.
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
                .unwrap_or_else(|fault| panic!("{fault}: {stdout}{stderr}")),
            stderr,
        }
    }

    /// Runs until every log is caught up, and once more, in which nothing is delivered. How many rows were repeated.
    async fn run_until_nothing_is_left(&self) -> u64 {
        for run in 1.. {
            tokio::time::sleep(PARKED).await;
            let told = self.run().await;
            if told.outcomes() == ["caught_up"; 6] {
                assert_eq!(told.code, Some(0), "{told:#?}");
                break;
            }
            assert!(run < MOST_RUNS, "not caught up: {told:#?}");
        }
        let report = self.simulator.report().await;
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(report.delivered(), EVENTS * 6, "{report:#?}");
        let accepted = self.simulator.calls().log_analytics.accepted;
        let once_more = self.run().await;
        assert_eq!(once_more.code, Some(0), "{once_more:#?}");
        assert_eq!(self.simulator.calls().log_analytics.accepted, accepted, "repeated for ever");
        report.duplicates()
    }
}

impl Run {
    fn outcomes(&self) -> Vec<&str> {
        let logs = self.report["logs"].as_array().unwrap();
        logs.iter().map(|log| log["outcome"].as_str().unwrap()).collect()
    }

    /// Asserts that each log that is not caught up says what is wrong, and that the program says what to do.
    fn assert_told(&self, wrong: &[&str], advice: &str) {
        assert_eq!(self.code, Some(1), "{self:#?}");
        for log in self.report["logs"].as_array().unwrap() {
            let message = log["message"].as_str().unwrap_or_default();
            let is_told =
                wrong.iter().any(|wrong| message.contains(wrong)) && self.stderr.contains(message);
            assert!(is_told || log["outcome"] == "caught_up", "{self:#?}");
        }
        assert!(self.stderr.contains(advice), "no \"{advice}\" in {}", self.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_can_only_be_read_any_more_is_told_of_and_repeats_at_most_a_page() {
    let scene = Scene::new(81, "read-only").await;
    let refused = Spoil::Storage(403, "AuthorizationPermissionMismatch");
    scene.gate.begin(StorageFault::every(refused).of("PUT", "").after(CALLS_BEFORE));
    let wrong = ["HTTP 403 AuthorizationPermissionMismatch"];
    let told = scene.run().await;
    told.assert_told(&wrong, "Storage Blob Data Owner");
    assert!(scene.gate.struck() > 0);
    let delivered = scene.simulator.report().await.delivered();
    assert!(delivered > 0, "nothing was delivered before");
    // As long as it lasts nothing is sent: what cannot be recorded would be sent again.
    let accepted = events_in(&scene.simulator.calls().log_analytics.rows);
    let told = scene.run().await;
    told.assert_told(&wrong, "Storage Blob Data Owner");
    let rows = scene.simulator.calls().log_analytics.rows;
    assert_eq!(events_in(&rows), accepted);
    scene.gate.end();
    scene.run_until_nothing_is_left().await;
    assert_a_page_each(&scene.simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_host_it_repeats_no_more_however_often_the_timer_fires() {
    let scene = Scene::new(87, "read-only-host").await;
    let mut host = FunctionsHost::start(&scene.settings).await;
    let refused = Spoil::Storage(403, "AuthorizationPermissionMismatch");
    scene.gate.begin(StorageFault::every(refused).of("PUT", "").after(CALLS_BEFORE));
    for _ in 0..3 {
        host.fire().await.assert_failed();
    }
    scene.gate.end();
    host.finish(&scene.simulator, 6 * PAGE).await;
    assert_a_page_each(&scene.simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_is_busy_for_a_moment_is_asked_again_and_nobody_notices() {
    let scene = Scene::new(82, "busy-for-a-moment").await;
    let busy = Spoil::Storage(503, "ServerBusy");
    scene.gate.begin(StorageFault::every(busy).after(CALLS_BEFORE).times(4));
    let told = scene.run().await;
    assert_eq!(told.outcomes(), ["caught_up"; 6], "{told:#?}");
    assert_eq!((told.code, scene.gate.struck()), (Some(0), 4));
    assert_eq!(scene.run_until_nothing_is_left().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_stays_busy_is_told_of_and_repeats_at_most_a_page() {
    let scene = Scene::new(83, "throttled").await;
    scene.gate.begin(StorageFault::every(Spoil::Storage(503, "ServerBusy")).after(CALLS_BEFORE));
    let told = scene.run().await;
    told.assert_told(&["HTTP 503 ServerBusy"], "the storage account is busy or out of order");
    assert!(scene.simulator.report().await.delivered() > 0, "nothing was delivered before");
    // And from its first call on.
    let told = scene.run().await;
    assert_eq!(told.outcomes(), ["failed"; 6]);
    told.assert_told(&["HTTP 503 ServerBusy"], "the storage account is busy or out of order");
    scene.gate.end();
    scene.run_until_nothing_is_left().await;
    assert_a_page_each(&scene.simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_storage_takes_more_runs_and_nothing_else() {
    let mut scene = Scene::new(84, "slow").await;
    scene.0.settings = scene.settings.clone().with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "3");
    scene.gate.begin(StorageFault::every(Spoil::Slow(Duration::from_millis(300))));
    let mut delivered = 0;
    for run in 1.. {
        let told = scene.run().await;
        assert_eq!(told.code, Some(0), "{told:#?}");
        let elapsed = told.report["elapsed_ms"].as_u64().unwrap();
        assert!(elapsed < 10_000, "the run lasted {elapsed} ms");
        if told.outcomes() == ["caught_up"; 6] {
            assert!(run > 1, "it was not slow");
            break;
        }
        let before = std::mem::replace(&mut delivered, scene.simulator.report().await.delivered());
        assert!(delivered > before, "run {run} brought nothing");
        assert!(run < 20, "{told:#?}");
    }
    scene.gate.end();
    assert_eq!(scene.run_until_nothing_is_left().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_deleted_in_the_middle_of_a_run_begins_anew_at_the_lookback() {
    // Which call waits until the container is gone.
    let calls = [
        ("deleted-before-a-checkpoint", "PUT", "checkpoint.json", 20),
        ("deleted-before-ids", "PUT", ".ids", 8),
        ("deleted-before-a-look", "GET", ".ids", 8),
    ];
    for (name, method, path, after) in calls {
        let scene = Scene::new(85, name).await;
        let slow = Spoil::Slow(Duration::from_secs(1));
        scene.gate.begin(StorageFault::every(slow).of(method, path).after(after));
        let (told, ()) = tokio::join!(scene.run(), async {
            while scene.gate.struck() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            scene.container.delete().await;
            scene.gate.end();
        });
        let wrong = ["HTTP 404 ContainerNotFound", "it is gone since it was last written"];
        told.assert_told(&wrong, "CISCO_DUO_LOOKBACK_HOURS");
        let delivered = scene.simulator.report().await.delivered();
        // The ledger is looked into before the first call: then nothing may have been delivered.
        assert!(delivered > 0 || method == "GET", "nothing was delivered");
        // What stood in the container is forgotten: each event comes twice at most, and what the lookback spans is
        // whole.
        let repeated = scene.run_until_nothing_is_left().await;
        assert!(repeated <= delivered, "{repeated} of {delivered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_still_being_deleted_is_told_of_and_waited_for() {
    let scene = Scene::new(86, "being-deleted").await;
    // Azure makes no new one of that name for half a minute or longer.
    let deleted = Spoil::Storage(409, "ContainerBeingDeleted");
    scene.gate.begin(StorageFault::every(deleted).of("PUT", ""));
    let told = scene.run().await;
    assert_eq!(told.outcomes(), ["failed"; 6]);
    told.assert_told(&["HTTP 409 ContainerBeingDeleted"], "the container is being deleted");
    scene.gate.end();
    assert_eq!(scene.run_until_nothing_is_left().await, 0);
}

/// No log repeated more than one call.
async fn assert_a_page_each(simulator: &Simulator) {
    let report = simulator.report().await;
    for log in LogType::ALL {
        let repeated = report.logs[&log].duplicates;
        assert!(repeated <= PAGE, "{log}: {repeated} rows repeated");
    }
}
