//! Unusable state is reported and never overwritten.

use std::time::Duration;

use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{Azurite, FunctionsHost, Settings, checkpoint_name, events_in, tenant};
use crate::storage::location::Location;

/// Garbage, a truncated checkpoint, and one that requires a newer reader.
const UNUSABLE: [(&str, &str, &[u8]); 3] = [
    ("garbage", "damaged", b"\x00\xffnot a checkpoint"),
    ("truncated", "damaged", b"{\"version\":1,\"min_reader\":1,\"mintime\":\"2026"),
    ("newer", "format version 2", b"{\"version\":2,\"min_reader\":2,\"place\":\"somewhere new\"}"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_checkpoint_stops_only_its_log_and_is_kept() {
    for (container, reason, content) in UNUSABLE {
        for location in Location::both(container) {
            unusable_checkpoint_stops_only_its_log(&location, reason, content).await;
        }
    }
}

async fn unusable_checkpoint_stops_only_its_log(location: &Location, reason: &str, content: &[u8]) {
    let simulator = Simulator::start(tenant(51, 60)).await.unwrap();
    let name = checkpoint_name("telephony");
    location.create(&name, content).await;
    let mut host = FunctionsHost::start(&location.settings(&simulator)).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    for log in LogType::ALL {
        let expected = if log == LogType::Telephony { "failed" } else { "caught_up" };
        assert_eq!(invocation.outcome(log.name()), expected, "{log}");
    }
    let message = invocation.log("telephony")["message"].as_str().unwrap();
    assert!(message.contains(&name) && message.contains(reason), "{message}");
    host.kill().await;
    let stderr = host.stderr();
    let [line] = &stderr[..] else {
        panic!("expected one line: {stderr:#?}");
    };
    assert!(line.contains(&name) && line.contains(reason), "{line}");
    assert_eq!(location.read(&name).await.as_deref(), Some(content));
    let report = simulator.report().await;
    assert_eq!(report.logs[&LogType::Telephony].delivered, 0);
    assert_eq!(report.missing(), 60, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_cannot_be_written_is_reported() {
    let simulator = Simulator::start(tenant(53, 20)).await.unwrap();
    let telephony = Target::Duo(LogType::Telephony);
    let throttled = FaultKind::TooManyRequests { retry_after: None };
    simulator.faults().push(Fault::once(telephony, throttled));
    let azurite = Azurite::shared();
    let settings = Settings::in_storage(&simulator, &azurite.connection_string(), "leased");
    let host = FunctionsHost::start(&settings).await;
    assert_eq!(host.fire().await.outcome("telephony"), "backing_off");
    // Refused with 412 like a lost race, but no other process works on the log.
    let name = checkpoint_name("telephony");
    azurite.container("leased").lease(&name).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    assert_eq!(invocation.outcome("activity"), "caught_up");
    assert_eq!(invocation.outcome("telephony"), "failed");
    let message = invocation.log("telephony")["message"].as_str().unwrap();
    assert!(message.contains(&name), "{message}");
    let report = simulator.report().await;
    assert_eq!(report.logs[&LogType::Telephony].delivered, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_storage_fails_with_a_hint_and_delivers_nothing() {
    let simulator = Simulator::start(tenant(52, 20)).await.unwrap();
    let connection = format!(
        "AccountName={};AccountKey={};BlobEndpoint=http://127.0.0.1:9/{}",
        crate::common::ACCOUNT,
        crate::common::ACCOUNT_KEY,
        crate::common::ACCOUNT,
    );
    let settings = Settings::in_storage(&simulator, &connection, "nowhere");
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    assert_eq!(invocation.outcomes(), ["failed"; 6]);
    host.kill().await;
    assert_eq!(host.stderr().len(), 6, "{:#?}", host.stderr());
    for line in host.stderr() {
        for text in ["cannot read", "container nowhere", "check AzureWebJobsStorage"] {
            assert!(line.contains(text), "no \"{text}\" in {line}");
        }
    }
    assert_eq!(events_in(&simulator.counts().log_analytics.rows), 0);
    assert!(simulator.counts().duo.is_empty(), "a request reached Duo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_is_quarantined_and_stops_nothing() {
    let logs = [LogType::Telephony, LogType::Activity];
    for (location, log) in Location::both("damaged-ledger").iter().zip(logs) {
        damaged_ledger(location, log).await;
    }
}

/// Bytes per entry of the ledger.
const ENTRY: usize = 24;

/// Damages all results and entries of a log between two runs, and deletes its checkpoint.
async fn damaged_ledger(location: &Location, log: LogType) {
    let simulator = Simulator::start(tenant(54, 120)).await.unwrap();
    let mut host = FunctionsHost::start(&location.settings(&simulator)).await;
    host.catch_up(5).await;
    let ledger = format!("127.0.0.1/self/{log}/ledger/");
    let names = location.list(&ledger).await;
    let (ids, results): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| name.contains(".ids"));
    assert!(!ids.is_empty() && !results.is_empty(), "{names:?}");
    for name in &results {
        location.replace(name, b"{\"version\":1,\"min_rea").await;
    }
    let mut lost = 0;
    for (number, name) in ids.iter().enumerate() {
        // The last entry is torn or missing; in the first two hours all entries are.
        let content = location.read(name).await.unwrap();
        let length = content.len();
        lost += if number < 2 { length / ENTRY } else { 1 };
        if number % 2 == 0 {
            let kept = if number == 0 { 9 } else { length - 7 };
            location.replace_appendable(name, &content[..kept]).await;
        } else {
            // A restore may have created a block blob, to which nothing can be appended.
            let kept = if number == 1 { 0 } else { length - ENTRY };
            location.replace(name, &content[..kept]).await;
        }
    }
    // The second run finds the ledger repaired by the first.
    for _ in 0..2 {
        location.remove(&checkpoint_name(log.name())).await;
        host.catch_up(5).await;
    }
    host.stop().await;
    let report = simulator.report().await;
    assert_eq!(report.missing(), 0, "{report:#?}");
    // A lost entry causes one duplicate, and nothing else.
    let duplicates = usize::try_from(report.logs[&log].duplicates).unwrap();
    assert_eq!(duplicates, lost, "{report:#?}");
    let names = location.list(&ledger).await;
    let quarantined = names.iter().filter(|name| name.contains(".damaged-"));
    let expected = results.len() + if location.is_storage() { ids.len() } else { 0 };
    assert_eq!(quarantined.count(), expected, "{names:?}");
    for name in &names {
        let content = location.read(name).await.unwrap();
        if !name.contains(".damaged-") && name.contains(".ids") {
            assert_eq!(content.len() % ENTRY, 0, "{name}");
        }
    }
    let stderr = host.stderr().join("\n");
    assert!(stderr.contains("was quarantined"), "{stderr}");
}
