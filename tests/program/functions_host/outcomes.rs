//! Responses to an invocation when Duo or Azure Monitor returns an error.

use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{
    FunctionsHost, Settings, assert_nothing_lost, running, running_with, temporary_folder, tenant,
};

const TELEPHONY: Target = Target::Duo(LogType::Telephony);

/// Every log but telephony.
const OTHERS: [&str; 5] =
    ["authentication", "administrator", "offline_enrollment", "trust_monitor", "activity"];

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_log_backs_off_without_a_failure() {
    let (simulator, host, _folder) = running(tenant(7, 60)).await;
    let kind = FaultKind::TooManyRequests { retry_after: Some(1) };
    simulator.faults().push(Fault::once(TELEPHONY, kind));
    let invocation = host.fire().await;
    invocation.summary();
    assert_eq!(invocation.outcome("telephony"), "backing_off");
    for log in OTHERS {
        assert_eq!(invocation.outcome(log), "caught_up", "{log}");
    }
    host.deliver_all(&simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_never_available_is_no_failure_but_one_that_was_is() {
    let (simulator, mut host, _folder) = running(tenant(8, 60)).await;
    simulator.faults().push(Fault::always(TELEPHONY, FaultKind::Forbidden));
    let invocation = host.fire().await;
    invocation.summary();
    assert_eq!(invocation.outcome("telephony"), "unavailable");
    let report = simulator.report().await;
    for (log, counts) in &report.logs {
        let expected = if *log == LogType::Telephony { 60 } else { 0 };
        assert_eq!(counts.missing, expected, "{log}");
    }
    assert!(host.stderr().is_empty(), "{:#?}", host.stderr());

    let activity = Target::Duo(LogType::Activity);
    simulator.faults().push(Fault::always(activity, FaultKind::Forbidden));
    let invocation = host.fire().await;
    invocation.assert_failed();
    assert_eq!(invocation.outcome("activity"), "failed");
    assert_eq!(invocation.outcome("authentication"), "caught_up");
    host.stop().await;
    let stderr = host.stderr().join("\n");
    assert!(stderr.contains("activity"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_key_fails_with_a_hint() {
    let (simulator, mut host, _folder) = running_with(tenant(9, 20), |settings, _| {
        settings.with("CISCO_DUO_SECRET_KEY", "0123456789012345678901234567890123456789")
    })
    .await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    assert_eq!(invocation.outcomes(), ["failed"; 6]);
    assert!(host.ended().is_none(), "the handler ended");
    assert_eq!(simulator.report().await.delivered(), 0);
    // The streams are complete only after the process has ended.
    host.stop().await;
    for line in host.stderr() {
        assert!(line.contains("CISCO_DUO_SECRET_KEY"), "no hint: {line}");
    }
    assert_eq!(host.stderr().len(), 6, "{:#?}", host.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_wrong_workspace_key_is_corrected_all_events_are_delivered() {
    let simulator = Simulator::start(tenant(10, 20)).await.unwrap();
    let folder = temporary_folder();
    let right = Settings::in_folder(&simulator, folder.path());
    let wrong = right.clone().with("SHARED_KEY", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=");
    let mut host = FunctionsHost::start(&wrong).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    host.stop().await;
    assert_ne!(host.stderr(), [""; 0]);
    for line in host.stderr() {
        assert!(line.contains("SHARED_KEY"), "no hint: {line}");
    }
    FunctionsHost::start(&right).await.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
}
