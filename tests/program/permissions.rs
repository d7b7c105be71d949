//! Logs that Duo forbids: which of them are an error of a run and of `check`.

use std::path::Path;

use serde_json::Value;
use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{
    FunctionsHost, Settings, accepted_rows, assert_nothing_lost, duo_sentinel, get,
    temporary_folder, tenant,
};
use crate::diagnostics::{about, check};

const FAILED: [&str; 5] =
    ["authentication", "administrator", "telephony", "offline_enrollment", "activity"];

/// A tenant that keeps accepted rows in this folder.
async fn start(rows: &Path) -> Simulator {
    let config = Config { rows_dir: Some(rows.to_owned()), ..tenant(71, 20) };
    Simulator::start(config).await.unwrap()
}

/// Duo forbids every log but these, as for an application of another type.
fn forbid_all_but(simulator: &Simulator, permitted: &[LogType]) {
    simulator.faults().clear();
    for log in LogType::ALL.into_iter().filter(|log| !permitted.contains(log)) {
        let kind = FaultKind::WrongIntegrationType;
        simulator.faults().push(Fault::always(Target::Duo(log), kind));
    }
}

fn requests(simulator: &Simulator) -> u64 {
    simulator.counts().duo.values().map(|counts| counts.requests).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_fails_if_duo_permits_no_log_but_trust_monitor() {
    for (permitted, trust_monitor) in
        [(&[][..], "unavailable"), (&[LogType::TrustMonitor], "caught_up")]
    {
        let (rows, folder) = (temporary_folder(), temporary_folder());
        let simulator = start(rows.path()).await;
        forbid_all_but(&simulator, permitted);
        let settings = Settings::in_folder(&simulator, folder.path());
        let mut host = FunctionsHost::start(&settings).await;
        let assert_failed = async || {
            let invocation = host.fire().await;
            invocation.assert_failed();
            for log in FAILED {
                assert_eq!(invocation.outcome(log), "failed", "{log}");
                assert_eq!(invocation.log(log)["code"], "duo_nothing_permitted", "{log}");
                assert!(invocation.message(log).contains("type Admin API"), "{log}");
            }
            assert_eq!(invocation.outcome("trust_monitor"), trust_monitor);
            invocation
        };
        let invocation = assert_failed().await;
        assert!(invocation.message("activity").contains("Wrong integration type for this API."));
        // The next run makes no request for a forbidden log, and fails all the same.
        let before = requests(&simulator);
        assert_failed().await;
        let after = requests(&simulator);
        assert!(!permitted.is_empty() || before == after, "{before} requests, then {after}");

        let page = get(host.port(), "/api/CiscoDuoStatus?format=json").await.unwrap();
        let status: Value = serde_json::from_slice(&page.body).unwrap();
        let failing = status["logs"].as_array().unwrap().iter().filter(|log| {
            log["state"] == "failing" && log["hint"].as_str().unwrap().contains("type Admin API")
        });
        assert_eq!(failing.count(), FAILED.len(), "{status:#}");
        let page = get(host.port(), "/api/CiscoDuoStatus").await.unwrap();
        let page = String::from_utf8(page.body).unwrap();
        assert!(page.contains("Duo permits none of these logs for this application"), "{page}");

        host.stop().await;
        let errors = host.stderr();
        for log in FAILED {
            let of_log = format!("log_type=\"{log}\"");
            let mut lines = errors.iter().filter(|line| line.contains(&of_log));
            assert!(lines.all(|line| line.contains("type Admin API")), "{errors:#?}");
        }
        assert_eq!(errors.len(), 2 * FAILED.len(), "{errors:#?}");
        simulator.report().await;
        let health = accepted_rows(rows.path(), "CiscoDuoHealth_CL");
        let failed = health
            .iter()
            .filter(|row| row["outcome"] == "failed" && row["error"] == "duo_nothing_permitted");
        assert_eq!(failed.count(), FAILED.len(), "{health:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_permitted_log_is_enough_and_the_others_follow_once_permitted() {
    let (rows, folder) = (temporary_folder(), temporary_folder());
    let simulator = start(rows.path()).await;
    forbid_all_but(&simulator, &[LogType::OfflineEnrollment]);
    let settings = Settings::in_folder(&simulator, folder.path());
    let host = FunctionsHost::start(&settings).await;
    for _ in 0..2 {
        let invocation = host.fire().await;
        invocation.summary();
        assert_eq!(invocation.outcome("activity"), "unavailable");
        assert_eq!(invocation.outcome("offline_enrollment"), "caught_up");
    }
    drop(host);
    simulator.faults().clear();
    // The logs are requested again after an hour.
    for log in LogType::ALL {
        let file = folder.path().join(format!("127.0.0.1/self/{log}/checkpoint.json"));
        let mut checkpoint: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        if let Some(unavailable) = checkpoint["unavailable"].as_object_mut() {
            unavailable["requested_at"] = "2026-01-01T00:00:00.000Z".into();
        }
        std::fs::write(&file, checkpoint.to_string()).unwrap();
    }
    FunctionsHost::start(&settings).await.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_run_by_command_fails_if_duo_permits_nothing_also_without_a_request() {
    let (rows, folder) = (temporary_folder(), temporary_folder());
    let simulator = start(rows.path()).await;
    forbid_all_but(&simulator, &[]);
    let settings = Settings::in_folder(&simulator, &folder.path().join("state"));
    for _ in 0..2 {
        let output = duo_sentinel(&settings, folder.path(), &["run"]).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("hint: Use the keys of an application of the type Admin API"));
    }
    let output = duo_sentinel(&settings, folder.path(), &["status"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[tokio::test]
async fn check_warns_about_a_log_that_duo_never_returned_if_it_returns_another() {
    let (rows, folder) = (temporary_folder(), temporary_folder());
    let simulator = start(rows.path()).await;
    let settings = Settings::in_folder(&simulator, folder.path());
    // What `check` reports about the activity log: exit code, ok, warning, code.
    let checked = async |permitted: &[LogType]| {
        forbid_all_but(&simulator, permitted);
        let (code, findings) = check(&settings).await;
        let finding = about(&findings, "Duo activity").unwrap();
        assert!(finding["hint"].is_string(), "{finding}");
        let warning = finding["warning"] == true;
        let error = finding["code"].as_str().unwrap().to_owned();
        (code, finding["ok"] == true, warning, error)
    };
    let error = |code: &str| (Some(1), false, false, code.to_owned());
    let nothing = error("duo_nothing_permitted");
    assert_eq!(checked(&[]).await, nothing);
    assert_eq!(checked(&[LogType::TrustMonitor]).await, nothing);
    let warning = (Some(0), true, true, "duo_forbidden".to_owned());
    assert_eq!(checked(&[LogType::Telephony]).await, warning);
    // Once Duo has returned the log, a refusal is an error.
    simulator.faults().clear();
    duo_sentinel(&settings, folder.path(), &["run"]).await;
    assert_eq!(checked(&[LogType::Telephony]).await, error("duo_forbidden"));
}
