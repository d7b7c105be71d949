//! From the HTTP Data Collector API to the Logs Ingestion API on one state.

use std::path::Path;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::Value;
use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{
    FunctionsHost, Settings, checkpoint_name, duo_sentinel, events_in, temporary_folder,
    tenant_with_rule,
};

/// Moves the last use of the destination twenty minutes into the past.
fn let_twenty_minutes_pass(simulator: &Simulator, state: &Path) {
    let then = simulator.clock().now() - TimeDelta::minutes(20);
    let then = then.to_rfc3339_opts(SecondsFormat::Millis, true);
    for log in LogType::ALL {
        let file = state.join(checkpoint_name(log.name()));
        let text = std::fs::read_to_string(&file).unwrap();
        let mut checkpoint: Value = serde_json::from_str(&text).unwrap();
        assert!(checkpoint["destination"]["used_at"].is_string());
        checkpoint["destination"]["used_at"] = then.clone().into();
        std::fs::write(&file, checkpoint.to_string()).unwrap();
    }
}

#[tokio::test]
async fn a_changed_api_waits_15_minutes_and_resumes_at_the_checkpoint() {
    let simulator = Simulator::start(tenant_with_rule(81, 300)).await.unwrap();
    let state = temporary_folder();
    let collector = Settings::in_folder(&simulator, state.path());
    let ingestion = collector.clone().by_logs_ingestion(&simulator);
    // The first API delivers a part of the events.
    let down = Fault::always(Target::LogAnalytics, FaultKind::Status(500)).after(9);
    simulator.faults().push(down);
    let mut host =
        FunctionsHost::start(&collector.with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "2")).await;
    host.fire().await;
    host.stop().await;
    let before: u64 = events_in(&simulator.counts().log_analytics.rows);
    assert!((1..1800).contains(&before), "{before} rows");
    simulator.faults().clear();
    let mut host = FunctionsHost::start(&ingestion).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let message = invocation.message("activity");
    assert!(message.contains("nothing is sent to this one before"), "{message}");
    assert_eq!(events_in(&simulator.counts().logs_ingestion.rows), 0);
    host.stop().await;
    let_twenty_minutes_pass(&simulator, state.path());
    let mut host = FunctionsHost::start(&ingestion).await;
    host.finish(&simulator, 0).await;
    let after: u64 = events_in(&simulator.counts().logs_ingestion.rows);
    assert_eq!(before + after, 1800);
}

#[tokio::test]
async fn dead_letters_of_one_api_are_resent_whole_through_the_other() {
    // Values of 40,000 bytes: too long for the first API, but not for the second.
    let config = Config { oversized_per_mille: 30, ..tenant_with_rule(82, 200) };
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let collector = Settings::in_folder(&simulator, state.path());
    let mut host = FunctionsHost::start(&collector).await;
    host.catch_up(5).await;
    host.stop().await;
    let letters = dead_letters(&collector, &["list"]).await;
    assert!(letters.len() > 3, "{letters:#?}");
    let ingestion = collector.by_logs_ingestion(&simulator);
    let sent = dead_letters(&ingestion, &["resend"]).await;
    assert_eq!(sent.len(), letters.len());
    assert!(sent.iter().all(|letter| letter["outcome"] == "accepted"), "{sent:#?}");
    assert_eq!(dead_letters(&ingestion, &["list"]).await, [] as [Value; 0]);
    let report = simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!(report.duplicates(), letters.len() as u64);
}

/// The output of a `dead-letters` command.
async fn dead_letters(settings: &Settings, arguments: &[&str]) -> Vec<Value> {
    let folder = temporary_folder();
    let arguments = [&["dead-letters"], arguments, &["--json"]].concat();
    let output = duo_sentinel(settings, folder.path(), &arguments).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}
