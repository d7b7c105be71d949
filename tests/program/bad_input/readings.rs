//! Duo that tells the same event in another way each time it is read, and counts as it likes.

use simulator::{Fault, FaultKind, LogType, Target};

use crate::bad_input::{lose_checkpoints, start};
use crate::common::{assert_nothing_lost, running_with, tenant};

/// The logs that Duo counts.
const COUNTED: [LogType; 3] = [LogType::Authentication, LogType::Activity, LogType::Telephony];
/// The logs whose events have an id.
const WITH_ID: [LogType; 4] =
    [LogType::Authentication, LogType::Activity, LogType::Telephony, LogType::TrustMonitor];

#[tokio::test]
async fn counts_that_change_between_pages_lose_and_repeat_nothing() {
    // One window of eight pages: which of them count wrong, and whether that is worth another reading. What Duo counts on
    // the last page counts.
    let cases = [(0, 6, 7, false), (0, 6, -7, false), (7, 1, 7, true)];
    for (after, times, wrong_by, is_read_again) in cases {
        let (simulator, mut host, _state) = running_with(tenant(31, 400), |settings, _| {
            settings.with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600")
        })
        .await;
        for log in COUNTED {
            let wrong = Fault::once(Target::Duo(log), FaultKind::WrongCount(wrong_by));
            simulator.faults().push(wrong.after(after).times(times));
        }
        host.catch_up(5).await;
        assert_eq!(simulator.faults().pending(), 0, "a fault never struck");
        assert_nothing_lost(&simulator, 0).await;
        host.stop().await;
        let told = host.stderr().join("\n");
        let is_told = told.contains("fewer records than it counted");
        assert_eq!(is_told, is_read_again, "{wrong_by} {told}");
    }
}

/// Each fault of every page, the logs that it strikes, their events, and how many rows may come twice.
#[tokio::test]
async fn what_is_wrong_on_every_page_loses_nothing() {
    let spoilt = [LogType::Administrator, LogType::OfflineEnrollment, LogType::Authentication];
    for (kind, logs, events, duplicates) in [
        (FaultKind::WrongCount(-3), COUNTED, 400, 0),
        // Another content is another record: it may come once with the surrogate and once without.
        (FaultKind::LoneSurrogate, spoilt, 120, 20),
    ] {
        let (simulator, host, _state) = start(32, events).await;
        let targets = logs.map(Target::Duo);
        for log in targets {
            simulator.faults().push(Fault::always(log, kind.clone()));
        }
        host.deliver_all(&simulator, duplicates).await;
        let struck = simulator.faults().struck();
        assert!(targets.iter().all(|log| struck[log] > 0), "{kind:?}: {struck:?}");
    }
}

#[tokio::test]
async fn a_count_that_is_always_too_high_stops_no_log_and_is_said() {
    let (simulator, mut host, _state) = start(33, 120).await;
    let telephony = Target::Duo(LogType::Telephony);
    simulator.faults().push(Fault::always(telephony, FaultKind::WrongCount(3)));
    let invocation = host.fire().await;
    assert!(invocation.has_succeeded());
    host.deliver_all(&simulator, 0).await;
    host.stop().await;
    let told = host.stderr().join("\n");
    assert!(told.contains("WARN") && told.contains("completeness is unknown from"), "{told}");
}

#[tokio::test]
async fn keys_in_another_order_make_no_other_event() {
    let (simulator, host, state) = start(34, 120).await;
    let faults = simulator.faults();
    faults.push(Fault::always(Target::AnyDuo, FaultKind::KeyOrder));
    host.deliver_all(&simulator, 0).await;
    assert!(LogType::ALL.iter().all(|log| faults.struck()[&Target::Duo(*log)] > 0));
    let accepted = simulator.calls().log_analytics.rows["CiscoDuo_CL"];
    faults.clear();
    lose_checkpoints(state.path(), &LogType::ALL);
    host.catch_up(5).await;
    assert_eq!(simulator.calls().log_analytics.rows["CiscoDuo_CL"], accepted);
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
        assert!(simulator.faults().struck()[&Target::Duo(log)] > 0, "{log}");
    }
    let accepted = simulator.calls().log_analytics.rows["CiscoDuo_CL"];
    let repeated = simulator.report().await.duplicates();
    simulator.faults().clear();
    lose_checkpoints(state.path(), &WITH_ID);
    host.catch_up(5).await;
    let again = simulator.calls().log_analytics.rows["CiscoDuo_CL"] - accepted;
    assert!((1..=accepted).contains(&again), "{again} of {accepted}");
    assert_nothing_lost(&simulator, repeated + again).await;
}
