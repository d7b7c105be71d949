//! The settings in the code, the README, the example file and the host's files agree, and so do the files that are made
//! from the schema table.

mod generated;
mod operate;
mod rule;

use std::collections::BTreeSet;
use std::fs;

use duo_sentinel::settings::{CATALOG, Environment, Settings};
use serde_json::Value;

fn json(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The settings table as the README must show it.
fn settings_table() -> String {
    let rows = CATALOG.iter().map(|setting| {
        let default = match (setting.required, setting.default) {
            (true, _) => "**required**",
            (false, "") => "–",
            (false, default) => default,
        };
        format!("| `{}` | {default} | {} |\n", setting.name, setting.meaning)
    });
    let head = "| setting | default | meaning |\n|---|---|---|\n".to_owned();
    head + &rows.collect::<String>()
}

#[test]
fn the_readme_shows_every_setting_as_the_code_has_it() {
    let readme = fs::read_to_string("README.md").unwrap();
    let table = settings_table();
    assert!(
        readme.contains(&table),
        "README.md must contain this table:\n\n{table}"
    );
}

#[test]
fn every_setting_that_the_code_reads_is_in_the_catalog_and_the_other_way_round() {
    let mut read = BTreeSet::new();
    for file in [
        "mod",
        "duo",
        "identity",
        "sink",
        "storage",
        "function_timeout",
    ] {
        let text = fs::read_to_string(format!("src/settings/{file}.rs")).unwrap();
        // Names of settings are the only texts of this form there.
        for part in text.split('"').skip(1).step_by(2) {
            let is_name = part.starts_with("CISCO_DUO_")
                || part.starts_with("AZURE_")
                || part.starts_with("AzureWebJobsStorage")
                || part.starts_with("AzureFunctionsJobHost__")
                || part.starts_with("LOGS_INGESTION_")
                || [
                    "WORKSPACE_ID",
                    "SHARED_KEY",
                    "logAnalyticsUri",
                    "MAX_SYNC_WINDOW_PER_RUN_MINUTES",
                ]
                .contains(&part);
            if is_name && !part.contains(' ') {
                read.insert(part.to_owned());
            }
        }
    }
    let catalog: BTreeSet<String> = CATALOG
        .iter()
        .map(|setting| setting.name.to_owned())
        .collect();
    assert_eq!(read, catalog);
}

#[test]
fn the_example_settings_are_known_and_complete() {
    let example = json("local.settings.json.example");
    let values = example["Values"].as_object().unwrap();
    for name in values
        .keys()
        .filter(|name| *name != "FUNCTIONS_WORKER_RUNTIME")
    {
        assert!(
            CATALOG.iter().any(|setting| setting.name == name),
            "{name} is no setting"
        );
    }
    for setting in CATALOG.iter().filter(|setting| setting.required) {
        assert!(
            values.contains_key(setting.name),
            "{} is missing in the example",
            setting.name
        );
    }
    assert_eq!(values["FUNCTIONS_WORKER_RUNTIME"], "custom");
}

#[test]
fn the_example_settings_filled_in_are_enough() {
    let mut example = json("local.settings.json.example");
    example["Values"]["CISCO_DUO_INTEGRATION_KEY"] = "DIFAKEFAKEFAKEFAKE01".into();
    example["Values"]["CISCO_DUO_SECRET_KEY"] = "fakefakefakefakefakefakefakefakefakefake".into();
    example["Values"]["CISCO_DUO_API_HOSTNAME"] = "api-00000000.duosecurity.com".into();
    example["Values"]["WORKSPACE_ID"] = "11111111-2222-3333-4444-555555555555".into();
    example["Values"]["SHARED_KEY"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".into();
    let file =
        std::env::temp_dir().join(format!("duo-sentinel-example-{}.json", std::process::id()));
    fs::write(&file, format!("\u{feff}{example}")).unwrap();
    let mut environment = Environment::default();
    assert_eq!(environment.add_local_settings(&file), Ok(true));
    fs::remove_file(&file).unwrap();
    Settings::read(&environment).unwrap();
}

#[test]
fn the_hosts_files_name_what_the_handler_serves() {
    let function = json("CiscoDuoTimer/function.json");
    let binding = &function["bindings"][0];
    assert_eq!(binding["name"], "myTimer");
    assert_eq!(binding["type"], "timerTrigger");
    assert_eq!(binding["schedule"], "0 * * * * *");
    // The host lets nobody see the page without the function's key, and forwards everything else as it is.
    let page = json("CiscoDuoStatus/function.json");
    let expected = serde_json::json!([
        {"name": page["bindings"][0]["name"], "type": "httpTrigger", "direction": "in", "authLevel": "function", "methods": ["get", "head"]},
        {"name": "$return", "type": "http", "direction": "out"},
    ]);
    assert_eq!(page["bindings"], expected);
    let host = json("host.json");
    assert_eq!(host["customHandler"]["enableForwardingHttpRequest"], true);
    assert!(
        host["extensions"]["http"].is_null(),
        "the page has another address"
    );
    let handler = &host["customHandler"]["description"];
    // Exactly this spelling: the tools that pack the function mark only the file so named as executable.
    assert_eq!(handler["defaultExecutablePath"], "handler");
    assert!(
        host["customHandler"].get("http").is_none(),
        "routes together with function.json stop the host"
    );
}
