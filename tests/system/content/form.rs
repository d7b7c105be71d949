//! The form of functions, rules and hunting queries.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::content::cases;
use crate::content::entities::entity_errors;
use crate::content::sources::{Content, Query};
use crate::content::tools::Checked;

/// Required keys.
const OF_A_FUNCTION: &str = "id Function Category FunctionName FunctionAlias FunctionQuery";
const OF_A_QUERY: &str = "id name description requiredDataConnectors tactics relevantTechniques query entityMappings version";
const OF_A_RULE: &str = "severity queryFrequency queryPeriod triggerOperator triggerThreshold eventGroupingSettings kind";

/// The techniques used here, with their tactics in MITRE ATT&CK.
const TECHNIQUES: [(&str, &[&str]); 10] = [
    ("T1078", &["InitialAccess", "Persistence", "PrivilegeEscalation", "DefenseEvasion"]),
    ("T1098", &["Persistence", "PrivilegeEscalation"]),
    ("T1110", &["CredentialAccess"]),
    ("T1111", &["CredentialAccess"]),
    ("T1136", &["Persistence"]),
    ("T1496", &["Impact"]),
    ("T1552", &["CredentialAccess"]),
    ("T1556", &["CredentialAccess", "DefenseEvasion", "Persistence"]),
    ("T1562", &["DefenseEvasion"]),
    ("T1621", &["CredentialAccess"]),
];

/// Maximum length of a rule's query, in characters.
const LONGEST_QUERY: usize = 10_000;

pub(crate) fn errors(content: &Content, results: &[Checked]) -> Vec<String> {
    let mut errors = Vec::new();
    let mut ids = BTreeSet::new();
    for query in content.queries() {
        let Some(id) = query.definition["id"].as_str() else {
            continue;
        };
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        let digits = id.replace('-', "");
        if parts != [8, 4, 4, 4, 12] || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            errors.push(format!("{}: {id} is not a GUID", query.name));
        }
        if !ids.insert(id.to_lowercase()) {
            errors.push(format!("{}: the id {id} is not unique", query.name));
        }
    }
    for function in &content.functions {
        missing(function, OF_A_FUNCTION, &mut errors);
    }
    for query in content.rules.iter().chain(&content.hunting) {
        let result = results.iter().find(|result| result.name == query.name).unwrap();
        missing(query, OF_A_QUERY, &mut errors);
        let mut found = query_errors(query, result);
        if query.name.starts_with("rules/") {
            missing(query, OF_A_RULE, &mut errors);
            found.extend(rule_errors(query));
        }
        errors.extend(found.into_iter().map(|error| format!("{}: {error}", query.name)));
    }
    let expected: BTreeSet<&str> = content
        .rules
        .iter()
        .chain(&content.hunting)
        .chain(&content.alerts)
        .map(Query::stem)
        .collect();
    for stem in cases::stems() {
        if !expected.contains(stem.as_str()) {
            errors.push(format!("cases/{stem}.json does not belong to a query"));
        }
    }
    errors
}

fn missing(query: &Query, keys: &str, errors: &mut Vec<String>) {
    for key in keys.split(' ') {
        if query.definition[key].is_null() {
            errors.push(format!("{}: {key} is missing", query.name));
        }
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn query_errors(query: &Query, result: &Checked) -> Vec<String> {
    let definition = &query.definition;
    let mut errors = Vec::new();
    if !definition["name"].as_str().is_some_and(|name| name.starts_with("Cisco Duo - ")) {
        errors.push("the name does not begin with the product".to_owned());
    }
    let version = definition["version"].as_str().unwrap_or_default();
    if version.split('.').count() != 3
        || !version.split('.').all(|part| part.parse::<u32>().is_ok())
    {
        errors.push(format!("the version {version:?} does not have three numbers"));
    }
    if query.text.chars().count() > LONGEST_QUERY {
        errors.push("the query is too long".to_owned());
    }
    let tactics = texts(&definition["tactics"]);
    let mut covered = BTreeSet::new();
    for technique in texts(&definition["relevantTechniques"]) {
        match TECHNIQUES.iter().find(|(known, _)| *known == technique) {
            Some((_, of)) if of.iter().any(|tactic| tactics.contains(tactic)) => {
                covered.extend(of.iter().copied());
            }
            Some(_) => errors.push(format!("{technique} is in none of the tactics {tactics:?}")),
            None => errors.push(format!("{technique} is not in the list of the test")),
        }
    }
    for tactic in tactics.iter().filter(|tactic| !covered.contains(*tactic)) {
        errors.push(format!("no technique belongs to the tactic {tactic}"));
    }
    errors.extend(entity_errors(definition, result));
    let in_details =
        definition["customDetails"].as_object().into_iter().flat_map(|details| details.values());
    let mut named: Vec<&str> = in_details.filter_map(Value::as_str).collect();
    for (key, value) in definition["alertDetailsOverride"].as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        if key.ends_with("ColumnName") {
            named.push(text);
        } else {
            let placeholders: Vec<&str> =
                text.split("{{").skip(1).filter_map(|part| part.split("}}").next()).collect();
            if placeholders.len() > 3 {
                errors.push(format!("{key} has more than three placeholders"));
            }
            named.extend(placeholders);
        }
    }
    for column in named.into_iter().filter(|column| !result.columns.contains_key(*column)) {
        errors.push(format!("the alert uses the column {column}, which the query lacks"));
    }
    errors
}

/// The minutes of `15m`, `47h` or `2d`.
pub(crate) fn minutes(span: &str) -> Option<u32> {
    let (number, unit) = span.split_at_checked(span.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    match unit {
        "m" => Some(number),
        "h" => Some(number * 60),
        "d" => Some(number * 24 * 60),
        _ => None,
    }
}

fn rule_errors(rule: &Query) -> Vec<String> {
    const FOURTEEN_DAYS: u32 = 14 * 24 * 60;
    let definition = &rule.definition;
    let mut errors = Vec::new();
    let mut must = |holds: bool, error: &str| {
        if !holds {
            errors.push(error.to_owned());
        }
    };
    let severity = definition["severity"].as_str().unwrap_or_default();
    must(["High", "Medium", "Low", "Informational"].contains(&severity), "the severity is invalid");
    must(definition["kind"] == "Scheduled", "the kind is not Scheduled");
    // The cases count rows, and every row is an alert.
    must(definition["triggerOperator"] == "gt", "the trigger is not gt");
    must(definition["triggerThreshold"] == 0, "the threshold is not 0");
    must(
        definition["eventGroupingSettings"]["aggregationKind"] == "AlertPerResult",
        "rows are grouped into alerts",
    );
    let (frequency, period) = (
        definition["queryFrequency"].as_str().and_then(minutes),
        definition["queryPeriod"].as_str().and_then(minutes),
    );
    match (frequency, period) {
        (Some(frequency), Some(period)) => {
            must(frequency >= 5 && period <= FOURTEEN_DAYS, "Sentinel needs 5 minutes to 14 days");
            must(
                period < 2 * 24 * 60 || frequency >= 60,
                "a period of two days requires a frequency of at least one hour",
            );
            // TimeGenerated of a live row may be two days old; the limit above costs one hour.
            must(period >= 47 * 60, "rows that are two days old would be missed");
        }
        _ => must(false, "a frequency or period is not a time span"),
    }
    // Selected by ingestion time, so that each row is in exactly one run.
    let since = format!("ago({})", definition["queryFrequency"].as_str().unwrap_or_default());
    let is_selected = rule
        .text
        .lines()
        .any(|line| line.contains("> ") && line.contains("Inges") && line.contains(&since));
    must(is_selected, "rows are not selected by ingestion since the previous run");
    must(rule.text.contains(r#"IngestKind != "backfill""#), "rows of a backfill raise alerts");
    errors
}
