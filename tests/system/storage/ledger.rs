//! The ledger names what was delivered, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;
use simulator::{LogType, Simulator};

use crate::common::{Azurite, FunctionsHost, Settings, temporary_folder, tenant};

/// Bytes of an id.
const ID: u64 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_container_is_made_and_its_append_blobs_name_each_delivered_row_once() {
    let rows = temporary_folder();
    let mut config = tenant(31, 150);
    config.rows_dir = Some(rows.path().to_owned());
    let simulator = Simulator::start(config).await.unwrap();
    let azurite = Azurite::shared();
    let container = azurite.container("ledger");
    assert!(!container.exists().await, "the container is there already");
    let settings = Settings::in_storage(&simulator, &azurite.connection_string(), "ledger");
    FunctionsHost::start(&settings).await.catch_up(3).await;
    let report = simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    let blobs = container.list().await;
    for log in LogType::ALL {
        let prefix = format!("127.0.0.1/self/{log}/ledger/");
        let ledger: Vec<_> = blobs
            .iter()
            .filter(|blob| blob.name.starts_with(&prefix) && blob.name.contains(".ids"))
            .collect();
        let mut length = 0;
        let mut ids = BTreeSet::new();
        for blob in &ledger {
            assert_eq!(blob.kind, "AppendBlob", "{}", blob.name);
            assert_eq!(blob.length % ID, 0, "{}", blob.name);
            length += blob.length;
            let content = container.read(&blob.name).await.unwrap();
            ids.extend(content.chunks(16).map(hex::encode));
        }
        assert_eq!(length / ID, report.logs[&log].delivered, "{log}");
        for blob in blobs
            .iter()
            .filter(|blob| blob.name.starts_with(&prefix) && blob.name.contains(".json"))
        {
            let content = container.read(&blob.name).await.unwrap();
            let day: Value = serde_json::from_slice(&content).unwrap();
            for (hour, result) in day["hours"].as_object().unwrap() {
                // The hour in which the log began is read: a count of a part of it proves nothing.
                let is_whole = result["from"].as_str().unwrap().ends_with(":00:00.000Z");
                let state = if is_whole { "counted" } else { "proved" };
                assert_eq!(result["state"], state, "{}: {hour}", blob.name);
                let counted = is_whole.then_some(&result["delivered"]);
                assert_eq!(result.get("counted"), counted, "{}: {hour}", blob.name);
            }
        }
        assert_eq!(ids, delivered_ids(rows.path(), log), "{log}");
    }
    for log in LogType::ALL {
        let name = crate::common::checkpoint_name(log.name());
        let found = blobs.iter().find(|blob| blob.name == name);
        assert_eq!(found.expect("each log has a checkpoint").kind, "BlockBlob");
    }
}

/// The part of `event_uid` that the ledger keeps, of every accepted row of a log.
fn delivered_ids(rows: &std::path::Path, log: LogType) -> BTreeSet<String> {
    let text = std::fs::read_to_string(rows.join("CiscoDuo_CL.ndjson")).unwrap();
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["eventtype"] == log.name())
        .map(|row| row["event_uid"].as_str().unwrap()[..32].to_owned())
        .collect()
}
