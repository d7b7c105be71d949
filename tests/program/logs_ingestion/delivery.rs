//! Every event is delivered, in batches within the limits of the service.

use std::time::Duration;

use simulator::{Fault, FaultKind, LogType, Target};

use crate::common::{Body, PAGE, assert_nothing_lost, tenant_with_rule};
use crate::logs_ingestion::{start, start_with};

#[tokio::test]
async fn every_event_of_every_log_is_delivered_and_no_column_is_dropped() {
    let (simulator, mut host, state) = start(31, 400).await;
    host.finish(&simulator, 0).await;
    let counts = simulator.counts();
    assert_eq!(counts.log_analytics.requests, 0, "{counts:#?}");
    let ingestion = counts.logs_ingestion;
    assert!(ingestion.columns_dropped.is_empty(), "{ingestion:#?}");
    assert!(ingestion.values_misfit.is_empty(), "{ingestion:#?}");
    assert!(ingestion.refused.is_empty(), "{ingestion:#?}");
    assert!(ingestion.bytes_sent * 4 < ingestion.bytes, "{ingestion:#?}");
    // One token for all logs, until it expires.
    assert_eq!(counts.identity.tokens, 1, "{:#?}", counts.identity);
    // Every field of every log has a column of the right type, except fields without a source.
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
            // The simulated Duo sometimes returns an invalid time.
            LogType::Administrator | LogType::OfflineEnrollment => &["isotimestamp"],
            _ => &[],
        };
        let is_expected = |name: &&str| expected.contains(name);
        assert!(names.iter().all(is_expected), "{log}: {names:?}");
        assert!(log != LogType::Authentication || names.len() == 4, "{names:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_too_large_is_sent_in_several_batches() {
    let mut config = tenant_with_rule(32, 0);
    config.volumes = [(LogType::Authentication, 3_000)].into();
    config.max_limit = 1_000;
    config.oversized_per_mille = 20;
    config.oversized_bytes = 70_000;
    let (simulator, mut host, _state) =
        start_with(config, |settings| settings.with("LOGS_INGESTION_GZIP", "off")).await;
    host.finish(&simulator, 0).await;
    let ingestion = simulator.counts().logs_ingestion;
    assert!(ingestion.accepted > 6, "{ingestion:#?}");
    assert!(ingestion.largest <= 1_000_000, "{ingestion:#?}");
    assert!(ingestion.largest > 500_000, "{ingestion:#?}");
    assert_eq!(ingestion.bytes, ingestion.bytes_sent);
    // Values longer than the service keeps were truncated before, and reported.
    assert_eq!(ingestion.values_cut, 0, "{ingestion:#?}");
}

#[tokio::test]
async fn a_lost_response_duplicates_at_most_one_batch() {
    let (simulator, mut host, _state) = start(33, 200).await;
    let lost = Fault::once(Target::LogsIngestion, FaultKind::ResponseLost).after(3);
    simulator.faults().push(lost);
    host.catch_up(5).await;
    host.stop().await;
    assert_eq!(simulator.faults().hits()[&Target::LogsIngestion], 1);
    assert_nothing_lost(&simulator, PAGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_handler_resumes_at_its_checkpoint() {
    const KILLS: u64 = 8;
    let mut config = tenant_with_rule(34, 500);
    config.duo_latency = Duration::from_millis(10);
    config.logs_ingestion.latency = Duration::from_millis(10);
    let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
    let accepted = || simulator.counts().logs_ingestion.requests;
    for kill in 1..=KILLS {
        let run = tokio::spawn(host.begin(Body::Timer));
        while accepted() < 5 * kill {
            assert!(!run.is_finished(), "the run ended before kill {kill}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        host.kill().await;
        assert!(run.await.unwrap().is_err(), "kill {kill} came after the run");
        host.restart().await;
    }
    host.catch_up(10).await;
    host.stop().await;
    // One batch per log and kill.
    assert_nothing_lost(&simulator, KILLS * 6 * PAGE).await;
}
