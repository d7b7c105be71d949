mod logs_ingestion;
mod storage;

use super::{CATALOG, Environment, IngestionSettings, Settings, SignatureVersion};
use chrono::TimeDelta;

use crate::model::{HOUR, LogType, Millis};

const KEY: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

fn required() -> Environment {
    Environment::from([
        ("CISCO_DUO_INTEGRATION_KEY", "DIFAKEFAKEFAKEFAKE01"),
        ("CISCO_DUO_SECRET_KEY", "fakefakefakefakefakefakefakefakefakefake"),
        ("CISCO_DUO_API_HOSTNAME", "api-00000000.duosecurity.com"),
        ("WORKSPACE_ID", "11111111-2222-3333-4444-555555555555"),
        ("SHARED_KEY", KEY),
        ("AzureWebJobsStorage", "UseDevelopmentStorage=true"),
    ])
}

fn read(environment: &Environment) -> Settings {
    Settings::read(environment).unwrap()
}

/// The origin of the destination.
fn origin(settings: &Settings) -> &str {
    match &settings.sink.ingestion {
        IngestionSettings::DataCollector(settings) => &settings.origin,
        IngestionSettings::LogsIngestion(settings) => &settings.origin,
    }
}

/// The errors after one setting is changed.
fn error(name: &str, value: &str) -> String {
    Settings::read(&required().with(name, value)).unwrap_err().to_string()
}

#[test]
fn the_required_settings_are_sufficient() {
    let settings = read(&required());
    assert_eq!(settings.log_types, LogType::ALL);
    assert_eq!(settings.signature, SignatureVersion::V5);
    assert_eq!(
        origin(&settings),
        "https://11111111-2222-3333-4444-555555555555.ods.opinsights.azure.com"
    );
    assert!(!settings.sink.is_dated_by_event);
    let limits = &settings.limits;
    let spans = [limits.longest_window, limits.window_delay, limits.run_time_limit];
    assert_eq!(spans, [TimeDelta::days(7), TimeDelta::minutes(3), TimeDelta::seconds(50)]);
    assert_eq!(limits.first_window, HOUR);
    assert_eq!(limits.requests_per_minute, 10);
}

#[test]
fn all_errors_are_reported_at_once_with_hints() {
    let environment = Environment::from([
        (
            "CISCO_DUO_SECRET_KEY",
            "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/duo/)",
        ),
        ("CISCO_DUO_API_HOSTNAME", "https://admin-00000000.duosecurity.com/login"),
        ("CISCO_DUO_LOG_TYPES", "authn,telephony,users"),
        ("WORKSPACE_ID", "my-workspace"),
        ("SHARED_KEY", "not base64"),
        ("CISCO_DUO_WINDOW_DELAY_SECONDS", "60"),
    ]);
    let shown = Settings::read(&environment).unwrap_err().to_string();
    let expected = include_str!("../../../tests/expected/settings-faults.txt");
    assert_eq!(format!("{shown}\n"), expected);
}

/// Each setting is read in at least one of these environments.
#[test]
fn every_setting_of_the_catalog_is_read() {
    let by_rule = required()
        .with("LOGS_INGESTION_ENDPOINT", "http://127.0.0.1:1")
        .with("LOGS_INGESTION_RULE_ID", "dcr-");
    let by_identity = required().with("AzureWebJobsStorage", "");
    for setting in CATALOG {
        let is_read = [required(), by_rule.clone(), by_identity.clone()].map(|environment| {
            let unresolved = environment.with(setting.name, "@Microsoft.KeyVault(VaultName=v)");
            let errors = Settings::read(&unresolved).map_or_else(|errors| errors.0, |_| Vec::new());
            errors.iter().any(|error| {
                error.setting == setting.name && error.problem.contains("was not resolved")
            })
        });
        assert!(is_read.contains(&true), "{} is not read", setting.name);
    }
}

/// The catalog and the reader have the same order of words.
#[test]
fn every_word_of_the_catalog_selects_its_value() {
    let chosen = |name: &str, word: &str| format!("{:?}", read(&required().with(name, word)));
    for (name, word, shown) in [
        ("CISCO_DUO_SIGNATURE", "v5", "signature: V5"),
        ("CISCO_DUO_SIGNATURE", "V2", "signature: V2"),
        ("CISCO_DUO_HEALTH", "on", "health: true"),
        ("CISCO_DUO_HEALTH", "off", "health: false"),
        ("CISCO_DUO_TIME_GENERATED", "ingestion", "is_dated_by_event: false"),
        ("CISCO_DUO_TIME_GENERATED", "event", "is_dated_by_event: true"),
    ] {
        assert!(chosen(name, word).contains(shown), "{name} {word}");
    }
    assert!(error("CISCO_DUO_SIGNATURE", "v3").contains("is not known; use v5 or v2"));
}

#[test]
fn secrets_are_not_shown_by_debug_or_by_errors() {
    let secrets = ["hunter2", "fakefakefake", "AAECAwQF", "sig=abc"];
    let environment =
        required().with("AzureWebJobsStorage", "AccountName=abc;AccountKey=aHVudGVyMg==");
    let shown = format!("{:#?} {environment:#?}", read(&environment));
    let sas = "BlobEndpoint=https://abc.blob.core.windows.net;SharedAccessSignature=?sv=1&sig=abc";
    let shown_too = format!("{:#?}", read(&required().with("AzureWebJobsStorage", sas)));
    let errors = [
        error("SHARED_KEY", "hunter2"),
        error("AzureWebJobsStorage", "AccountName=abc;AccountKey=hunter2"),
        error("AzureWebJobsStorage", "hunter2"),
        error("AzureWebJobsStorage", "AccountKey=hunter2"),
    ];
    for secret in secrets.into_iter().chain(["aHVudGVyMg"]) {
        for text in errors.iter().chain([&shown, &shown_too]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn common_variants_of_the_hostname_are_accepted() {
    for pasted in [
        "API-00000000.DuoSecurity.com",
        "https://api-00000000.duosecurity.com/",
        "api-00000000.duosecurity.com.",
        " https://api-00000000.duosecurity.com/admin/v1?x=1 ",
    ] {
        let duo = read(&required().with("CISCO_DUO_API_HOSTNAME", pasted)).duo;
        assert_eq!(duo.origin, "https://api-00000000.duosecurity.com", "{pasted}");
        assert_eq!(duo.host, "api-00000000.duosecurity.com");
    }
    let federal = required().with("CISCO_DUO_API_HOSTNAME", "api-1a2b3c.duofederal.com");
    assert_eq!(read(&federal).duo.host, "api-1a2b3c.duofederal.com");
}

#[test]
fn only_hosts_of_duo_and_loopback_addresses_are_accepted() {
    let duo = read(&required().with("CISCO_DUO_API_HOSTNAME", "http://127.0.0.1:8080")).duo;
    assert_eq!((duo.origin.as_str(), duo.host.as_str()), ("http://127.0.0.1:8080", "127.0.0.1"));
    for wrong in [
        "http://192.0.2.1:8080",
        "http://127.0.0.1.example.com",
        "api-0.duosecurity.com.example.com",
        "api-0.duosecurity.com:8443",
        "user@api-0.duosecurity.com",
        "api-.duosecurity.com",
        "example.com",
        "http://user@127.0.0.1:1",
    ] {
        assert!(
            error("CISCO_DUO_API_HOSTNAME", wrong).contains("api-XXXXXXXX.duosecurity.com"),
            "{wrong}"
        );
    }
    assert!(error("CISCO_DUO_API_HOSTNAME", "sso-0.duosecurity.com").contains("begins with api-"));
}

#[test]
fn the_endpoint_must_match_the_workspace() {
    let id = "11111111-2222-3333-4444-555555555555";
    let uri = format!("https://{id}.ods.opinsights.azure.us/");
    let dedicated = read(&required().with("logAnalyticsUri", &uri));
    assert_eq!(origin(&dedicated), uri.trim_end_matches('/'));
    for wrong in [
        "http://11111111-2222-3333-4444-555555555555.ods.opinsights.azure.us",
        "https://example.com",
        "x",
    ] {
        assert!(error("logAnalyticsUri", wrong).contains("ods.opinsights.azure.us"), "{wrong}");
    }
    let other = "https://99999999-2222-3333-4444-555555555555.ods.opinsights.azure.us";
    assert!(error("logAnalyticsUri", other).contains("names the workspace"));
    let local = required().with("logAnalyticsUri", "http://127.0.0.1:9");
    assert_eq!(origin(&read(&local)), "http://127.0.0.1:9");
}

#[test]
fn log_types_may_have_spaces_duplicates_and_capitals() {
    let settings =
        read(&required().with("CISCO_DUO_LOG_TYPES", " Telephony, authentication ,telephony,"));
    assert_eq!(settings.log_types, [LogType::Telephony, LogType::Authentication]);
    assert!(error("CISCO_DUO_LOG_TYPES", ",").contains("names no log"));
}

#[test]
fn errors_of_numbers_name_the_bounds() {
    assert!(error("CISCO_DUO_WINDOW_DELAY_SECONDS", "119").contains("from 120 to 86400"));
    assert!(error("CISCO_DUO_LOOKBACK_HOURS", "4321").contains("from 1 to 4320"));
    assert!(error("CISCO_DUO_REQUESTS_PER_MINUTE", "ten").contains("from 0 to 600"));
    assert_eq!(
        read(&required().with("CISCO_DUO_REQUESTS_PER_MINUTE", "0")).limits.requests_per_minute,
        0
    );
}

#[test]
fn the_start_is_one_time_or_one_per_log() {
    let noon = Millis(1_795_348_800_000);
    let now = noon + TimeDelta::hours(10);
    for text in ["2026-11-22T12:00:00Z", "1795348800", "1795348800000", "2026-11-22T13:00:00+01:00"]
    {
        let start = read(&required().with("CISCO_DUO_START_TIME", text)).start;
        assert_eq!(start.of(LogType::Activity, now), (noon, true), "{text}");
    }
    let each = "authentication=1795348800, 2026-11-22T13:00:00Z";
    let start = read(&required().with("CISCO_DUO_START_TIME", each)).start;
    assert_eq!(start.of(LogType::Authentication, now), (noon, true));
    assert_eq!(start.of(LogType::Activity, now), (noon + HOUR, true));
    let day_ago = (now - TimeDelta::hours(24), false);
    assert_eq!(read(&required()).start.of(LogType::Activity, now), day_ago);
    assert!(error("CISCO_DUO_START_TIME", "yesterday").contains("is not a time"));
    assert!(
        error("CISCO_DUO_START_TIME", "users=1795348800").contains("\"users\" is not a Duo log")
    );
}

#[test]
fn an_error_about_a_value_with_line_breaks_is_one_line() {
    let problem = error("CISCO_DUO_LOG_TYPES", "auth\r\n\u{1b}[31mtication");
    // The headline and the line of the setting.
    assert_eq!(problem.lines().count(), 2, "{problem:?}");
    assert!(!problem.contains(['\r', '\u{1b}']), "{problem:?}");
}

#[test]
fn a_run_ends_a_minute_before_the_host_would_kill_it() {
    let name = "AzureFunctionsJobHost__functionTimeout";
    let budget = |timeout: &str| read(&required().with(name, timeout)).limits.run_time_limit;
    assert_eq!(budget("00:10:00"), TimeDelta::milliseconds(50_000));
    assert_eq!(budget("00:01:30"), TimeDelta::milliseconds(45_000));
    assert_eq!(budget("00:01:40"), TimeDelta::milliseconds(50_000));
    assert_eq!(budget("00:00:30"), TimeDelta::milliseconds(15_000));
    let long = required().with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "3000");
    assert_eq!(
        read(&long.clone().with(name, "-1")).limits.run_time_limit,
        TimeDelta::milliseconds(3_000_000)
    );
    assert_eq!(read(&long).limits.run_time_limit, TimeDelta::milliseconds(240_000));
    let mut environment = long;
    environment.host_json = Some(r#"{"version":"2.0","functionTimeout":"00:10:00"}"#.to_owned());
    assert_eq!(read(&environment).limits.run_time_limit, TimeDelta::milliseconds(540_000));
    assert!(error(name, "10 minutes").contains("hh:mm:ss"));
}
