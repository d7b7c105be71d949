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
    config.volumes = [(LogType::Activity, 120)].into();
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path())
        .by_logs_ingestion(&simulator)
        .with("CISCO_DUO_LOG_TYPES", "activity");
    let mut host = FunctionsHost::start(&settings).await;
    host.catch_up(5).await;
    host.stop().await;
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0));
    let is_listed = |findings: &[serde_json::Value]| {
        let subject = |finding: &serde_json::Value| finding["subject"] == "fields activity";
        findings.iter().any(subject)
    };
    // The simulated Duo sends nothing that is not in the schema table.
    assert!(!is_listed(&findings), "{findings:#?}");
    // As a run leaves it behind that saw two.
    let file = state.path().join("127.0.0.1/self/activity/fields.json");
    assert!(!file.exists());
    let counts = r#"{"version":1,"min_reader":1,"fields":{"rare":2,"risk_level":70}}"#;
    std::fs::write(&file, counts).unwrap();
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0));
    let message = finding(&findings, "fields activity")["message"]
        .as_str()
        .unwrap();
    assert!(message.contains("risk_level (70), rare (2)"), "{message}");
}
