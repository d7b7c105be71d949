//! The template of the data collection rule for the Logs Ingestion API: what it declares comes from the schema table, its
//! bridge from `sentinel/bridge`.

use std::collections::BTreeMap;
use std::fs;

use duo_sentinel::settings::CATALOG;
use serde_json::{Value, json};

use crate::agreement::json;

/// The role that may send to a rule: Monitoring Metrics Publisher.
const PUBLISHER: &str = "3913510d-42f4-4e42-8a64-420c390055eb";
const STREAM: &str = "Custom-CiscoDuo";
const HEALTH_STREAM: &str = "Custom-CiscoDuoHealth";
const WORKSPACE: &str = "workspace";
/// The longest transformation, in characters.
/// <https://learn.microsoft.com/azure/azure-monitor/service-limits>
const LONGEST_TRANSFORMATION: usize = 15_360;

/// A transformation as a rule takes it: on one line, without comments.
fn on_one_line(kql: &str) -> String {
    let lines = kql.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    lines.join(" ").trim().to_owned()
}

fn flow(transformation: &str, table: &str) -> Value {
    json!({
        "streams": [STREAM],
        "destinations": [WORKSPACE],
        "transformKql": transformation,
        "outputStream": format!("Custom-{table}"),
    })
}

fn table(name: &str, columns: &Value, condition: &str) -> Value {
    json!({
        "condition": condition,
        "type": "Microsoft.OperationalInsights/workspaces/tables",
        "apiVersion": "2025-07-01",
        "name": format!("[concat(parameters('workspaceName'), '/{name}')]"),
        "properties": {"plan": "Analytics", "schema": {"name": name, "columns": columns}},
    })
}

fn table_id(name: &str) -> String {
    format!(
        "[resourceId('Microsoft.OperationalInsights/workspaces/tables', parameters('workspaceName'), '{name}')]"
    )
}

/// The tables of the bridge with their columns.
fn bridge() -> BTreeMap<String, Value> {
    let tables: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(json("sentinel/bridge/tables.json")).unwrap();
    let columns = |columns: BTreeMap<String, String>| -> Value {
        columns
            .iter()
            .map(|(name, kind)| json!({"name": name, "type": kind}))
            .collect()
    };
    tables
        .into_iter()
        .map(|(name, of_table)| (name, columns(of_table)))
        .collect()
}

fn parameters() -> Value {
    let described = |kind: &str, default: Value, description: &str| {
        let mut parameter = json!({"type": kind, "metadata": {"description": description}});
        if !default.is_null() {
            parameter["defaultValue"] = default;
        }
        parameter
    };
    json!({
        "workspaceName": described("string", Value::Null, "Log Analytics workspace that has, or gets, the table CiscoDuo_CL."),
        "location": described("string", json!("[resourceGroup().location]"), "Region of the workspace: the rule must be in the same one."),
        "ruleName": described("string", json!("dcr-ciscoduo"), "Name of the data collection rule."),
        "principalId": described("string", Value::Null, "Object ID of the identity that sends: that of the function app, or of the application's service principal."),
        "newTable": described("bool", json!(true), "Whether to make the table CiscoDuo_CL. Off for a table that was migrated: stating its columns again is an edit of its schema."),
        "newHealthTable": described("bool", json!(true), "Whether to make the table CiscoDuoHealth_CL, for rows about the connector itself. Off where it exists."),
        "transformKql": described("string", json!("source"), "What the rule does to each row; 'source' stores it as it is. For GUID columns of a migrated table see docs/migrate.md."),
        "bridge": described("bool", json!(false), "Whether to fill DuoAuthentication_CL, DuoActivity_CL and DuoTelephony_CL too; each row there is ingested, and paid, once more."),
        "newBridgeTables": described("bool", json!(true), "Whether to make these three tables. Off where Microsoft's connector made them, so that their columns stay as they are."),
    })
}

pub(crate) fn template(columns: &[Value], health_columns: &[Value]) -> Value {
    let bridge = bridge();
    let flows: Vec<Value> = bridge
        .keys()
        .map(|name| {
            let file = format!("sentinel/bridge/{name}.kql");
            let transformation = on_one_line(&fs::read_to_string(file).unwrap());
            // On one line it would end everything behind it.
            assert!(
                !transformation.contains("//"),
                "{name} has a comment beside code"
            );
            assert!(transformation.len() <= LONGEST_TRANSFORMATION, "{name}");
            flow(&transformation, name)
        })
        .collect();
    let of_us = flow("[parameters('transformKql')]", "CiscoDuo_CL");
    let mut of_health = flow("source", "CiscoDuoHealth_CL");
    of_health["streams"] = json!([HEALTH_STREAM]);
    let mut resources = vec![table(
        "CiscoDuo_CL",
        &json!("[variables('columns')]"),
        "[parameters('newTable')]",
    )];
    resources.push(table(
        "CiscoDuoHealth_CL",
        &json!("[variables('healthColumns')]"),
        "[parameters('newHealthTable')]",
    ));
    let mut ids = vec![table_id("CiscoDuo_CL"), table_id("CiscoDuoHealth_CL")];
    for (name, columns) in &bridge {
        resources.push(table(
            name,
            columns,
            "[and(parameters('bridge'), parameters('newBridgeTables'))]",
        ));
        ids.push(table_id(name));
    }
    resources.push(json!({
        "type": "Microsoft.Insights/dataCollectionRules",
        "apiVersion": "2024-03-11",
        "name": "[parameters('ruleName')]",
        "location": "[parameters('location')]",
        // Only a rule of this kind has an endpoint of its own, and it cannot get one later.
        "kind": "Direct",
        "dependsOn": ids,
        "properties": {
            "streamDeclarations": {
                STREAM: {"columns": "[variables('columns')]"},
                HEALTH_STREAM: {"columns": "[variables('healthColumns')]"},
            },
            "destinations": {"logAnalytics": [{"name": WORKSPACE, "workspaceResourceId": "[variables('workspace')]"}]},
            "dataFlows": "[if(parameters('bridge'), concat(variables('flows'), variables('bridge')), variables('flows'))]",
        },
    }));
    resources.push(json!({
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "scope": "[variables('rule')]",
        "name": "[guid(variables('rule'), parameters('principalId'), variables('role'))]",
        "dependsOn": ["[variables('rule')]"],
        "properties": {
            "roleDefinitionId": "[variables('role')]",
            "principalId": "[parameters('principalId')]",
            "principalType": "ServicePrincipal",
        },
    }));
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": parameters(),
        "variables": {
            "workspace": "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]",
            "rule": "[resourceId('Microsoft.Insights/dataCollectionRules', parameters('ruleName'))]",
            "role": format!("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{PUBLISHER}')]"),
            "columns": columns,
            "healthColumns": health_columns,
            "flows": [of_us, of_health],
            "bridge": flows,
        },
        "resources": resources,
        "outputs": {
            "LOGS_INGESTION_ENDPOINT": {"type": "string", "value": "[reference(variables('rule'), '2024-03-11').endpoints.logsIngestion]"},
            "LOGS_INGESTION_RULE_ID": {"type": "string", "value": "[reference(variables('rule'), '2024-03-11').immutableId]"},
        },
    })
}

/// The names before `=` in the parameters of a deployment, as the guide writes them.
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
fn the_guide_and_the_template_of_the_rule_name_the_same_things() {
    let template = json("sentinel/data-collection-rule.json");
    let guide = fs::read_to_string("docs/migrate.md").unwrap();
    let named = parameters_in(&guide);
    for name in &named {
        assert!(
            !template["parameters"][name].is_null(),
            "{name} is no parameter"
        );
    }
    for (name, parameter) in template["parameters"].as_object().unwrap() {
        assert!(
            named.contains(&name.as_str()) || !parameter["defaultValue"].is_null(),
            "{name} is missing in the guide"
        );
    }
    for name in template["outputs"].as_object().unwrap().keys() {
        let is_setting = CATALOG.iter().any(|setting| setting.name == name);
        assert!(is_setting, "{name} is no setting");
        assert!(
            guide.contains(name.as_str()),
            "{name} is missing in the guide"
        );
    }
}
