//! The template of the data collection rule: its columns come from the schema table, its
//! transformations from `sentinel/bridge`.

use std::collections::BTreeMap;
use std::fs;

use duo_sentinel::settings::CATALOG;
use serde_json::{Value, json};

use crate::agreement::json;

/// Maximum length of a transformation, in characters.
/// <https://learn.microsoft.com/azure/azure-monitor/service-limits>
const LONGEST_TRANSFORMATION: usize = 15_360;

/// A transformation on one line without comments, as a rule requires.
fn on_one_line(kql: &str) -> String {
    let lines = kql.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    lines.join(" ").trim().to_owned()
}

/// The template with its generated parts regenerated.
pub(crate) fn template(columns: &[Value], health_columns: &[Value]) -> Value {
    let mut template = json("sentinel/data-collection-rule.json");
    let variables = &mut template["variables"];
    variables["columns"] = json!(columns);
    variables["healthColumns"] = json!(health_columns);
    for flow in variables["bridge"].as_array_mut().unwrap() {
        let table = flow["outputStream"].as_str().unwrap().replace("Custom-", "");
        let file = format!("sentinel/bridge/{table}.kql");
        let transformation = on_one_line(&fs::read_to_string(file).unwrap());
        // On one line a comment would hide the rest.
        assert!(!transformation.contains("//"), "{table} has a comment after code");
        assert!(transformation.len() <= LONGEST_TRANSFORMATION, "{table}");
        flow["transformKql"] = json!(transformation);
    }
    let bridge: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(json("sentinel/bridge/tables.json")).unwrap();
    let resources = template["resources"].as_array_mut().unwrap();
    let schemas = resources.iter_mut();
    let schemas = schemas.filter_map(|resource| resource.pointer_mut("/properties/schema"));
    let mut found = 0;
    for schema in schemas {
        if let Some(columns) = schema["name"].as_str().and_then(|name| bridge.get(name)) {
            let columns = columns.iter().map(|(name, kind)| json!({"name": name, "type": kind}));
            schema["columns"] = columns.collect();
            found += 1;
        }
    }
    assert_eq!(found, bridge.len(), "the template does not create every table of the bridge");
    template
}

/// The names before `=` after `--parameters` in the guide.
fn parameters_in(guide: &str) -> Vec<&str> {
    guide
        .split("--parameters ")
        .skip(1)
        .filter_map(|behind| behind.split("```").next())
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.split_once('='))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn the_guide_and_the_rule_template_agree_on_parameters_and_outputs() {
    let template = json("sentinel/data-collection-rule.json");
    let guide = fs::read_to_string("docs/migrate.md").unwrap();
    let named = parameters_in(&guide);
    for name in &named {
        assert!(!template["parameters"][name].is_null(), "{name} is not a parameter");
    }
    for (name, parameter) in template["parameters"].as_object().unwrap() {
        assert!(
            named.contains(&name.as_str()) || !parameter["defaultValue"].is_null(),
            "{name} is missing in the guide"
        );
    }
    for name in template["outputs"].as_object().unwrap().keys() {
        let is_setting = CATALOG.iter().any(|setting| setting.name == name);
        assert!(is_setting, "{name} is not a setting");
        assert!(guide.contains(name.as_str()), "{name} is missing in the guide");
    }
}
