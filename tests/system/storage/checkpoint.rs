//! A checkpoint is continued by the next process.

use std::time::Duration;

use simulator::{LogType, Simulator};

use crate::common::{Azurite, FunctionsHost, Settings, in_one_hour, tenant};
use crate::storage::location::Location;

const EVENTS: u64 = 800;

#[tokio::test(flavor = "multi_thread")]
async fn another_process_resumes_in_the_middle_of_a_window_in_storage_and_in_a_folder() {
    for location in Location::both("middle") {
        resume_in_the_middle_of_a_window(&location).await;
    }
}

async fn resume_in_the_middle_of_a_window(location: &Location) {
    let mut config = tenant(21, EVENTS);
    config.duo_latency = Duration::from_millis(150);
    // All events are in the first window, which takes longer than a run.
    let start = in_one_hour(&mut config);
    let simulator = Simulator::start(config).await.unwrap();
    let settings = location
        .settings(&simulator)
        .with("CISCO_DUO_START_TIME", start)
        .with("CISCO_DUO_LOG_TYPES", "activity")
        .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "1");
    let mut first = FunctionsHost::start(&settings).await;
    // On a busy machine a run of one second may end before its first page.
    for _ in 0..10 {
        let invocation = first.fire().await;
        assert_eq!(invocation.outcome("activity"), "more_to_fetch");
        if simulator.report().await.delivered() > 0 {
            break;
        }
    }
    first.stop().await;
    let checkpoint = location.checkpoint("activity").await;
    let window = &checkpoint["window"];
    assert!(window["cursor"].is_string(), "no cursor: {checkpoint:#}");
    let delivered = simulator.report().await.delivered();
    assert_eq!(window["rows_read"], delivered, "{checkpoint:#}");
    assert!(checkpoint["lease"].is_null(), "{checkpoint:#}");

    let second = FunctionsHost::start(&settings).await;
    second.catch_up(10).await;
    let report = simulator.report().await;
    let activity = report.logs[&LogType::Activity];
    assert_eq!((activity.missing, activity.duplicates), (0, 0));
    // Every record was requested once: the second process resumed with the cursor. The count of
    // each closed hour adds one record.
    let records = simulator.counts().duo[&LogType::Activity].records;
    assert!((EVENTS..=EVENTS + 7).contains(&records), "{records}");
    let checkpoint = location.checkpoint("activity").await;
    assert!(checkpoint["window"].is_null(), "{checkpoint:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_access_signature_is_sufficient_for_a_run() {
    let simulator = Simulator::start(tenant(22, 100)).await.unwrap();
    let azurite = Azurite::shared();
    let signature = azurite.shared_access_connection_string();
    let settings = Settings::in_storage(&simulator, &signature, "signature");
    let mut host = FunctionsHost::start(&settings).await;
    host.deliver_all(&simulator, 0).await;
    host.stop().await;
    let checkpoint = azurite.container("signature").checkpoint("activity").await;
    assert!(checkpoint["mintime"].is_string());
}
