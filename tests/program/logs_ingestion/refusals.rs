//! Error responses of the service.

use std::time::{Duration, Instant};

use simulator::{Fault, FaultKind, Target};

use crate::common::{PAGE, assert_nothing_lost, events_in, tenant_with_rule};
use crate::logs_ingestion::{start, start_with};

const TARGET: Target = Target::LogsIngestion;

#[tokio::test]
async fn a_role_assignment_not_yet_effective_keeps_every_checkpoint() {
    let (simulator, mut host, _state) = start(41, 120).await;
    simulator.faults().push(Fault::always(TARGET, FaultKind::Forbidden));
    for _ in 0..3 {
        let invocation = host.fire().await;
        invocation.assert_failed();
        for log in ["authentication", "administrator", "trust_monitor"] {
            let message = invocation.message(log);
            assert!(message.contains("HTTP 403: OperationFailed"), "{message}");
            assert!(message.contains("Monitoring Metrics Publisher"), "{message}");
            assert!(message.contains("30 minutes"), "{message}");
        }
    }
    assert_eq!(events_in(&simulator.counts().logs_ingestion.rows), 0);
    simulator.faults().clear();
    host.finish(&simulator, 0).await;
}

/// Each fault occurs `times` times; then all events are delivered, with a bound of duplicates.
#[tokio::test]
async fn rows_are_retried_until_the_service_accepts_them() {
    let throttled = vec![FaultKind::TooManyRequests { retry_after: Some(2) }];
    let down = vec![FaultKind::Status(503), FaultKind::Reset, FaultKind::Status(500)];
    for (kinds, events, after, times, seconds, duplicates) in [
        // The delay that the service requests is kept.
        (throttled, 60, 0, 6, 2, 0),
        // After the first windows, which have few rows: a batch of 50 rows halved four times still
        // has three, so none is refused alone.
        (vec![FaultKind::TooLarge], 400, 12, 4, 0, 0),
        (down, 60, 0, 3, 0, PAGE * 6),
    ] {
        let (simulator, mut host, _state) = start(42, events).await;
        for kind in &kinds {
            let fault = Fault::always(TARGET, kind.clone());
            simulator.faults().push(fault.after(after).times(times));
        }
        let began = Instant::now();
        host.catch_up(10).await;
        assert!(began.elapsed() >= Duration::from_secs(seconds), "{kinds:?}");
        host.stop().await;
        let expected = u64::from(times) * kinds.len() as u64;
        assert_eq!(simulator.faults().hits()[&TARGET], expected, "{kinds:?}");
        assert_nothing_lost(&simulator, duplicates).await;
    }
}

#[tokio::test]
async fn a_wrong_rule_or_stream_fails_every_log_with_a_clear_message() {
    let wrong = [
        ("LOGS_INGESTION_RULE_ID", "dcr-ffffffffffffffffffffffffffffffff"),
        ("LOGS_INGESTION_STREAM", "Custom-Other"),
    ];
    for (name, value) in wrong {
        let config = tenant_with_rule(45, 30);
        let (simulator, mut host, _state) =
            start_with(config, |settings| settings.with(name, value)).await;
        let invocation = host.fire().await;
        invocation.assert_failed();
        let message = invocation.message("activity");
        assert!(message.contains("HTTP 404: NotFound") && message.contains(name), "{message}");
        assert_eq!(events_in(&simulator.counts().logs_ingestion.rows), 0);
        host.stop().await;
    }
}

#[tokio::test]
async fn an_endpoint_without_gzip_is_recognized() {
    let mut config = tenant_with_rule(46, 30);
    config.logs_ingestion.gzip = false;
    let (_simulator, mut host, _state) = start_with(config, |settings| settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let message = invocation.message("activity");
    assert!(message.contains("set LOGS_INGESTION_GZIP to off"), "{message}");
    host.stop().await;
}
