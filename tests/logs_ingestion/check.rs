//! `check` looks at the road that is chosen.

use simulator::{Fault, FaultKind, LogType, Simulator, Target};
use tokio::process::Command;

use crate::common::{FunctionsHost, Settings, binary, temporary_folder, tenant_with_rule};

/// Exit code and what was found, as JSON.
async fn check(settings: &Settings) -> (Option<i32>, Vec<serde_json::Value>) {
    let mut command = Command::new(binary());
    command
        .args(["check", "--json"])
        .env_clear()
        .envs(settings.iter());
    let output = command.output().await.unwrap();
    let findings = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        findings.unwrap_or_else(|fault| panic!("{fault}: {output:?}")),
    )
}

fn finding<'f>(findings: &'f [serde_json::Value], subject: &str) -> &'f serde_json::Value {
    let found = findings
        .iter()
        .find(|finding| finding["subject"] == subject);
    found.unwrap_or_else(|| panic!("nothing about {subject}: {findings:#?}"))
}

#[tokio::test]
async fn check_tries_the_rule_and_sends_no_row() {
    let simulator = Simulator::start(tenant_with_rule(61, 10)).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path()).by_logs_ingestion(&simulator);
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    let azure = finding(&findings, "Azure Monitor");
    let message = azure["message"].as_str().unwrap();
    assert!(message.contains("data collection rule"), "{message}");
    let calls = simulator.calls();
    assert_eq!(calls.log_analytics.requests, 0);
    assert_eq!(calls.logs_ingestion.rows.values().sum::<u64>(), 0);
    let forbidden = Fault::always(Target::LogsIngestion, FaultKind::Forbidden);
    simulator.faults().push(forbidden);
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(1));
    let hint = finding(&findings, "Azure Monitor")["hint"]
        .as_str()
        .unwrap();
    assert!(hint.contains("Monitoring Metrics Publisher"), "{hint}");
}

#[tokio::test]
async fn fields_that_nobody_knew_of_are_counted_and_listed_by_name_only() {
    let mut config = tenant_with_rule(62, 0);
    config.volumes = [(LogType::Authentication, 300), (LogType::Activity, 60)].into();
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path()).by_logs_ingestion(&simulator);
    let (_, findings) = check(&settings).await;
    let listed = |findings: &[serde_json::Value]| -> Vec<String> {
        let subjects = findings.iter().map(|finding| &finding["subject"]);
        let subjects = subjects.map(|subject| subject.as_str().unwrap().to_owned());
        subjects
            .filter(|subject| subject.starts_with("fields "))
            .collect()
    };
    assert!(listed(&findings).is_empty());
    let mut host = FunctionsHost::start(&settings).await;
    host.catch_up(5).await;
    host.stop().await;
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0));
    // The simulated Duo sends fields that no source names, in one of these logs.
    assert_eq!(listed(&findings), ["fields authentication"]);
    let message = finding(&findings, "fields authentication")["message"]
        .as_str()
        .unwrap();
    let file = state
        .path()
        .join("127.0.0.1/self/authentication/fields.json");
    let stored = std::fs::read_to_string(file).unwrap();
    for name in [
        "trusted_session_info_session_serial",
        "trusted_session_info_session_drift",
    ] {
        assert!(
            message.contains(&format!("{name} (")) && stored.contains(name),
            "{message}"
        );
    }
    assert!(
        !message.contains("adaptive_trust") && !stored.contains("9007199254740993"),
        "{stored}"
    );
}
