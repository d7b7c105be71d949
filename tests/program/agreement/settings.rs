//! docs/settings.md, the example file and the deployment template agree with the settings catalog.

use std::fs;

use duo_sentinel::settings::{CATALOG, Environment, Group, Kind, Need, Setting, Settings};
use serde_json::Value;

use super::{json, part_must_be};
use crate::common::temporary_folder;

const GROUPS: [(Group, &str); 5] = [
    (Group::Duo, "Duo"),
    (Group::AzureMonitor, "Azure Monitor"),
    (Group::Identity, "Identity"),
    (Group::State, "State"),
    (Group::Collection, "Collection"),
];

/// A row of docs/settings.md.
fn row(setting: &Setting) -> String {
    let (default, values) = match setting.kind {
        Kind::Text(default) | Kind::Form(default, ..) => (default.to_owned(), String::new()),
        Kind::Secret => (String::new(), String::new()),
        Kind::Number(least, most, default) => (default.to_string(), format!("{least} to {most}")),
        Kind::Choice(words) => (words[0].to_owned(), listed(words)),
    };
    let default = match setting.need {
        Need::Required(_) => "**required**",
        _ if default.is_empty() => "–",
        _ => &default,
    };
    let (name, meaning) = (setting.name, setting.meaning);
    format!("| `{name}` | {default} | {values} | {meaning} |\n")
}

/// The words as a quoted list.
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

#[test]
fn the_documentation_lists_every_setting_of_the_catalog() {
    let tables = GROUPS.map(|(group, title)| {
        let rows = CATALOG.iter().filter(|setting| setting.group == group);
        let rows: String = rows.map(|setting| row(setting)).collect();
        format!(
            "\n**{title}**\n\n| setting | default | values | meaning |\n|---|---|---|---|\n{rows}"
        )
    });
    part_must_be("docs/settings.md", "settings", &format!("{}\n", tables.concat()));
}

#[test]
fn setting_names_occur_only_in_the_catalog() {
    let mut texts = String::new();
    for entry in fs::read_dir("src/settings").unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() && !file.ends_with("catalog.rs") {
            texts += &fs::read_to_string(file).unwrap();
        }
    }
    for setting in CATALOG {
        let name = format!("\"{}\"", setting.name);
        assert!(!texts.contains(&name), "{name} is used outside the catalog");
    }
}

#[test]
fn the_example_settings_are_known_and_complete() {
    let example = json("local.settings.json.example");
    let values = example["Values"].as_object().unwrap();
    for name in values.keys().filter(|name| *name != "FUNCTIONS_WORKER_RUNTIME") {
        assert!(CATALOG.iter().any(|setting| setting.name == name), "{name} is not a setting");
    }
    for setting in CATALOG {
        let is_required = matches!(setting.need, Need::Required(_));
        assert!(
            !is_required || values.contains_key(setting.name),
            "{} is missing in the example",
            setting.name
        );
    }
    assert_eq!(values["FUNCTIONS_WORKER_RUNTIME"], "custom");
}

#[test]
fn the_completed_example_settings_are_valid() {
    let mut example = json("local.settings.json.example");
    example["Values"]["CISCO_DUO_INTEGRATION_KEY"] = "DIFAKEFAKEFAKEFAKE01".into();
    example["Values"]["CISCO_DUO_SECRET_KEY"] = "fakefakefakefakefakefakefakefakefakefake".into();
    example["Values"]["CISCO_DUO_API_HOSTNAME"] = "api-00000000.duosecurity.com".into();
    example["Values"]["WORKSPACE_ID"] = "11111111-2222-3333-4444-555555555555".into();
    example["Values"]["SHARED_KEY"] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".into();
    let folder = temporary_folder();
    let file = folder.path().join("local.settings.json");
    fs::write(&file, format!("\u{feff}{example}")).unwrap();
    let mut environment = Environment::default();
    assert_eq!(environment.add_local_settings(&file), Ok(true));
    Settings::read(&environment).unwrap();
}

/// The parameter of a template for this setting.
fn parameter<'a>(template: &'a Value, text: &str, setting: &Setting) -> Option<&'a Value> {
    let begin = format!("{{\"name\": \"{}\", \"value\": \"[", setting.name);
    let (_, value) = text.split_once(&begin)?;
    let value = value.split_once("]\"")?.0;
    let (_, name) = value.split_once("parameters('")?;
    let parameter = &template["parameters"][name.split_once('\'')?.0];
    assert!(!parameter.is_null(), "{}: {value}", setting.name);
    Some(parameter)
}

#[test]
fn the_template_accepts_the_same_values_as_the_program() {
    let file = "azuredeploy.json";
    let (text, template) = (fs::read_to_string(file).unwrap(), json(file));
    let mut numbers = 0;
    for setting in CATALOG {
        let Some(parameter) = parameter(&template, &text, setting) else {
            assert!(!matches!(setting.kind, Kind::Number(..)), "{}", setting.name);
            continue;
        };
        match setting.kind {
            Kind::Number(least, most, default) => {
                numbers += 1;
                let bounds = ["minValue", "maxValue", "defaultValue"];
                let bounds = bounds.map(|name| parameter[name].as_i64());
                let expected = [least, most, default].map(Some);
                assert_eq!(bounds, expected, "{}", setting.name);
            }
            Kind::Choice(words) if parameter["allowedValues"].is_array() => {
                let expected = (serde_json::json!(words), words[0].into());
                let actual =
                    (parameter["allowedValues"].clone(), parameter["defaultValue"].clone());
                assert_eq!(actual, expected, "{}", setting.name);
            }
            _ => {}
        }
    }
    assert_eq!(numbers, 6);
}
