//! The ledger lists exactly the delivered events.

use std::collections::BTreeSet;

use simulator::{LogType, Simulator};

use crate::common::{Azurite, FunctionsHost, Settings, accepted_rows, temporary_folder, tenant};

/// Bytes per entry: 16 of `event_uid`, 4 of `event_content`, 4 of the replaced content.
const ENTRY: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_container_is_created_and_its_append_blobs_list_each_delivered_row_once() {
    let rows = temporary_folder();
    let mut config = tenant(31, 150);
    config.rows_dir = Some(rows.path().to_owned());
    let simulator = Simulator::start(config).await.unwrap();
    let azurite = Azurite::shared();
    let container = azurite.container("ledger");
    assert!(!container.exists().await, "the container already exists");
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
        let mut entries = BTreeSet::new();
        for blob in &ledger {
            assert_eq!(blob.kind, "AppendBlob", "{}", blob.name);
            assert_eq!(blob.length % ENTRY as u64, 0, "{}", blob.name);
            length += blob.length;
            let content = container.read(&blob.name).await.unwrap();
            entries.extend(content.chunks(ENTRY).map(hex::encode));
        }
        assert_eq!(length / ENTRY as u64, report.logs[&log].delivered, "{log}");
        for blob in blobs
            .iter()
            .filter(|blob| blob.name.starts_with(&prefix) && blob.name.contains(".json"))
        {
            let day = container.json(&blob.name).await;
            for (hour, result) in day["hours"].as_object().unwrap() {
                // The first hour is read, because Duo's count covers the whole hour.
                let is_whole = result["from"].as_str().unwrap().ends_with(":00:00.000Z");
                let state = if is_whole { "count_matched" } else { "verified" };
                assert_eq!(result["state"], state, "{}: {hour}", blob.name);
                let duo_count = result.get("duo_count");
                let expected = is_whole.then_some(&result["delivered"]).or(duo_count);
                assert_eq!(duo_count, expected, "{}: {hour}", blob.name);
            }
        }
        assert_eq!(entries, delivered_entries(rows.path(), log), "{log}");
    }
    for log in LogType::ALL {
        let name = crate::common::checkpoint_name(log.name());
        let found = blobs.iter().find(|blob| blob.name == name);
        assert_eq!(found.expect("each log has a checkpoint").kind, "BlockBlob");
    }
}

/// The ledger entries for all accepted rows of a log.
fn delivered_entries(rows: &std::path::Path, log: LogType) -> BTreeSet<String> {
    let rows = accepted_rows(rows, "CiscoDuo_CL").into_iter();
    rows.filter(|row| row["eventtype"] == log.name())
        .map(|row| {
            let [uid, content] = ["event_uid", "event_content"].map(|name| row[name].as_str());
            format!("{}{}00000000", &uid.unwrap()[..32], content.unwrap())
        })
        .collect()
}
