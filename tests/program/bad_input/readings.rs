//! Events that Duo returns differently each time they are read, and wrong counts.

use simulator::{Fault, FaultKind, LogType, Target};

use crate::bad_input::{lose_checkpoints, start};
use crate::common::assert_nothing_lost;

/// The logs that Duo counts.
const COUNTED: [LogType; 3] = [LogType::Authentication, LogType::Activity, LogType::Telephony];
/// The logs whose events have an id.
const WITH_ID: [LogType; 4] =
    [LogType::Authentication, LogType::Activity, LogType::Telephony, LogType::TrustMonitor];

#[tokio::test]
async fn changing_counts_cause_no_loss_and_no_duplicate() {
    // The pages with a wrong count, and whether the window is read again: the highest count of its
    // pages counts.
    let cases = [(0, 1, 7, true), (1, 1, 7, true), (0, 6, -7, false)];
    for (after, times, wrong_by, is_read_again) in cases {
        let (simulator, mut host, _state) = start(31, 400).await;
        for log in COUNTED {
            let wrong = Fault::once(Target::Duo(log), FaultKind::WrongCount(wrong_by));
            simulator.faults().push(wrong.after(after).times(times));
        }
        host.catch_up(5).await;
        assert_eq!(simulator.faults().pending(), 0, "a fault did not occur");
        assert_nothing_lost(&simulator, 0).await;
        host.stop().await;
        let stderr = host.stderr().join("\n");
        let is_reported = stderr.contains("fewer records than it counted");
        assert_eq!(is_reported, is_read_again, "{wrong_by} {stderr}");
    }
}

/// Each fault of every page, the affected logs, their events, and the maximum of duplicates.
#[tokio::test]
async fn faults_on_every_page_lose_nothing() {
    let affected = [LogType::Administrator, LogType::OfflineEnrollment, LogType::Authentication];
    for (kind, logs, events, duplicates) in [
        (FaultKind::WrongCount(-3), COUNTED, 400, 0),
        // A record with another content is sent again: once with the surrogate and once without.
        (FaultKind::LoneSurrogate, affected, 120, 20),
    ] {
        let (simulator, host, _state) = start(32, events).await;
        let targets = logs.map(Target::Duo);
        for log in targets {
            simulator.faults().push(Fault::always(log, kind.clone()));
        }
        host.deliver_all(&simulator, duplicates).await;
        let hits = simulator.faults().hits();
        assert!(targets.iter().all(|log| hits[log] > 0), "{kind:?}: {hits:?}");
    }
}

#[tokio::test]
async fn a_count_that_is_always_too_high_stops_no_log_and_is_reported() {
    let (simulator, mut host, _state) = start(33, 120).await;
    let telephony = Target::Duo(LogType::Telephony);
    simulator.faults().push(Fault::always(telephony, FaultKind::WrongCount(3)));
    let invocation = host.fire().await;
    assert!(invocation.has_succeeded());
    host.deliver_all(&simulator, 0).await;
    host.stop().await;
    let stderr = host.stderr().join("\n");
    assert!(stderr.contains("WARN") && stderr.contains("completeness is unknown from"), "{stderr}");
}

#[tokio::test]
async fn key_order_does_not_change_an_event() {
    let (simulator, host, state) = start(34, 120).await;
    let faults = simulator.faults();
    faults.push(Fault::always(Target::AnyDuo, FaultKind::KeyOrder));
    host.deliver_all(&simulator, 0).await;
    assert!(LogType::ALL.iter().all(|log| faults.hits()[&Target::Duo(*log)] > 0));
    let accepted = simulator.counts().log_analytics.rows["CiscoDuo_CL"];
    faults.clear();
    lose_checkpoints(state.path(), &LogType::ALL);
    host.catch_up(5).await;
    assert_eq!(simulator.counts().log_analytics.rows["CiscoDuo_CL"], accepted);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn an_event_with_an_id_keeps_its_uid_and_is_sent_again_once_it_has_no_lone_surrogate() {
    let (simulator, host, state) = start(35, 120).await;
    for log in WITH_ID {
        let fault = Fault::always(Target::Duo(log), FaultKind::LoneSurrogate);
        simulator.faults().push(fault);
    }
    host.catch_up(5).await;
    for log in WITH_ID {
        assert!(simulator.faults().hits()[&Target::Duo(log)] > 0, "{log}");
    }
    let accepted = simulator.counts().log_analytics.rows["CiscoDuo_CL"];
    let duplicates = simulator.report().await.duplicates();
    simulator.faults().clear();
    lose_checkpoints(state.path(), &WITH_ID);
    host.catch_up(5).await;
    let again = simulator.counts().log_analytics.rows["CiscoDuo_CL"] - accepted;
    assert!((1..=accepted).contains(&again), "{again} of {accepted}");
    assert_nothing_lost(&simulator, duplicates + again).await;
}
