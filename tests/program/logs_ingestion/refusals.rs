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

/// Each trouble strikes so often; then everything arrives, at most so many rows twice.
#[tokio::test]
async fn a_service_that_takes_nothing_for_a_while_is_waited_for() {
    let throttled = vec![FaultKind::TooManyRequests { retry_after: Some(2) }];
    let down = vec![FaultKind::Status(503), FaultKind::Reset, FaultKind::Status(500)];
    for (kinds, events, times, seconds, duplicates) in [
        // The wait that the service asks for is kept.
        (throttled, 60, 6, 2, 0),
        // Halved four times a call of fifty rows still has three: none of them is refused alone.
        (vec![FaultKind::TooLarge], 100, 4, 0, 0),
        (down, 60, 3, 0, PAGE * 6),
    ] {
        let (simulator, mut host, _state) = start(42, events).await;
        for kind in &kinds {
            simulator.faults().push(Fault::always(TARGET, kind.clone()).times(times));
        }
        let began = Instant::now();
        host.catch_up(10).await;
        assert!(began.elapsed() >= Duration::from_secs(seconds), "{kinds:?}");
        host.stop().await;
        let struck = u64::from(times) * kinds.len() as u64;
        assert_eq!(simulator.faults().struck()[&TARGET], struck, "{kinds:?}");
        assert_nothing_lost(&simulator, duplicates).await;
    }
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
