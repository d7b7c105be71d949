//! What the service may answer but success.

use std::time::{Duration, Instant};

use simulator::{Fault, FaultKind, Target};

use crate::common::{PAGE, assert_nothing_lost, events_in, tenant_with_rule};
use crate::logs_ingestion::{start, start_with};

const TARGET: Target = Target::LogsIngestion;

#[tokio::test]
async fn a_role_that_has_not_spread_yet_keeps_every_place() {
    let (simulator, mut host, _state) = start(41, 120).await;
    simulator.faults().push(Fault::always(TARGET, FaultKind::Forbidden));
    for _ in 0..3 {
        let invocation = host.fire().await;
        invocation.assert_failed();
        for log in ["authentication", "administrator", "trust_monitor"] {
            let said = invocation.message(log);
            assert!(said.contains("HTTP 403: OperationFailed"), "{said}");
            assert!(said.contains("Monitoring Metrics Publisher"), "{said}");
            assert!(said.contains("30 minutes"), "{said}");
        }
    }
    assert_eq!(events_in(&simulator.calls().logs_ingestion.rows), 0);
    simulator.faults().clear();
    host.finish(&simulator, 0).await;
}

#[tokio::test]
async fn the_wait_that_the_service_asks_for_is_kept() {
    let (simulator, mut host, _state) = start(42, 60).await;
    let throttled = FaultKind::TooManyRequests { retry_after: Some(2) };
    simulator.faults().push(Fault::always(TARGET, throttled).times(6));
    let began = Instant::now();
    host.catch_up(5).await;
    assert!(began.elapsed() >= Duration::from_secs(2));
    host.stop().await;
    assert_eq!(simulator.faults().struck()[&TARGET], 6);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_call_that_is_too_large_all_the_same_is_halved() {
    // Halved four times a call of fifty rows still has three: none of them is refused alone.
    let (simulator, mut host, _state) = start(43, 100).await;
    simulator.faults().push(Fault::always(TARGET, FaultKind::TooLarge).times(4));
    host.catch_up(5).await;
    host.stop().await;
    assert_eq!(simulator.faults().struck()[&TARGET], 4);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_service_that_is_down_for_a_while_is_waited_for() {
    let (simulator, mut host, _state) = start(44, 60).await;
    for kind in [FaultKind::Status(503), FaultKind::Reset, FaultKind::Status(500)] {
        simulator.faults().push(Fault::always(TARGET, kind).times(3));
    }
    host.catch_up(10).await;
    host.stop().await;
    assert_eq!(simulator.faults().struck()[&TARGET], 9);
    assert_nothing_lost(&simulator, PAGE * 6).await;
}

#[tokio::test]
async fn a_wrong_rule_or_stream_stops_every_log_and_says_so() {
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
        let said = invocation.message("activity");
        assert!(said.contains("HTTP 404: NotFound") && said.contains(name), "{said}");
        assert_eq!(events_in(&simulator.calls().logs_ingestion.rows), 0);
        host.stop().await;
    }
}

#[tokio::test]
async fn an_endpoint_that_takes_no_gzip_is_told_apart() {
    let mut config = tenant_with_rule(46, 30);
    config.logs_ingestion.gzip = false;
    let (_simulator, mut host, _state) = start_with(config, |settings| settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let said = invocation.message("activity");
    assert!(said.contains("set LOGS_INGESTION_GZIP to off"), "{said}");
    host.stop().await;
}
