//! Tokens: their identity and lifetime, and that they are not disclosed.

use std::time::{Duration, Instant};

use simulator::{Fault, FaultKind, LogType, ManagedForm, Target};

use crate::common::{files, telephony_id, tenant_with_rule};
use crate::logs_ingestion::{start, start_with};

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (simulator, mut host, _state) = start(51, 200).await;
    let delivered = tokio::spawn(host.begin(crate::common::Body::Timer));
    while simulator.counts().logs_ingestion.accepted < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    simulator.revoke_tokens();
    let invocation = delivered.await.unwrap().unwrap();
    assert!(invocation.has_succeeded(), "{:#}", invocation.response);
    host.finish(&simulator, 0).await;
    let identity = simulator.counts().identity;
    assert_eq!(identity.tokens, 2, "{identity:#?}");
}

#[tokio::test]
async fn a_token_for_the_wrong_audience_fails_every_log_with_a_hint() {
    let mut config = tenant_with_rule(52, 30);
    config.logs_ingestion.audience = "https://monitor.azure.us".to_owned();
    let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let message = invocation.message("activity");
    assert!(message.contains("HTTP 401") && message.contains("CISCO_DUO_CLOUD"), "{message}");
    // At most two requests per log, for health rows, and per table that the check tests.
    let counts = simulator.counts();
    assert!(counts.logs_ingestion.requests <= 18, "{counts:#?}");
    host.stop().await;
    // With the right cloud every event is delivered.
    let mut config = tenant_with_rule(52, 30);
    config.logs_ingestion.audience = "https://monitor.azure.us".to_owned();
    let (simulator, mut host, _state) =
        start_with(config, |settings| settings.with("CISCO_DUO_CLOUD", "usgov")).await;
    host.finish(&simulator, 0).await;
}

#[tokio::test]
async fn tokens_that_expire_after_a_second_are_sufficient() {
    let mut config = tenant_with_rule(53, 100);
    config.identity.token_lifetime = Duration::from_secs(1);
    config.logs_ingestion.latency = Duration::from_millis(150);
    let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
    host.finish(&simulator, 0).await;
    assert!(simulator.counts().identity.tokens > 2);
}

#[tokio::test]
async fn without_a_token_every_log_keeps_its_checkpoint() {
    let (simulator, mut host, _state) = start(54, 60).await;
    let refused = Fault::always(Target::Identity, FaultKind::Status(400));
    simulator.faults().push(refused);
    let invocation = host.fire().await;
    invocation.assert_failed();
    let message = invocation.message("activity");
    assert!(message.contains("no token for Azure Monitor: HTTP 400"), "{message}");
    assert!(message.contains("AZURE_CLIENT_ID"), "{message}");
    assert_eq!(simulator.counts().logs_ingestion.requests, 0);
    simulator.faults().clear();
    host.finish(&simulator, 0).await;
}

#[tokio::test]
async fn every_form_of_an_identity_response_has_a_usable_token() {
    for form in [
        ManagedForm::Number,
        ManagedForm::Date,
        ManagedForm::DateOfWindows,
        ManagedForm::WithoutResource,
    ] {
        let mut config = tenant_with_rule(57, 0);
        config.volumes = [(LogType::Activity, 30)].into();
        config.identity.managed_form = form;
        let (simulator, mut host, _state) = start_with(config, |settings| settings).await;
        host.finish(&simulator, 0).await;
        // The expiry was read: the logs share tokens.
        let tokens = simulator.counts().identity.tokens;
        assert!((1..=2).contains(&tokens), "{form:?}: {tokens}");
    }
}

#[tokio::test]
async fn an_identity_response_without_a_token_fails_at_once_and_says_why() {
    for (kind, expected) in [
        (FaultKind::NotJson, "HTTP 200 with an HTML page instead of JSON"),
        (FaultKind::WrongEnvelope, "HTTP 200 without access_token"),
    ] {
        let (simulator, mut host, _state) = start(58, 60).await;
        simulator.faults().push(Fault::always(Target::Identity, kind.clone()));
        let began = Instant::now();
        let invocation = host.fire().await;
        invocation.assert_failed();
        assert!(began.elapsed() < Duration::from_secs(10), "{kind:?}: {:?}", began.elapsed());
        let message = invocation.message("activity");
        let expected =
            format!("no token for Azure Monitor: the identity endpoint returned {expected}");
        assert!(message.contains(&expected) && message.contains("IDENTITY_ENDPOINT"), "{message}");
        // One request per log, for health rows, and per table that the check tests.
        let requests = simulator.counts().identity.requests;
        assert!(requests <= 9, "{kind:?}: {requests} requests");
        simulator.faults().clear();
        host.finish(&simulator, 0).await;
    }
}

#[tokio::test]
async fn a_user_assigned_identity_is_selected_by_its_client_id() {
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
    let message = invocation.message("activity");
    assert!(message.contains("no token for Azure Monitor"), "{message}");
    host.stop().await;
}

#[tokio::test]
async fn output_and_state_contain_no_token_and_no_row() {
    let (simulator, mut host, state) = start(56, 300).await;
    let faults = simulator.faults();
    faults.push(Fault::once(Target::LogsIngestion, FaultKind::Status(400)));
    faults.push(Fault::once(Target::LogsIngestion, FaultKind::Forbidden).after(2));
    faults.push(Fault::once(Target::LogsIngestion, FaultKind::Reset).after(4));
    for _ in 0..3 {
        host.fire().await;
    }
    host.stop().await;
    let mut output = host.stdout().join("\n") + &host.stderr().join("\n");
    let row = telephony_id(&simulator);
    for of_a_row in [row.as_str(), "isotimestamp", "access_device"] {
        assert!(!output.contains(of_a_row), "{of_a_row}");
    }
    for stored in files(state.path()).values() {
        output.push_str(&String::from_utf8_lossy(stored));
    }
    assert!(output.contains("activity"));
    let header = &simulator.config().identity.header;
    for secret in ["Bearer", "eyJ", "access_token", header.as_str()] {
        assert!(!output.contains(secret), "{secret}");
    }
}
