//! Errors of Azure Monitor.

use simulator::{Fault, FaultKind, LogType, Target};

use crate::bad_input::start;
use crate::common::{originals, running, running_with, telephony_id, temporary_folder, tenant};

#[tokio::test]
async fn a_refused_record_is_found_and_reported_and_no_other_is_lost() {
    let mut config = tenant(19, 120);
    let rows = temporary_folder();
    config.rows_dir = Some(rows.path().to_owned());
    let (simulator, mut host, state) = running(config).await;
    let needle = telephony_id(&simulator);
    let refused = FaultKind::InvalidRecord { needle: needle.clone() };
    simulator.faults().push(Fault::always(Target::LogAnalytics, refused));
    let invocation = host.fire().await;
    assert!(invocation.has_succeeded());
    assert!(invocation.is_caught_up(), "{:?}", invocation.outcomes());
    let report = invocation.log("telephony");
    assert_eq!(report["dead_letters"], 1, "{report:#}");
    // The original is kept; its name does not reveal its content.
    let letters = originals(state.path());
    assert_eq!(letters.len(), 1, "{letters:?}");
    let (path, letter) = letters.first_key_value().unwrap();
    assert!(path.starts_with("127.0.0.1/self/telephony/"), "{path}");
    let (_, name) = path.rsplit_once('/').unwrap();
    let (uid, content) = name.trim_end_matches(".json").split_once('-').unwrap();
    let letter: serde_json::Value = serde_json::from_slice(letter).unwrap();
    assert_eq!((&letter["event_uid"], &letter["event_content"]), (&uid.into(), &content.into()));
    let why = serde_json::json!({"reason": "refused", "status": 400, "code": "InvalidDataFormat"});
    assert_eq!(letter["why"], why);
    let original: serde_json::Value =
        serde_json::from_str(letter["original"].as_str().unwrap()).unwrap();
    assert_eq!(original["telephony_id"], needle);
    host.stop().await;
    let lines = host.stderr();
    assert!(lines.len() == 1 && lines[0].contains("WARN") && lines[0].contains(uid), "{lines:?}");
    let output = host.stdout().join("\n") + &lines[0];
    assert!(!output.contains(&needle), "{output}");
    // Every other record was delivered and is not sent again.
    host.restart().await;
    for _ in 0..6 {
        host.fire().await.summary();
    }
    let report = simulator.report().await;
    assert_eq!((report.missing(), report.duplicates()), (1, 0), "{report:#?}");
    assert_eq!(report.logs[&LogType::Telephony].missing, 1);
    assert_eq!((report.altered_rows, report.unknown_rows), (0, 0));
}

#[tokio::test]
async fn refusing_every_record_creates_no_dead_letters() {
    let (simulator, host, state) = start(24, 40).await;
    // A string that every row contains.
    let needle = "event_uid".to_owned();
    simulator
        .faults()
        .push(Fault::always(Target::LogAnalytics, FaultKind::InvalidRecord { needle }));
    let invocation = host.fire().await;
    invocation.assert_failed();
    for log in LogType::ALL {
        assert_eq!(invocation.outcome(log.name()), "failed");
        let text = invocation.message(log.name());
        assert!(text.contains("event_uid ") && text.contains("InvalidDataFormat"), "{text}");
    }
    assert!(originals(state.path()).is_empty());
    simulator.faults().clear();
    host.deliver_all(&simulator, 0).await;
}

#[tokio::test]
async fn a_batch_refused_as_too_large_is_halved() {
    // Only above 1 MB: for a smaller batch, HTTP 404 means a wrong address.
    let mut config = tenant(20, 6000);
    config.max_limit = 1000;
    let (simulator, host, _state) =
        running_with(config, |settings, _| settings.with("CISCO_DUO_LOG_TYPES", "authentication"))
            .await;
    // Not the first batch: the first window has few events.
    simulator.faults().push(Fault::once(Target::LogAnalytics, FaultKind::TooLarge).after(1));
    host.catch_up(5).await;
    assert_eq!(simulator.faults().pending(), 0);
    let report = simulator.report().await;
    let log = &report.logs[&LogType::Authentication];
    assert_eq!((log.missing, log.duplicates), (0, 0), "{report:#?}");
    // Six pages of 1,000 records, one of them in halves.
    assert!(simulator.counts().log_analytics.accepted >= 7);
}

#[tokio::test]
async fn a_wrong_workspace_address_does_not_split_batches() {
    let (simulator, host, _state) = start(21, 60).await;
    simulator.faults().push(Fault::always(Target::LogAnalytics, FaultKind::Status(404)));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let text = invocation.message("activity");
    assert!(text.contains("HTTP 404") && text.contains("logAnalyticsUri"), "{text}");
    assert!(
        simulator.counts().log_analytics.requests <= 8,
        "one request per log, one for health rows, one probe, and no halves"
    );
    simulator.faults().clear();
    host.deliver_all(&simulator, 0).await;
}
