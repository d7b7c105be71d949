//! What Duo and Azure Monitor may answer at their worst: a clear message, and nothing lost.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it is"
)]

mod common;

use std::fs;
use std::path::Path;

use chrono::TimeDelta;
use common::{FunctionsHost, Settings, assert_nothing_lost, temporary_folder, tenant};
use simulator::{Fault, FaultKind, LogType, Simulator, Target};

/// A tenant, its handler with the state in a folder, and the folder.
async fn start(seed: u64, events: u64) -> (Simulator, FunctionsHost, tempfile::TempDir) {
    let simulator = Simulator::start(tenant(seed, events)).await.unwrap();
    let state = temporary_folder();
    let host = FunctionsHost::start(&Settings::in_folder(&simulator, state.path())).await;
    (simulator, host, state)
}

fn message(invocation: &common::Invocation, log: &str) -> String {
    let report = invocation.log(log);
    format!("{} {}", report["message"], report["hint"])
}

#[tokio::test]
async fn answers_that_break_off_or_are_no_answers_are_asked_again() {
    let kinds = [
        FaultKind::Truncated,
        FaultKind::Reset,
        FaultKind::NotJson,
        FaultKind::WrongEnvelope,
        FaultKind::Status(500),
        FaultKind::Status(503),
        FaultKind::EmptyCode,
        FaultKind::BadDate { offset: None },
    ];
    for kind in kinds {
        let (simulator, host, _state) = start(11, 120).await;
        simulator
            .faults()
            .push(Fault::once(Target::Duo(LogType::Activity), kind.clone()).after(2));
        simulator.faults().push(Fault::once(
            Target::Duo(LogType::Administrator),
            kind.clone(),
        ));
        host.catch_up(5).await;
        assert_eq!(simulator.faults().pending(), 0, "{kind:?} never struck");
        assert_nothing_lost(&simulator, 0).await;
    }
}

#[tokio::test]
async fn answers_that_stay_no_envelope_fail_their_log_and_no_other() {
    for kind in [FaultKind::NotJson, FaultKind::WrongEnvelope] {
        let (simulator, host, _state) = start(12, 60).await;
        simulator
            .faults()
            .push(Fault::always(Target::Duo(LogType::Activity), kind.clone()));
        let invocation = host.fire().await;
        invocation.assert_failed();
        assert_eq!(invocation.outcome("activity"), "failed");
        let told = message(&invocation, "activity");
        assert!(
            told.contains("HTTP 200") && told.contains("CISCO_DUO_API_HOSTNAME"),
            "{told}"
        );
        let others = invocation.outcomes();
        assert_eq!(
            others
                .iter()
                .filter(|outcome| **outcome == "caught_up")
                .count(),
            5,
            "{others:?}"
        );
        simulator.faults().clear();
        host.catch_up(5).await;
        assert_nothing_lost(&simulator, 0).await;
    }
}

#[tokio::test]
async fn a_record_that_is_no_event_is_delivered_as_text_and_stops_nothing() {
    let mut config = tenant(13, 120);
    let rows = temporary_folder();
    config.rows_dir = Some(rows.path().to_owned());
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let host = FunctionsHost::start(&Settings::in_folder(&simulator, state.path())).await;
    simulator.faults().push(Fault::once(
        Target::Duo(LogType::Authentication),
        FaultKind::NotAnObject,
    ));
    simulator.faults().push(Fault::once(
        Target::Duo(LogType::OfflineEnrollment),
        FaultKind::NotAnObject,
    ));
    host.catch_up(5).await;
    assert_eq!(
        simulator.faults().pending(),
        0,
        "{:?}",
        simulator.faults().struck()
    );
    let report = simulator.report().await;
    assert_eq!(report.missing(), 0, "{report:#?}");
    // The simulator does not know them as events of its own.
    assert_eq!(
        report.unknown_rows, 2,
        "{} {} {:?}",
        report.unknown_rows, report.altered_rows, report.first_problems
    );
    let rows = fs::read_to_string(rows.path().join("CiscoDuo_CL.ndjson")).unwrap();
    let texts = rows
        .lines()
        .filter(|row| row.contains(r#""raw_record":"\"not an event\"""#))
        .count();
    assert_eq!(texts, 2);
}

#[tokio::test]
async fn a_lone_surrogate_condemns_no_page() {
    let (simulator, host, _state) = start(14, 120).await;
    let log = Target::Duo(LogType::Authentication);
    // On every page: asking again does not help.
    simulator
        .faults()
        .push(Fault::always(log, FaultKind::LoneSurrogate));
    host.catch_up(5).await;
    assert!(simulator.faults().struck()[&log] > 0);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_repeated_or_refused_cursor_and_a_short_count_start_the_window_again() {
    let cases = [
        (FaultKind::RepeatCursor, "a cursor it had given before"),
        (FaultKind::BadCursor, "refused its own cursor"),
        (FaultKind::ShortCount, "fewer records than it counted"),
    ];
    for (kind, told) in cases {
        let (simulator, mut host, _state) = start(15, 900).await;
        simulator
            .faults()
            .push(Fault::once(Target::Duo(LogType::Authentication), kind.clone()).after(2));
        host.catch_up(5).await;
        assert_eq!(simulator.faults().pending(), 0, "{kind:?} never struck");
        host.stop().await;
        let warnings = host.stderr().join("\n");
        assert!(
            warnings.contains("WARN") && warnings.contains(told),
            "{kind:?}: {warnings}"
        );
        assert_nothing_lost(&simulator, 0).await;
    }
}

#[tokio::test]
async fn a_cursor_that_repeats_for_ever_stops_its_log_with_a_clear_message() {
    let (simulator, host, _state) = start(16, 900).await;
    simulator.faults().push(Fault::always(
        Target::Duo(LogType::Telephony),
        FaultKind::RepeatCursor,
    ));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let told = message(&invocation, "telephony");
    assert!(
        told.contains("a cursor it had given before, twice; the place of the log is kept"),
        "{told}"
    );
    assert!(
        simulator.calls().duo[&LogType::Telephony].requests < 20,
        "asked for ever"
    );
    simulator.faults().clear();
    host.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_page_of_known_events_only_sends_nothing_again() {
    let (simulator, host, state) = start(17, 120).await;
    host.catch_up(5).await;
    let accepted = simulator.calls().log_analytics.accepted;
    // The place is lost, the ledger is not: everything is read again from the start.
    for log in LogType::ALL {
        let place = state
            .path()
            .join(format!("127.0.0.1/self/{log}/checkpoint.json"));
        fs::remove_file(place).unwrap();
    }
    host.catch_up(5).await;
    assert_eq!(simulator.calls().log_analytics.accepted, accepted);
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_clock_that_is_minutes_off_is_named() {
    let (simulator, mut host, _state) = start(18, 60).await;
    simulator.clock().set_offset(TimeDelta::minutes(-10));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let told = message(&invocation, "authentication");
    assert!(
        told.contains("40105") && told.contains("s ahead of Duo's"),
        "{told}"
    );
    host.stop().await;
    let errors = host.stderr().join("\n");
    assert!(errors.contains("s ahead of Duo's; correct it"), "{errors}");
}

#[tokio::test]
async fn a_record_that_the_service_refuses_is_found_named_and_loses_no_other() {
    let mut config = tenant(19, 120);
    let rows = temporary_folder();
    config.rows_dir = Some(rows.path().to_owned());
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let mut host = FunctionsHost::start(&Settings::in_folder(&simulator, state.path())).await;
    let needle = known_id(&simulator, rows.path()).await;
    let refused = FaultKind::InvalidRecord {
        needle: needle.clone(),
    };
    simulator
        .faults()
        .push(Fault::always(Target::LogAnalytics, refused));
    let invocation = host.fire().await;
    assert!(invocation.has_succeeded());
    assert!(invocation.is_caught_up(), "{:?}", invocation.outcomes());
    let report = invocation.log("telephony");
    assert_eq!(report["dead_letters"], 1, "{report:#}");
    // Its original is kept, and named without its content.
    let folder = state.path().join("dead-letter/127.0.0.1/self/telephony");
    let letters: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .flat_map(|date| fs::read_dir(date.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    let uid = letter.file_stem().unwrap().to_str().unwrap();
    let letter: serde_json::Value = serde_json::from_slice(&fs::read(letter).unwrap()).unwrap();
    assert_eq!(letter["event_uid"], uid);
    let why = serde_json::json!({"reason": "refused", "status": 400, "code": "InvalidDataFormat"});
    assert_eq!(letter["why"], why);
    let original: serde_json::Value =
        serde_json::from_str(letter["original"].as_str().unwrap()).unwrap();
    assert_eq!(original["telephony_id"], needle);
    host.stop().await;
    let told = host.stderr();
    assert!(
        told.len() == 1 && told[0].contains("WARN") && told[0].contains(uid),
        "{told:?}"
    );
    let said = host.stdout().join("\n") + &told[0];
    assert!(!said.contains(&needle), "{said}");
    // Every other record was delivered, and none is sent again, whoever reads them again.
    host.restart().await;
    for _ in 0..6 {
        host.fire().await.summary();
    }
    let report = simulator.report().await;
    assert_eq!(
        (report.missing(), report.duplicates()),
        (1, 0),
        "{report:#?}"
    );
    assert_eq!(report.logs[&LogType::Telephony].missing, 1);
    assert_eq!((report.altered_rows, report.unknown_rows), (0, 0));
}

#[tokio::test]
async fn a_service_that_refuses_every_record_gets_none_set_aside() {
    let (simulator, host, state) = start(24, 40).await;
    // In every row.
    let needle = "event_uid".to_owned();
    simulator.faults().push(Fault::always(
        Target::LogAnalytics,
        FaultKind::InvalidRecord { needle },
    ));
    let invocation = host.fire().await;
    invocation.assert_failed();
    for log in LogType::ALL {
        assert_eq!(invocation.outcome(log.name()), "failed");
        let told = message(&invocation, log.name());
        assert!(
            told.contains("event_uid ") && told.contains("InvalidDataFormat"),
            "{told}"
        );
    }
    assert!(!state.path().join("dead-letter").exists());
    simulator.faults().clear();
    host.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
}

/// The id of a telephony event, from a simulator of the same tenant whose rows were all taken.
async fn known_id(simulator: &Simulator, _rows: &Path) -> String {
    let twin_rows = temporary_folder();
    let config = simulator::Config {
        duo_port: 0,
        log_analytics_port: 0,
        rows_dir: Some(twin_rows.path().to_owned()),
        ..simulator.config().clone()
    };
    let twin = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let settings =
        Settings::in_folder(&twin, state.path()).with("CISCO_DUO_LOG_TYPES", "telephony");
    FunctionsHost::start(&settings).await.catch_up(5).await;
    twin.report().await;
    let rows = fs::read_to_string(twin_rows.path().join("CiscoDuo_CL.ndjson")).unwrap();
    let row: serde_json::Value = serde_json::from_str(rows.lines().nth(60).unwrap()).unwrap();
    row["telephony_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_call_that_the_service_calls_too_large_is_halved() {
    // Above a megabyte only: below, a 404 is a wrong address.
    let mut config = tenant(20, 2000);
    config.max_limit = 1000;
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path())
        .with("CISCO_DUO_LOG_TYPES", "authentication")
        .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", "600");
    let host = FunctionsHost::start(&settings).await;
    simulator
        .faults()
        .push(Fault::once(Target::LogAnalytics, FaultKind::TooLarge));
    host.catch_up(5).await;
    assert_eq!(simulator.faults().pending(), 0);
    let report = simulator.report().await;
    let log = &report.logs[&LogType::Authentication];
    assert_eq!((log.missing, log.duplicates), (0, 0), "{report:#?}");
    // Two pages, the first of them in halves.
    assert!(simulator.calls().log_analytics.accepted >= 3);
}

#[tokio::test]
async fn a_wrong_workspace_address_is_no_reason_to_cut_calls() {
    let (simulator, host, _state) = start(21, 60).await;
    simulator
        .faults()
        .push(Fault::always(Target::LogAnalytics, FaultKind::Status(404)));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let told = message(&invocation, "activity");
    assert!(
        told.contains("HTTP 404") && told.contains("logAnalyticsUri"),
        "{told}"
    );
    assert!(
        simulator.calls().log_analytics.requests <= 6,
        "one call a log, no halves"
    );
    simulator.faults().clear();
    host.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up_and_the_log_waits() {
    let simulator = Simulator::start(tenant(22, 60)).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path()).with("CISCO_DUO_RUN_SECONDS", "2");
    let host = FunctionsHost::start(&settings).await;
    simulator
        .faults()
        .push(Fault::once(Target::Duo(LogType::Activity), FaultKind::Hang));
    simulator
        .faults()
        .push(Fault::once(Target::LogAnalytics, FaultKind::Hang));
    let invocation = host.fire().await;
    assert_eq!(invocation.outcome("activity"), "parked");
    assert!(message(&invocation, "activity").contains("no answer in time"));
    assert!(invocation.has_succeeded(), "a log that waits is no failure");
    host.catch_up(20).await;
    assert_nothing_lost(&simulator, 0).await;
}

#[tokio::test]
async fn a_proxy_is_never_asked_for_this_machine() {
    let simulator = Simulator::start(tenant(23, 40)).await.unwrap();
    let state = temporary_folder();
    let mut settings = Settings::in_folder(&simulator, state.path());
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
    ] {
        // Nobody listens there.
        settings = settings.with(name, "http://127.0.0.1:9");
    }
    FunctionsHost::start(&settings).await.catch_up(5).await;
    assert_nothing_lost(&simulator, 0).await;
}
