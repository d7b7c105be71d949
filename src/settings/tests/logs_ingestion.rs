//! The settings of the Logs Ingestion API.

use super::{KEY, error, read, required};
use crate::settings::{
    Cloud, Environment, IdentitySettings, IngestionSettings, LogsIngestionSettings, Settings,
};

const RULE_ID: &str = "dcr-0123456789abcdef0123456789ABCDEF";

/// The required settings for the Logs Ingestion API only.
fn logs_ingestion_settings() -> Environment {
    required()
        .with("WORKSPACE_ID", "")
        .with("SHARED_KEY", "")
        .with("LOGS_INGESTION_ENDPOINT", "https://Duo-5kyl.eastus-1.ingest.monitor.azure.com/")
        .with("LOGS_INGESTION_RULE_ID", RULE_ID)
}

fn logs_ingestion(environment: &Environment) -> LogsIngestionSettings {
    match read(environment).sink.ingestion {
        IngestionSettings::LogsIngestion(settings) => settings,
        IngestionSettings::DataCollector(_) => panic!("the Data Collector API"),
    }
}

/// The errors after one setting is changed.
fn ingestion_error(name: &str, value: &str) -> String {
    Settings::read(&logs_ingestion_settings().with(name, value)).unwrap_err().to_string()
}

#[test]
fn a_rule_and_its_endpoint_select_the_logs_ingestion_api() {
    let settings = logs_ingestion(&logs_ingestion_settings());
    assert_eq!(settings.origin, "https://duo-5kyl.eastus-1.ingest.monitor.azure.com");
    assert_eq!(settings.rule_id, RULE_ID.to_lowercase());
    assert_eq!(settings.stream, "Custom-CiscoDuo");
    assert!(settings.gzip);
    assert_eq!(settings.identity, (IdentitySettings::Managed(None), Cloud::Public));
    let changed = logs_ingestion_settings()
        .with("LOGS_INGESTION_STREAM", "Custom-Mine_2")
        .with("LOGS_INGESTION_GZIP", "off")
        .with("LOGS_INGESTION_ENDPOINT", "http://127.0.0.1:8080")
        .with("AZURE_CLIENT_ID", "the-client");
    let settings = logs_ingestion(&changed);
    assert_eq!(settings.stream, "Custom-Mine_2");
    assert!(!settings.gzip);
    assert_eq!(settings.origin, "http://127.0.0.1:8080");
    let managed = IdentitySettings::Managed(Some("the-client".to_owned()));
    assert_eq!(settings.identity.0, managed);
    // If both are set, the Logs Ingestion API is used.
    let both = logs_ingestion_settings()
        .with("WORKSPACE_ID", "11111111-2222-3333-4444-555555555555")
        .with("SHARED_KEY", KEY);
    logs_ingestion(&both);
}

#[test]
fn an_incomplete_rule_is_an_error() {
    let shown = ingestion_error("LOGS_INGESTION_RULE_ID", "");
    assert!(shown.contains("LOGS_INGESTION_RULE_ID") && shown.contains("is not set"));
    assert!(!shown.contains("WORKSPACE_ID"), "{shown}");
    let shown = error("LOGS_INGESTION_RULE_ID", RULE_ID);
    assert!(shown.contains("LOGS_INGESTION_ENDPOINT") && shown.contains("is not set"));
}

#[test]
fn tokens_are_sent_only_to_azure_monitor_and_loopback_addresses() {
    for wrong in [
        "http://duo.eastus-1.ingest.monitor.azure.com",
        "https://ingest.monitor.azure.com",
        "https://.ingest.monitor.azure.com",
        "https://example.com",
        "https://duo.ingest.monitor.azure.com.example.com",
        "https://example.com/.ingest.monitor.azure.com",
        "https://user@duo.ingest.monitor.azure.com",
        "https://duo.ingest.monitor.azure.com:8443",
        "http://192.0.2.1:8080",
    ] {
        let shown = ingestion_error("LOGS_INGESTION_ENDPOINT", wrong);
        assert!(shown.contains("is not of the form"), "{wrong}: {shown}");
    }
    for wrong in ["ciscoduo", "dcr-123", "dcr-0123456789abcdef0123456789abcdeg"] {
        let shown = ingestion_error("LOGS_INGESTION_RULE_ID", wrong);
        assert!(shown.contains("immutable ID"), "{wrong}");
    }
    for wrong in ["CiscoDuo", "Custom-", "Custom-a/b", "Microsoft-Event"] {
        let shown = ingestion_error("LOGS_INGESTION_STREAM", wrong);
        assert!(shown.contains("streamDeclarations"), "{wrong}");
    }
    assert!(ingestion_error("LOGS_INGESTION_GZIP", "yes").contains("on or off"));
}

#[test]
fn endpoint_and_cloud_must_match() {
    for (cloud, end) in [("public", "com"), ("usgov", "us"), ("china", "cn")] {
        let endpoint = format!("https://duo.region-1.ingest.monitor.azure.{end}");
        let there = logs_ingestion_settings().with("LOGS_INGESTION_ENDPOINT", &endpoint);
        logs_ingestion(&there.clone().with("CISCO_DUO_CLOUD", cloud));
        let other = if cloud == "china" { "usgov" } else { "china" };
        let shown = Settings::read(&there.with("CISCO_DUO_CLOUD", other)).unwrap_err();
        let shown = shown.to_string();
        assert!(shown.contains(&format!("set it to {cloud}")), "{shown}");
    }
}

#[test]
fn fingerprints_differ_between_destinations() {
    let fingerprint = |environment: &Environment| read(environment).sink.fingerprint();
    let here = logs_ingestion_settings();
    let mut seen = vec![fingerprint(&required()), fingerprint(&here)];
    let other_rule = "dcr-ffffffffffffffffffffffffffffffff";
    seen.push(fingerprint(&here.clone().with("LOGS_INGESTION_RULE_ID", other_rule)));
    seen.push(fingerprint(&here.clone().with("LOGS_INGESTION_STREAM", "Custom-Other")));
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
    // Compression does not change the destination.
    assert_eq!(fingerprint(&here), fingerprint(&here.clone().with("LOGS_INGESTION_GZIP", "off")));
}

#[test]
fn an_incomplete_application_is_an_error() {
    for (name, other, missing) in [
        ("AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"),
        ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"),
        ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"),
    ] {
        let half = logs_ingestion_settings().with(name, "value").with(other, "value");
        let shown = Settings::read(&half).unwrap_err().to_string();
        assert!(shown.contains(missing) && shown.contains(name), "{shown}");
        read(&half.with(missing, "value"));
    }
}
