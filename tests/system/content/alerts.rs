//! Alerts about the connector: their form, and that their queries compile whatever tables exist.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::content::form::minutes;
use crate::content::schema::{HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Checked};

/// Possible states of the two tables.
fn table_states(schema: &Schema) -> BTreeMap<&'static str, Value> {
    let first =
        "TimeGenerated record_type_s host_s eventtype_s outcome_s lag_seconds_d throttled_d";
    let columns = first.split(' ').map(|name| (name, schema.health()[name].as_str()));
    let first: BTreeMap<&str, &str> = columns.collect();
    BTreeMap::from([
        ("neither table", json!({})),
        ("no health row yet", json!({TABLE: schema.all()})),
        ("no event yet", json!({HEALTH_TABLE: schema.health()})),
        (
            "the first row through the Data Collector API",
            json!({TABLE: {"TimeGenerated": "datetime"}, HEALTH_TABLE: first}),
        ),
        ("both tables", json!({TABLE: schema.declared(), HEALTH_TABLE: schema.health()})),
    ])
}

#[test]
fn alerts_and_coverage_compile_whatever_tables_exist() {
    let (content, schema) = (Content::read(), Schema::read());
    let call = "CiscoDuoCoverage(ago(2d), now()) | where Verdict != \"covered\"";
    let call = Query::of_a_test(call);
    let mut queries: Vec<&Query> = content.alerts.iter().collect();
    queries.extend([&content.functions[1], &call]);
    let worlds = table_states(&schema);
    let results =
        tools::check_on(worlds.values().map(|tables| (tables.clone(), &content, &queries)));
    for (world, of_world) in worlds.keys().zip(&results) {
        for (result, of_first) in of_world.iter().zip(&results[0]) {
            assert!(
                result.problems.is_empty(),
                "{} with {world}: {:?}",
                result.name,
                result.problems
            );
            assert_eq!(result.columns, of_first.columns, "{} with {world}", result.name);
        }
    }
}

/// The values that Azure accepts for `evaluationFrequency` and `windowSize`, in minutes.
const FREQUENCIES: [u32; 12] = [5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440];
const WINDOWS: [u32; 13] = [5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];

#[test]
fn every_alert_is_valid_in_azure_monitor() {
    let (content, schema) = (Content::read(), Schema::read());
    let queries: Vec<&Query> = content.alerts.iter().collect();
    let tables = json!({HEALTH_TABLE: schema.health()});
    let results = tools::check_on([(tables, &content, &queries)]);
    let stems: BTreeSet<&str> = queries.iter().map(|query| query.stem()).collect();
    let expected = [
        "credentials",
        "dead-letters",
        "failing",
        "forbidden",
        "gap",
        "lag",
        "no-heartbeat",
        "throttled",
    ];
    assert_eq!(stems, expected.into());
    let mut errors = Vec::new();
    for (alert, result) in queries.iter().zip(&results[0]) {
        errors.extend(
            errors_of(alert, result).iter().map(|error| format!("{}: {error}", alert.name)),
        );
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn errors_of(alert: &Query, result: &Checked) -> Vec<String> {
    let definition = &alert.definition;
    let mut errors = Vec::new();
    let mut must = |holds: bool, error: &str| {
        if !holds {
            errors.push(error.to_owned());
        }
    };
    let description = definition["description"].as_str().unwrap_or_default();
    let ending = format!("What to do: duo-sentinel, docs/operate.md#{}", alert.stem());
    must(description.trim().ends_with(&ending), "the description does not end with what to do");
    must(description.len() <= 4096, "the description is too long");
    let name = definition["name"].as_str().unwrap_or_default();
    must(name.starts_with(Query::ALERT), "the name does not begin with the connector");
    must(definition["severity"].as_u64().is_some_and(|severity| severity <= 4), "invalid severity");
    must(definition["version"].is_string(), "there is no version");
    let span = |key: &str| definition[key].as_str().and_then(minutes).unwrap_or_default();
    let (frequency, window) = (span("queryFrequency"), span("queryPeriod"));
    must(FREQUENCIES.contains(&frequency) && frequency >= 15, "invalid or expensive frequency");
    must(
        WINDOWS.contains(&window) && window >= frequency,
        "the period is invalid, or shorter than the frequency",
    );
    must(definition["autoMitigate"].is_boolean(), "autoMitigate is missing");
    let dimensions = definition["dimensions"].as_array().map_or(&[][..], Vec::as_slice);
    must((1..=6).contains(&dimensions.len()), "one to six dimensions");
    for dimension in dimensions {
        let kind = result.columns.get(dimension.as_str().unwrap_or_default());
        must(
            kind.is_some_and(|kind| kind == "string"),
            "a dimension is not a string column of the query",
        );
    }
    // With a time column, Azure would count rows per period instead of all rows.
    must(result.columns.values().all(|kind| kind != "datetime"), "the query returns a time");
    // Functions that Azure does not accept, and a reserved word.
    for word in ["bag_unpack", "pivot", "narrow", "AggregatedValue", "search "] {
        must(!alert.text.contains(word), word);
    }
    // ago() accepts only literals.
    let spans = alert.text.split("ago(").skip(1).filter_map(|behind| behind.split(')').next());
    must(
        spans.into_iter().all(|span| minutes(span).is_some()),
        "ago() accepts only a number with a unit",
    );
    must(alert.text.contains("union isfuzzy=true"), "the query fails if a table does not exist");
    for (name, _) in definition["parameters"].as_object().into_iter().flatten() {
        must(alert.text.contains(&format!("let {name} = ")), "the query has no such parameter");
    }
    must(
        definition["parameters"]["ApiHostname"] == "apiHostname",
        "the alert includes other accounts",
    );
    errors
}

#[test]
fn the_guide_and_the_alert_files_agree() {
    let guide = include_str!("../../../docs/deploy.md");
    for alert in &Content::read().alerts {
        let definition = &alert.definition;
        let closes = if definition["autoMitigate"] == true { "yes" } else { "no" };
        let frequency = match definition["queryFrequency"].as_str().unwrap() {
            "15m" => "15 minutes",
            "1h" => "1 hour",
            other => panic!("{}: {other} is not in the guide", alert.name),
        };
        let name = alert.alert();
        let end = format!("| {} | {frequency} | {closes} |", definition["severity"]);
        let line = guide.lines().find(|line| line.starts_with(&format!("| *{name}* | ")));
        assert!(line.is_some_and(|line| line.ends_with(&end)), "{}: {line:?}", alert.name);
    }
}
