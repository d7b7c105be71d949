//! `check` tests the selected API.

use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};
use tempfile::TempDir;

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};
use crate::diagnostics::{about, check};
use crate::logs_ingestion::applications::Scene;

/// A tenant, its settings with this API, and the folder with its state.
async fn scene(config: Config) -> (Simulator, Settings, TempDir) {
    let simulator = Simulator::start(config).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path()).by_logs_ingestion(&simulator);
    (simulator, settings, state)
}

fn finding<'f>(findings: &'f [serde_json::Value], subject: &str) -> &'f serde_json::Value {
    about(findings, subject).unwrap_or_else(|| panic!("nothing about {subject}: {findings:#?}"))
}

#[tokio::test]
async fn check_tests_the_rule_and_sends_no_row() {
    let (simulator, settings, _state) = scene(tenant_with_rule(61, 10)).await;
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    let azure = finding(&findings, "Azure Monitor");
    let message = azure["message"].as_str().unwrap();
    assert!(message.contains("data collection rule"), "{message}");
    let counts = simulator.counts();
    assert_eq!(counts.log_analytics.requests, 0);
    assert_eq!(counts.logs_ingestion.rows.values().sum::<u64>(), 0);
}

#[tokio::test]
async fn unmapped_fields_are_counted_and_listed_by_name_only() {
    let mut config = tenant_with_rule(62, 0);
    config.volumes = [(LogType::Authentication, 300), (LogType::Activity, 60)].into();
    let (_simulator, settings, state) = scene(config).await;
    let (_, findings) = check(&settings).await;
    let listed = |findings: &[serde_json::Value]| -> Vec<String> {
        let subjects = findings.iter().map(|finding| &finding["subject"]);
        let subjects = subjects.map(|subject| subject.as_str().unwrap().to_owned());
        subjects.filter(|subject| subject.starts_with("fields ")).collect()
    };
    assert!(listed(&findings).is_empty());
    let mut host = FunctionsHost::start(&settings).await;
    host.catch_up(5).await;
    host.stop().await;
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0));
    // In one of these logs the simulated Duo sends fields that no source documents.
    assert_eq!(listed(&findings), ["fields authentication"]);
    let message = finding(&findings, "fields authentication")["message"].as_str().unwrap();
    let file = state.path().join("127.0.0.1/self/authentication/fields.json");
    let stored = std::fs::read_to_string(file).unwrap();
    for name in ["trusted_session_info_session_serial", "trusted_session_info_session_drift"] {
        assert!(message.contains(&format!("{name} (")) && stored.contains(name), "{message}");
    }
    assert!(
        !message.contains("adaptive_trust") && !stored.contains("9007199254740993"),
        "{stored}"
    );
}

/// Whether the identity is in order, and the message about it.
async fn identity(settings: &Settings) -> (bool, String) {
    let (_, findings) = check(settings).await;
    let finding = finding(&findings, "identity");
    let message = finding["message"].as_str().unwrap();
    (finding["ok"] == true, message.to_owned())
}

#[tokio::test]
async fn the_identity_of_the_function_app_is_reported() {
    let config = tenant_with_rule(63, 0);
    let user_assigned = config.identity.managed_client_id.clone();
    let (_simulator, settings, _state) = scene(config).await;
    let actual = identity(&settings).await;
    let system_assigned = "token obtained for the system-assigned identity of the function app";
    assert_eq!(actual, (true, system_assigned.to_owned()));
    let settings = settings.with("AZURE_CLIENT_ID", &user_assigned);
    let actual = identity(&settings).await;
    let expected = format!("token obtained for the user-assigned identity {user_assigned}");
    assert_eq!(actual, (true, expected));
}

#[tokio::test]
async fn an_application_is_reported_without_its_secret() {
    let scene = Scene::new(64).await;
    let config = scene.config().identity.clone();
    let with_secret = scene.settings.clone();
    let with_secret = with_secret.with("AZURE_CLIENT_SECRET", &config.client_secret);
    let token_file = scene.folder.path().join("token");
    std::fs::write(&token_file, &config.federated_token).unwrap();
    let workload = scene.settings.clone();
    let workload = workload.with("AZURE_FEDERATED_TOKEN_FILE", token_file.display().to_string());
    for (settings, credential, secret) in [
        (with_secret, "a secret", &config.client_secret),
        (workload, "a federated token", &config.federated_token),
    ] {
        let (code, findings) = check(&settings).await;
        let identity = finding(&findings, "identity");
        let expected =
            format!("token obtained for the application {} with {credential}", config.client_id);
        assert_eq!(identity["message"], expected);
        assert_eq!(code, Some(0), "{findings:#?}");
        let everything = serde_json::to_string(&findings).unwrap();
        assert!(!everything.contains(secret.as_str()), "{everything}");
    }
}

#[tokio::test]
async fn a_missing_token_and_a_missing_role_are_reported() {
    let no_token = "the system-assigned identity of the function app: no token for Azure Monitor";
    for (fault, subject, code, message, hint) in [
        (
            Fault::always(Target::Identity, FaultKind::Status(400)),
            "identity",
            "azure_no_token",
            no_token,
            "AZURE_CLIENT_ID",
        ),
        (
            Fault::always(Target::LogsIngestion, FaultKind::Forbidden),
            "Azure Monitor",
            "azure_credentials",
            "",
            "Monitoring Metrics Publisher",
        ),
    ] {
        let (simulator, settings, _state) = scene(tenant_with_rule(65, 0)).await;
        simulator.faults().push(fault);
        let (exit_code, findings) = check(&settings).await;
        let problem = finding(&findings, subject);
        assert_eq!((exit_code, &problem["code"]), (Some(1), &code.into()), "{problem}");
        assert_eq!(problem["ok"], false, "{problem}");
        assert!(problem["message"].as_str().unwrap().starts_with(message), "{problem}");
        assert!(problem["hint"].as_str().unwrap().contains(hint), "{problem}");
        if subject == "identity" {
            // Later checks are skipped and send no request.
            for skipped in ["Azure Monitor", "health rows"] {
                assert!(findings.iter().all(|finding| finding["subject"] != skipped));
            }
            assert_eq!(simulator.counts().logs_ingestion.requests, 0);
        } else {
            assert_eq!(problem["http_status"], 403);
            assert_eq!(finding(&findings, "identity")["ok"], true);
        }
    }
}

#[tokio::test]
async fn a_rule_of_an_earlier_release_lacks_only_the_health_rows() {
    let mut config = tenant_with_rule(67, 0);
    let streams = &mut config.logs_ingestion.streams;
    streams.retain(|stream| stream.name() == "Custom-CiscoDuo");
    assert_eq!(streams.len(), 1);
    let (_simulator, settings, _state) = scene(config).await;
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(1));
    let problems = findings.iter().filter(|finding| finding["ok"] == false);
    let problems: Vec<&serde_json::Value> = problems.collect();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0]["subject"], "health rows");
    let hint = problems[0]["hint"].as_str().unwrap();
    for advice in ["Custom-CiscoDuoHealth", "data-collection-rule.json", "CISCO_DUO_HEALTH"] {
        assert!(hint.contains(advice), "{hint}");
    }
    let (code, findings) = check(&settings.with("CISCO_DUO_HEALTH", "off")).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    let subjects = findings.iter().map(|finding| &finding["subject"]);
    assert!(subjects.into_iter().all(|subject| subject != "health rows"));
}
