//! Where the findings of the hourly check are shown: log output, status page, JSON and terminal.

use chrono::TimeDelta;
use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::common::app::{App, json, page};
use crate::common::{duo_sentinel, temporary_folder, tenant};
use crate::diagnostics::hourly::{CHECK, lines};

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_shown_everywhere_with_a_hint_and_without_texts_of_duo() {
    let simulator = Simulator::start(tenant(49, 20)).await.unwrap();
    let refused = Fault::always(Target::Duo(LogType::Activity), FaultKind::Status(400));
    simulator.faults().push(refused);
    let app = App::of(simulator, "hourly-reported", &[]).await;
    app.host.fire().await.assert_failed();
    // The runs report the problem: the check does not raise it a second time.
    let logged = lines(&app.host);
    assert_eq!(logged.len(), 1, "{logged:#?}");
    assert!(
        logged[0].contains(" INFO ") && logged[0].contains("errors that runs report"),
        "{logged:#?}"
    );
    assert!(logged[0].contains("Duo activity"), "{logged:#?}");

    let status = app.json().await;
    let errors = status["check"]["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let problem = &errors[0];
    assert_eq!(problem["subject"], "Duo activity");
    assert_eq!((&problem["code"], &problem["http_status"]), (&"duo_refused".into(), &400.into()));
    let shown = page(&app.web).await.body;
    let terminal = async |arguments: &[&str]| {
        let folder = temporary_folder();
        let output = duo_sentinel(&app.settings, folder.path(), arguments).await;
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = terminal(&["status"]).await;
    for text in [problem["message"].as_str().unwrap(), "Duo Support"] {
        assert!(shown.contains(text), "{text} is not on the page");
        assert!(listed.contains(text), "{text} is not in:\n{listed}");
    }
    // The error message of the simulated Duo.
    let words = "Invalid request parameters";
    assert!(terminal(&["check"]).await.contains(words));
    let stored = String::from_utf8(app.container.read(CHECK).await.unwrap()).unwrap();
    for text in [&stored, &shown, &listed, &status.to_string()] {
        assert!(!text.contains(words) && !text.contains("40002"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_no_run_reports_is_a_warning_once() {
    let simulator = Simulator::start(tenant(50, 20)).await.unwrap();
    let slow = FaultKind::BadDate { offset: Some(TimeDelta::minutes(5)) };
    simulator.faults().push(Fault::always(Target::AnyDuo, slow));
    let app = App::of(simulator, "hourly-clock", &[]).await;
    for _ in 0..3 {
        assert!(app.host.fire().await.is_caught_up());
    }
    let logged = lines(&app.host);
    assert_eq!(logged.len(), 1, "{logged:#?}");
    assert!(logged[0].contains(" WARN ") && logged[0].contains("clock"), "{logged:#?}");
    let status = json(&app.web).await;
    assert_eq!(status["check"]["errors"][0]["code"], "clock");
}
