//! The alerts about the connector itself: their form, and that they have a meaning whatever has arrived.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::content::form::minutes;
use crate::content::schema::{HEALTH_TABLE, Schema, TABLE};
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, Checked};

/// What there can be of the two tables.
fn worlds(schema: &Schema) -> BTreeMap<&'static str, Value> {
    let first =
        "TimeGenerated record_type_s host_s eventtype_s outcome_s lag_seconds_d throttled_d";
    let columns = first.split(' ').map(|name| (name, schema.health()[name].as_str()));
    let first: BTreeMap<&str, &str> = columns.collect();
    BTreeMap::from([
        ("neither table", json!({})),
        ("no rows about the connector yet", json!({TABLE: schema.all()})),
        ("no event yet", json!({HEALTH_TABLE: schema.health()})),
        (
            "the first row by the Data Collector API",
            json!({TABLE: {"TimeGenerated": "datetime"}, HEALTH_TABLE: first}),
        ),
        ("both tables", json!({TABLE: schema.declared(), HEALTH_TABLE: schema.health()})),
    ])
}

#[test]
fn alerts_and_coverage_have_a_meaning_whatever_has_arrived() {
    let (content, schema) = (Content::read(), Schema::read());
    let call = "CiscoDuoCoverage(ago(2d), now()) | where Verdict != \"covered\"";
    let call = Query::of_a_test(call);
    let mut queries: Vec<&Query> = content.alerts.iter().collect();
    queries.extend([&content.functions[1], &call]);
    let worlds = worlds(&schema);
    let answers =
        tools::check_on(worlds.values().map(|tables| (tables.clone(), &content, &queries)));
    for (world, of_world) in worlds.keys().zip(&answers) {
        for (answer, of_first) in of_world.iter().zip(&answers[0]) {
            assert!(
                answer.problems.is_empty(),
                "{} with {world}: {:?}",
                answer.name,
                answer.problems
            );
            assert_eq!(answer.columns, of_first.columns, "{} with {world}", answer.name);
        }
    }
}

/// What Azure takes: `evaluationFrequency` and `windowSize` of a scheduled query rule, in minutes.
const FREQUENCIES: [u32; 12] = [5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440];
const WINDOWS: [u32; 13] = [5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];

#[test]
fn every_alert_has_the_form_that_azure_monitor_takes() {
    let (content, schema) = (Content::read(), Schema::read());
    let queries: Vec<&Query> = content.alerts.iter().collect();
    let tables = json!({HEALTH_TABLE: schema.health()});
    let answers = tools::check_on([(tables, &content, &queries)]);
    let stems: BTreeSet<&str> = queries.iter().map(|query| query.stem()).collect();
    let wanted =
        ["credentials", "dead-letters", "forbidden", "gap", "lag", "no-heartbeat", "throttled"];
    assert_eq!(stems, wanted.into());
    let mut faults = Vec::new();
    for (alert, answer) in queries.iter().zip(&answers[0]) {
        faults.extend(
            faults_of(alert, answer).iter().map(|fault| format!("{}: {fault}", alert.name)),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults_of(alert: &Query, answer: &Checked) -> Vec<String> {
    let definition = &alert.definition;
    let mut faults = Vec::new();
    let mut must = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let description = definition["description"].as_str().unwrap_or_default();
    let place = format!("What to do: docs/operate.md#{}", alert.stem());
    must(description.trim().ends_with(&place), "the description does not end with what to do");
    must(description.len() <= 4096, "the description is too long");
    let name = definition["name"].as_str().unwrap_or_default();
    must(name.starts_with("Cisco Duo connector - "), "the name does not begin with the connector");
    must(definition["severity"].as_u64().is_some_and(|severity| severity <= 4), "no such severity");
    must(definition["version"].is_string(), "there is no version");
    let span = |key: &str| definition[key].as_str().and_then(minutes).unwrap_or_default();
    let (frequency, window) = (span("queryFrequency"), span("queryPeriod"));
    must(FREQUENCIES.contains(&frequency) && frequency >= 15, "the frequency is none, or dear");
    must(
        WINDOWS.contains(&window) && window >= frequency,
        "the period is none, or shorter than the frequency",
    );
    must(definition["autoMitigate"].is_boolean(), "it does not say whether it closes by itself");
    let dimensions = definition["dimensions"].as_array().map_or(&[][..], Vec::as_slice);
    must((1..=6).contains(&dimensions.len()), "one to six dimensions");
    for dimension in dimensions {
        let kind = answer.columns.get(dimension.as_str().unwrap_or_default());
        must(
            kind.is_some_and(|kind| kind == "string"),
            "a dimension is no text that the query gives",
        );
    }
    // Azure would count the rows of each period by it, and not all that the query gives.
    must(answer.columns.values().all(|kind| kind != "datetime"), "the query gives a time");
    // Some functions are not taken, and a word is Azure's own.
    for word in ["bag_unpack", "pivot", "narrow", "AggregatedValue", "search "] {
        must(!alert.text.contains(word), word);
    }
    // ago() of a name is not taken.
    let spans = alert.text.split("ago(").skip(1).filter_map(|behind| behind.split(')').next());
    must(
        spans.into_iter().all(|span| minutes(span).is_some()),
        "ago() takes a number and its unit only",
    );
    must(alert.text.contains("union isfuzzy=true"), "it fails where the table is not there yet");
    for (name, _) in definition["parameters"].as_object().into_iter().flatten() {
        must(alert.text.contains(&format!("let {name} = ")), "the query has no such parameter");
    }
    must(
        definition["parameters"]["ApiHostname"] == "apiHostname",
        "it tells of other accounts too",
    );
    faults
}

#[test]
fn the_guide_says_of_each_alert_what_its_file_says() {
    let guide = include_str!("../../../docs/deploy.md");
    for alert in &Content::read().alerts {
        let definition = &alert.definition;
        let closes = if definition["autoMitigate"] == true { "yes" } else { "no" };
        let frequency = match definition["queryFrequency"].as_str().unwrap() {
            "15m" => "15 minutes",
            "1h" => "1 hour",
            other => panic!("{}: {other} is not in the guide", alert.name),
        };
        let name = alert.stem().replace('-', " ");
        let end = format!("| {} | {frequency} | {closes} |", definition["severity"]);
        let line = guide.lines().find(|line| line.starts_with(&format!("| {name} | ")));
        assert!(line.is_some_and(|line| line.ends_with(&end)), "{}: {line:?}", alert.name);
    }
}
