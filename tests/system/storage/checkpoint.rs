//! The checkpoint carries a log from one process to the next.

use std::time::Duration;

use simulator::{LogType, Simulator};

use crate::common::{Azurite, FunctionsHost, Settings, tenant};
use crate::storage::place::Place;

const EVENTS: u64 = 800;

#[tokio::test(flavor = "multi_thread")]
async fn another_process_goes_on_in_the_middle_of_a_window_in_storage_and_in_a_folder() {
    for place in Place::both("middle") {
        goes_on_in_the_middle_of_a_window(&place).await;
    }
}

async fn goes_on_in_the_middle_of_a_window(place: &Place) {
    let mut config = tenant(21, EVENTS);
    config.duo_latency = Duration::from_millis(150);
    let simulator = Simulator::start(config).await.unwrap();
    // One window for everything, which takes longer than a run.
    let settings = place
        .settings(&simulator)
        .beginning_with_a_whole_hour(&simulator)
        .with("CISCO_DUO_LOG_TYPES", "activity")
        .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600")
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
    let checkpoint = place.checkpoint("activity").await;
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
    // Every record was asked for once: the second process began with the first one's cursor. The count of a closed
    // hour brings one more each.
    let records = simulator.calls().duo[&LogType::Activity].records;
    assert!((EVENTS..=EVENTS + 7).contains(&records), "{records}");
    let checkpoint = place.checkpoint("activity").await;
    assert!(checkpoint["window"].is_null(), "{checkpoint:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_access_signature_is_enough_for_a_whole_run() {
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
