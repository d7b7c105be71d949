//! Everything arrives, in calls that the service takes.

use std::time::Duration;

use simulator::{Fault, FaultKind, LogType, Target};

use crate::common::{Body, PAGE, assert_nothing_lost, tenant_with_rule};
use crate::logs_ingestion::{start, start_with};

#[tokio::test]
async fn every_event_of_every_log_arrives_and_no_column_is_dropped() {
    let (simulator, mut host, state) = start(31, 400).await;
    host.finish(&simulator, 0).await;
    let calls = simulator.calls();
    assert_eq!(calls.log_analytics.requests, 0, "{calls:#?}");
    let ingestion = calls.logs_ingestion;
    assert!(ingestion.columns_dropped.is_empty(), "{ingestion:#?}");
    assert!(ingestion.values_misfit.is_empty(), "{ingestion:#?}");
    assert!(ingestion.refused.is_empty(), "{ingestion:#?}");
    assert!(ingestion.bytes_sent * 4 < ingestion.bytes, "{ingestion:#?}");
    // One token for all logs, for as long as it lasts.
    assert_eq!(calls.identity.tokens, 1, "{:#?}", calls.identity);
    // Every field of every log has a column that takes its values, but for what no source names.
    for log in LogType::ALL {
        let file = state.path().join(format!("127.0.0.1/self/{log}/fields.json"));
        let counts = std::fs::read_to_string(file).unwrap_or_else(|_| "{}".to_owned());
        let counts: serde_json::Value = serde_json::from_str(&counts).unwrap();
        let fields = counts["fields"].as_object().into_iter().flatten();
        let names: Vec<&str> = fields.map(|(name, _)| name.as_str()).collect();
        let expected: &[&str] = match log {
            LogType::Authentication => &[
                "new_signal_confidence",
                "new_signal_notes",
                "trusted_session_info_session_drift",
                "trusted_session_info_session_serial",
            ],
            // Now and then it is no time that anybody could read.
            LogType::Administrator | LogType::OfflineEnrollment => &["isotimestamp"],
            _ => &[],
        };
        let told = |name: &&str| expected.contains(name);
        assert!(names.iter().all(told), "{log}: {names:?}");
        assert!(log != LogType::Authentication || names.len() == 4, "{names:?}");
    }
}

#[tokio::test]
async fn pages_that_are_too_much_for_one_call_go_in_several() {
    let mut config = tenant_with_rule(32, 0);
    config.volumes = [(LogType::Authentication, 3_000)].into();
    config.max_limit = 1_000;
    config.oversized_per_mille = 20;
    config.oversized_bytes = 70_000;
    let (simulator, mut host, _state) =
        start_with(config, |settings| settings.with("LOGS_INGESTION_GZIP", "off")).await;
    host.finish(&simulator, 0).await;
    let ingestion = simulator.calls().logs_ingestion;
    assert!(ingestion.accepted > 6, "{ingestion:#?}");
    assert!(ingestion.largest <= 1_000_000, "{ingestion:#?}");
    assert!(ingestion.largest > 500_000, "{ingestion:#?}");
    assert_eq!(ingestion.bytes, ingestion.bytes_sent);
    // What would be longer than the service keeps was cut before, and named.
    assert_eq!(ingestion.values_cut, 0, "{ingestion:#?}");
}

#[tokio::test]
async fn a_lost_answer_repeats_one_call_and_loses_none() {
    let (simulator, mut host, _state) = start(33, 200).await;
    let lost = Fault::once(Target::LogsIngestion, FaultKind::ResponseLost).after(3);
    simulator.faults().push(lost);
    host.catch_up(5).await;
    host.stop().await;
    assert_eq!(simulator.faults().struck()[&Target::LogsIngestion], 1);
    assert_nothing_lost(&simulator, PAGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_handler_goes_on_where_it_was() {
    const KILLS: u64 = 8;
    let mut config = tenant_with_rule(34, 500);
    config.duo_latency = Duration::from_millis(10);
    config.logs_ingestion.latency = Duration::from_millis(10);
    let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
    let accepted = || simulator.calls().logs_ingestion.requests;
    for kill in 1..=KILLS {
        let run = tokio::spawn(host.begin(Body::Timer));
        while accepted() < 5 * kill {
            assert!(!run.is_finished(), "no work at kill {kill}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        host.kill().await;
        assert!(run.await.unwrap().is_err(), "kill {kill} was no kill");
        host.restart().await;
    }
    host.catch_up(10).await;
    host.stop().await;
    // One call of each log for one kill.
    assert_nothing_lost(&simulator, KILLS * 6 * PAGE).await;
}
