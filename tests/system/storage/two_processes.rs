//! Two processes that share one state.

use std::time::Duration;

use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{Body, FunctionsHost, PAGE, tenant};
use crate::storage::location::Location;

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_lose_nothing_in_storage_and_in_a_folder() {
    for location in Location::both("two-at-once") {
        two_at_once(&location).await;
    }
}

async fn two_at_once(location: &Location) {
    let mut config = tenant(41, 600);
    config.duo_latency = Duration::from_millis(200);
    let simulator = Simulator::start(config).await.unwrap();
    let settings = location.settings(&simulator).with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "1");
    let mut first = FunctionsHost::start(&settings).await;
    let mut second = FunctionsHost::start(&settings).await;
    let (mut ticks, mut have_met) = (0, false);
    loop {
        let (one, other) = tokio::join!(first.fire(), second.fire());
        one.summary();
        other.summary();
        have_met |= [&one, &other]
            .iter()
            .any(|invocation| invocation.outcomes().contains(&"held_elsewhere"));
        ticks += 1;
        if one.is_caught_up() && other.is_caught_up() {
            break;
        }
        assert!(ticks < 30, "not caught up: {:#} {:#}", one.response, other.response);
    }
    assert!(ticks > 2, "the processes hardly overlapped");
    assert!(have_met, "the processes never met at one log");
    let report = simulator.report().await;
    assert!(report.is_complete(), "{report:#?}");
    for (log, counts) in &report.logs {
        assert!(counts.duplicates <= PAGE, "{log}: {counts:?}");
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_running_process_is_respected_in_storage_and_in_a_folder() {
    for location in Location::both("lease") {
        lease_is_respected(&location).await;
    }
}

async fn lease_is_respected(location: &Location) {
    let simulator = Simulator::start(tenant(42, 200)).await.unwrap();
    let settings = location.settings(&simulator).with("CISCO_DUO_LOG_TYPES", "activity,telephony");
    let only_activity = settings.clone().with("CISCO_DUO_LOG_TYPES", "activity");
    let holder = FunctionsHost::start(&only_activity).await;
    let other = FunctionsHost::start(&settings).await;
    // The response to the first batch arrives only after the run of the second process.
    let slow = FaultKind::Latency(Duration::from_secs(8));
    simulator.faults().push(Fault::once(Target::LogAnalytics, slow));
    let run = tokio::spawn(holder.begin(Body::Timer));
    while simulator.counts().log_analytics.requests == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(location.checkpoint("activity").await["lease"]["owner"].is_string());
    let invocation = other.fire().await;
    invocation.summary();
    assert!(!run.is_finished(), "the first process had already finished");
    assert_eq!(invocation.outcome("activity"), "held_elsewhere");
    assert_eq!(invocation.outcome("telephony"), "caught_up");
    let run = run.await.unwrap().unwrap();
    assert_eq!(run.outcome("activity"), "caught_up");
    let report = simulator.report().await;
    for log in [LogType::Activity, LogType::Telephony] {
        let counts = report.logs[&log];
        assert_eq!((counts.missing, counts.duplicates), (0, 0), "{log}");
    }
}
