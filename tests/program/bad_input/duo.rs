//! Errors of Duo and the network.

use chrono::TimeDelta;
use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::bad_input::start;
use crate::common::{
    Settings, accepted_rows, assert_nothing_lost, in_one_hour, running_with, temporary_folder,
    tenant,
};

#[tokio::test]
async fn truncated_and_invalid_responses_are_retried() {
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
        simulator.faults().push(Fault::once(Target::Duo(LogType::Activity), kind.clone()).after(2));
        simulator.faults().push(Fault::once(Target::Duo(LogType::Administrator), kind.clone()));
        host.catch_up(5).await;
        assert_eq!(simulator.faults().pending(), 0, "{kind:?} did not occur");
        assert_nothing_lost(&simulator, 0).await;
    }
}

#[tokio::test]
async fn persistent_invalid_responses_fail_only_their_log() {
    for kind in [FaultKind::NotJson, FaultKind::WrongEnvelope] {
        let (simulator, host, _state) = start(12, 60).await;
        simulator.faults().push(Fault::always(Target::Duo(LogType::Activity), kind.clone()));
        let invocation = host.fire().await;
        invocation.assert_failed();
        assert_eq!(invocation.outcome("activity"), "failed");
        let text = invocation.message("activity");
        assert!(text.contains("HTTP 200") && text.contains("CISCO_DUO_API_HOSTNAME"), "{text}");
        let others = invocation.outcomes();
        assert_eq!(
            others.iter().filter(|outcome| **outcome == "caught_up").count(),
            5,
            "{others:?}"
        );
        simulator.faults().clear();
        host.deliver_all(&simulator, 0).await;
    }
}

#[tokio::test]
async fn a_page_of_a_proxy_is_named_whatever_its_status_is() {
    // Without a look at the body, 403, 404 and 410 make a log unavailable or retired.
    for status in [200, 401, 403, 404, 410] {
        let (simulator, host, _state) = start(23, 60).await;
        let page = FaultKind::Intercepted(status);
        simulator.faults().push(Fault::always(Target::AnyDuo, page));
        let invocation = host.fire().await;
        invocation.assert_failed();
        assert_eq!(invocation.outcomes(), ["failed"; 6], "{status}");
        let text = invocation.message("administrator");
        let expected = format!("Duo returned HTTP {status}");
        assert!(text.contains(&expected), "{text}");
        for expected in ["an HTML page instead of JSON; a proxy", "CISCO_DUO_API_HOSTNAME"] {
            assert!(text.contains(expected), "{status}: {text}");
        }
        simulator.faults().clear();
        host.deliver_all(&simulator, 0).await;
    }
}

#[tokio::test]
async fn compressed_pages_are_read_like_plain_ones() {
    let (simulator, host, _state) = start(24, 300).await;
    simulator.faults().push(Fault::always(Target::AnyDuo, FaultKind::Gzip));
    host.deliver_all(&simulator, 0).await;
    for (log, counts) in simulator.counts().duo {
        assert!(counts.compressed > 0 && counts.compressed == counts.pages, "{log}: {counts:?}");
    }
}

#[tokio::test]
async fn a_compression_bomb_costs_bounded_memory_and_fails_only_its_log() {
    let (simulator, host, _state) = start(25, 60).await;
    simulator.faults().push(Fault::always(Target::Duo(LogType::Telephony), FaultKind::GzipBomb));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let text = invocation.message("telephony");
    assert!(text.contains("the response is larger than 67108864 bytes"), "{text}");
    let others = invocation.outcomes();
    assert_eq!(others.iter().filter(|outcome| **outcome == "caught_up").count(), 5, "{others:?}");
    // Of 1 GiB.
    let peak = host.peak_memory();
    assert!(peak < 256 << 20, "{peak} bytes of memory");
    simulator.faults().clear();
    host.deliver_all(&simulator, 0).await;
}

#[tokio::test]
async fn a_record_that_is_not_an_object_is_delivered_as_text() {
    let mut config = tenant(13, 120);
    let rows = temporary_folder();
    config.rows_dir = Some(rows.path().to_owned());
    // So that the first page has records.
    let start = in_one_hour(&mut config);
    let from_start = |settings: Settings, _: &_| settings.with("CISCO_DUO_START_TIME", start);
    let (simulator, host, _state) = running_with(config, from_start).await;
    simulator
        .faults()
        .push(Fault::once(Target::Duo(LogType::Authentication), FaultKind::NotAnObject));
    simulator
        .faults()
        .push(Fault::once(Target::Duo(LogType::OfflineEnrollment), FaultKind::NotAnObject));
    host.catch_up(5).await;
    assert_eq!(simulator.faults().pending(), 0, "{:?}", simulator.faults().hits());
    let report = simulator.report().await;
    assert_eq!(report.missing(), 0, "{report:#?}");
    // The simulator does not recognize them as its own events.
    assert_eq!(
        report.unknown_rows, 2,
        "{} {} {:?}",
        report.unknown_rows, report.altered_rows, report.first_problems
    );
    let rows = accepted_rows(rows.path(), "CiscoDuo_CL").into_iter();
    assert_eq!(rows.filter(|row| row["raw_record"] == r#""not an event""#).count(), 2);
}

#[tokio::test]
async fn a_repeated_or_refused_cursor_and_a_short_count_restart_the_window() {
    let cases = [
        (FaultKind::RepeatCursor, "a cursor that it had returned before"),
        (FaultKind::BadCursor, "refused its own cursor"),
        (FaultKind::ShortCount, "fewer records than it counted"),
    ];
    for (kind, expected) in cases {
        let (simulator, mut host, _state) = start(15, 900).await;
        simulator
            .faults()
            .push(Fault::once(Target::Duo(LogType::Authentication), kind.clone()).after(2));
        host.catch_up(5).await;
        assert_eq!(simulator.faults().pending(), 0, "{kind:?} did not occur");
        host.stop().await;
        let warnings = host.stderr().join("\n");
        assert!(warnings.contains("WARN") && warnings.contains(expected), "{kind:?}: {warnings}");
        assert_nothing_lost(&simulator, 0).await;
    }
}

#[tokio::test]
async fn a_cursor_that_always_repeats_fails_its_log_with_a_clear_message() {
    let (simulator, host, _state) = start(16, 900).await;
    simulator
        .faults()
        .push(Fault::always(Target::Duo(LogType::Telephony), FaultKind::RepeatCursor));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let text = invocation.message("telephony");
    assert!(
        text.contains("a cursor that it had returned before, twice; the checkpoint is kept"),
        "{text}"
    );
    assert!(simulator.counts().duo[&LogType::Telephony].requests < 20, "too many requests");
    simulator.faults().clear();
    host.deliver_all(&simulator, 0).await;
}

#[tokio::test]
async fn a_wrong_clock_is_reported() {
    let (simulator, mut host, _state) = start(18, 60).await;
    simulator.clock().set_offset(TimeDelta::minutes(-10));
    let invocation = host.fire().await;
    invocation.assert_failed();
    let text = invocation.message("authentication");
    assert!(text.contains("40105") && text.contains("s ahead of Duo's"), "{text}");
    host.stop().await;
    let errors = host.stderr().join("\n");
    assert!(errors.contains("s ahead of Duo's; correct it"), "{errors}");
}

#[tokio::test]
async fn a_hanging_service_times_out_and_the_log_backs_off() {
    let short =
        |settings: Settings, _: &Simulator| settings.with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "2");
    let (simulator, host, _state) = running_with(tenant(22, 60), short).await;
    simulator.faults().push(Fault::once(Target::Duo(LogType::Activity), FaultKind::Hang));
    simulator.faults().push(Fault::once(Target::LogAnalytics, FaultKind::Hang));
    let invocation = host.fire().await;
    assert_eq!(invocation.outcome("activity"), "backing_off");
    assert!(invocation.message("activity").contains("no response in time"));
    assert!(invocation.has_succeeded(), "backing off is not a failure");
    host.deliver_all(&simulator, 0).await;
}
