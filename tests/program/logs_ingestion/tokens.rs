//! Tokens: whose, for how long, and that nobody sees them.

use std::time::Duration;

use simulator::{Fault, FaultKind, LogType, Target};

use crate::common::{files, telephony_id, tenant_with_rule};
use crate::logs_ingestion::{start, start_with};

#[tokio::test]
async fn a_token_that_is_refused_is_asked_for_anew_once() {
    let (simulator, mut host, _state) = start(51, 200).await;
    let delivered = tokio::spawn(host.begin(crate::common::Body::Timer));
    while simulator.calls().logs_ingestion.accepted < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    simulator.withdraw_tokens();
    let invocation = delivered.await.unwrap().unwrap();
    assert!(invocation.has_succeeded(), "{:#}", invocation.answer);
    host.finish(&simulator, 0).await;
    let identity = simulator.calls().identity;
    assert_eq!(identity.tokens, 2, "{identity:#?}");
}

#[tokio::test]
async fn a_token_of_the_wrong_audience_fails_every_log_and_says_what_to_set() {
    let mut config = tenant_with_rule(52, 30);
    config.logs_ingestion.audience = "https://monitor.azure.us".to_owned();
    let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let said = invocation.message("activity");
    assert!(said.contains("HTTP 401") && said.contains("CISCO_DUO_CLOUD"), "{said}");
    // Twice for each log, for the rows about the connector, and for each table that the check looks at; not without end.
    let calls = simulator.calls();
    assert!(calls.logs_ingestion.requests <= 18, "{calls:#?}");
    host.stop().await;
    // With the right cloud all is well.
    let mut config = tenant_with_rule(52, 30);
    config.logs_ingestion.audience = "https://monitor.azure.us".to_owned();
    let (simulator, mut host, _state) =
        start_with(config, |settings| settings.with("CISCO_DUO_CLOUD", "usgov")).await;
    host.finish(&simulator, 0).await;
}

#[tokio::test]
async fn tokens_that_last_a_second_are_enough() {
    let mut config = tenant_with_rule(53, 100);
    config.identity.token_lifetime = Duration::from_secs(1);
    config.logs_ingestion.latency = Duration::from_millis(150);
    let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
    host.finish(&simulator, 0).await;
    assert!(simulator.calls().identity.tokens > 2);
}

#[tokio::test]
async fn without_a_token_every_log_keeps_its_place() {
    let (simulator, mut host, _state) = start(54, 60).await;
    let refused = Fault::always(Target::Identity, FaultKind::Status(400));
    simulator.faults().push(refused);
    let invocation = host.fire().await;
    invocation.assert_failed();
    let said = invocation.message("activity");
    assert!(said.contains("no token for Azure Monitor: HTTP 400"), "{said}");
    assert!(said.contains("AZURE_CLIENT_ID"), "{said}");
    assert_eq!(simulator.calls().logs_ingestion.requests, 0);
    simulator.faults().clear();
    host.finish(&simulator, 0).await;
}

#[tokio::test]
async fn a_user_assigned_identity_is_asked_for_by_its_client_id() {
    let mut config = tenant_with_rule(55, 0);
    config.volumes = [(LogType::Activity, 30)].into();
    let client = config.identity.managed_client_id.clone();
    let (simulator, mut host, _state) =
        start_with(config.clone(), |settings| settings.with("AZURE_CLIENT_ID", client)).await;
    host.finish(&simulator, 0).await;
    let other = "0a1b2c3d-0000-4000-8000-00000000ffff";
    let (_simulator, mut host, _state) =
        start_with(config, |settings| settings.with("AZURE_CLIENT_ID", other)).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let said = invocation.message("activity");
    assert!(said.contains("no token for Azure Monitor"), "{said}");
    host.stop().await;
}

#[tokio::test]
async fn no_token_and_no_row_stands_in_what_the_handler_says() {
    let (simulator, mut host, state) = start(56, 300).await;
    let faults = simulator.faults();
    faults.push(Fault::once(Target::LogsIngestion, FaultKind::Status(400)));
    faults.push(Fault::once(Target::LogsIngestion, FaultKind::Forbidden).after(2));
    faults.push(Fault::once(Target::LogsIngestion, FaultKind::Reset).after(4));
    for _ in 0..3 {
        host.fire().await;
    }
    host.stop().await;
    let mut said = host.stdout().join("\n") + &host.stderr().join("\n");
    let row = telephony_id(&simulator);
    for of_a_row in [row.as_str(), "isotimestamp", "access_device"] {
        assert!(!said.contains(of_a_row), "{of_a_row}");
    }
    for stored in files(state.path()).values() {
        said.push_str(&String::from_utf8_lossy(stored));
    }
    assert!(said.contains("activity"));
    let header = &simulator.config().identity.header;
    for secret in ["Bearer", "eyJ", "access_token", header.as_str()] {
        assert!(!said.contains(secret), "{secret}");
    }
}
