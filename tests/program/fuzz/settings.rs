//! Settings from every source: errors are reported without secrets.

use std::fs;

use duo_sentinel::settings::{CATALOG, Environment, Kind, Settings};

use crate::fuzz::damage::SECRET;
use crate::fuzz::drive::fuzz;

/// Longest value of a setting that Linux passes to a program, in characters of one byte.
const LONGEST_VALUE: usize = 128 * 1024;
/// A valid environment, one setting per line.
const ENVIRONMENT: &str = "\
CISCO_DUO_INTEGRATION_KEY=DIXXXXXXXXXXXXXXXXXX
CISCO_DUO_SECRET_KEY=hunter2hunter2hunter2hunter2hunter2hunte
CISCO_DUO_API_HOSTNAME=api-12345678.duosecurity.com
CISCO_DUO_LOG_TYPES=authentication, telephony,trust_monitor
WORKSPACE_ID=11111111-2222-3333-4444-555555555555
SHARED_KEY=hunter2hunter2hunter2hunter2hunter2hunter2AA
logAnalyticsUri=https://11111111-2222-3333-4444-555555555555.ods.opinsights.azure.us
AzureWebJobsStorage=DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=hunter2a;EndpointSuffix=core.windows.net
AzureWebJobsStorage__credential=managedidentity
AzureWebJobsStorage__clientId=11111111-2222-3333-4444-555555555555
AZURE_TENANT_ID=contoso
AZURE_CLIENT_ID=11111111-2222-3333-4444-666666666666
AZURE_AUTHORITY_HOST=https://login.microsoftonline.us
AZURE_CLIENT_SECRET=hunter2
CISCO_DUO_CLOUD=usgov
CISCO_DUO_CONTAINER=cisco-duo
MAX_SYNC_WINDOW_PER_RUN_MINUTES=60
CISCO_DUO_LOOKBACK_HOURS=24
CISCO_DUO_START_TIME=2026-11-22T12:00:00Z,telephony=1795348800,activity=1795348800000
CISCO_DUO_WINDOW_DELAY_SECONDS=180
CISCO_DUO_REQUESTS_PER_MINUTE=10
CISCO_DUO_THROTTLE_BACKOFF_SECONDS=60
CISCO_DUO_RUN_TIME_LIMIT_SECONDS=50
CISCO_DUO_TIME_GENERATED=event
CISCO_DUO_SIGNATURE=v5
AzureFunctionsJobHost__functionTimeout=1.00:10:00";

#[test]
fn environments() {
    let by_identity =
        ENVIRONMENT.replace("AzureWebJobsStorage=", "AzureWebJobsStorage__accountName=");
    let read = Settings::read(&environment(ENVIRONMENT)).expect("the environment is valid");
    assert!(!format!("{read:?}").contains(SECRET), "{read:?}");
    let documents = [ENVIRONMENT.as_bytes(), by_identity.as_bytes()];
    fuzz("settings", &documents, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        // Setting names are restored, because with damaged names little would be read.
        let names = CATALOG.iter().map(|info| info.name);
        let lines = names.zip(text.lines().cycle());
        let moved: String = lines.fold(String::new(), |text, (name, line)| {
            let value = line.split_once('=').map_or(line, |(_, value)| value).chars();
            text + name + "=" + &value.take(LONGEST_VALUE).collect::<String>() + "\n"
        });
        for text in [&text, moved.as_str()] {
            check(text);
        }
    });
}

#[test]
fn connection_strings() {
    let strings: [&[u8]; 4] = [
        b"DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=hunter2a;EndpointSuffix=core.windows.net",
        b"AccountName=acc;AccountKey=hunter2hunter2aa;BlobEndpoint=http://127.0.0.1:10000/acc;QueueEndpoint=x",
        b"BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=?sv=2024&ss=b&sig=hunter2%3D",
        b"UseDevelopmentStorage=true",
    ];
    let whole = |connection: &str| {
        let others = ENVIRONMENT.lines();
        let others = others.filter(|line| !line.starts_with("AzureWebJobsStorage="));
        let lines = others.chain([connection]).collect::<Vec<_>>();
        lines.join("\n")
    };
    for text in strings {
        let text = whole(&format!("AzureWebJobsStorage={}", String::from_utf8_lossy(text)));
        let read = Settings::read(&environment(&text)).expect("the connection string is valid");
        assert!(!format!("{read:?}").contains(SECRET), "{read:?}");
    }
    fuzz("connection string", &strings, |bytes| {
        let text = String::from_utf8_lossy(bytes).replace(['\n', '\r'], " ");
        check(&whole(&format!("AzureWebJobsStorage={text}")));
    });
}

#[test]
fn local_settings_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.settings.json");
    let mut values = serde_json::Map::new();
    for line in ENVIRONMENT.lines() {
        let (name, value) = line.split_once('=').unwrap();
        values.insert(name.to_owned(), value.into());
    }
    let whole = serde_json::json!({"IsEncrypted": false, "Values": values, "Host": {"CORS": "*"}});
    let example = include_bytes!("../../../local.settings.json.example");
    fuzz("local.settings.json", &[whole.to_string().as_bytes(), example], |bytes| {
        fs::write(&file, bytes).unwrap();
        let mut environment = Environment::default();
        match environment.add_local_settings(&file) {
            Ok(was_there) => {
                assert!(was_there);
                assert_secrets_are_kept(&environment);
            }
            Err(error) => assert!(!error.contains(SECRET), "{error}"),
        }
    });
}

fn check(text: &str) {
    assert_secrets_are_kept(&environment(text));
}

/// Asserts that errors in settings are reported without secrets.
fn assert_secrets_are_kept(environment: &Environment) {
    let Err(errors) = Settings::read(environment) else {
        return;
    };
    // Values of settings that are not secret are shown, even if a secret was pasted there.
    let is_shown = CATALOG.iter().any(|info| {
        let value = environment.get(info.name).unwrap_or_default();
        !matches!(info.kind, Kind::Secret) && value.to_ascii_lowercase().contains(SECRET)
    });
    for text in [errors.to_string(), errors.one_line()] {
        assert!(is_shown || !text.contains(SECRET), "{text}");
    }
    assert!(!errors.one_line().contains('\n'), "{}", errors.one_line());
}

/// The settings of a text with one per line; of duplicate names the last one counts.
fn environment(text: &str) -> Environment {
    /// More than the number of settings.
    const MOST: usize = 64;
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    Environment::from([(); MOST].map(|()| lines.next().unwrap_or(("", ""))))
}
