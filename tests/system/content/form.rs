//! The form of functions, rules and hunting queries.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::content::cases;
use crate::content::entities::entity_faults;
use crate::content::sources::{Content, Query};
use crate::content::tools::Checked;

/// What has to be defined.
const OF_A_FUNCTION: &str = "id Function Category FunctionName FunctionAlias FunctionQuery";
const OF_A_QUERY: &str = "id name description requiredDataConnectors tactics relevantTechniques query entityMappings version";
const OF_A_RULE: &str = "severity queryFrequency queryPeriod triggerOperator triggerThreshold eventGroupingSettings kind";

/// The techniques that occur here, with the tactics that MITRE ATT&CK files them under.
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

/// The longest query of a rule, in characters.
const LONGEST_QUERY: usize = 10_000;

pub(crate) fn faults(content: &Content, answers: &[Checked]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    for query in content.queries() {
        let Some(id) = query.definition["id"].as_str() else {
            continue;
        };
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        let digits = id.replace('-', "");
        if parts != [8, 4, 4, 4, 12] || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            faults.push(format!("{}: {id} is no GUID", query.name));
        }
        if !ids.insert(id.to_lowercase()) {
            faults.push(format!("{}: the id {id} is taken", query.name));
        }
    }
    for function in &content.functions {
        missing(function, OF_A_FUNCTION, &mut faults);
    }
    for query in content.rules.iter().chain(&content.hunting) {
        let answer = answers.iter().find(|answer| answer.name == query.name).unwrap();
        missing(query, OF_A_QUERY, &mut faults);
        let mut found = query_faults(query, answer);
        if query.name.starts_with("rules/") {
            missing(query, OF_A_RULE, &mut faults);
            found.extend(rule_faults(query));
        }
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", query.name)));
    }
    let wanted: BTreeSet<&str> = content
        .rules
        .iter()
        .chain(&content.hunting)
        .chain(&content.alerts)
        .map(Query::stem)
        .collect();
    for stem in cases::stems() {
        if !wanted.contains(stem.as_str()) {
            faults.push(format!("cases/{stem}.json belongs to no query"));
        }
    }
    faults
}

fn missing(query: &Query, keys: &str, faults: &mut Vec<String>) {
    for key in keys.split(' ') {
        if query.definition[key].is_null() {
            faults.push(format!("{}: {key} is missing", query.name));
        }
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn query_faults(query: &Query, answer: &Checked) -> Vec<String> {
    let definition = &query.definition;
    let mut faults = Vec::new();
    if !definition["name"].as_str().is_some_and(|name| name.starts_with("Cisco Duo - ")) {
        faults.push("the name does not begin with the product".to_owned());
    }
    let version = definition["version"].as_str().unwrap_or_default();
    if version.split('.').count() != 3
        || !version.split('.').all(|part| part.parse::<u32>().is_ok())
    {
        faults.push(format!("the version {version:?} has not three numbers"));
    }
    if query.text.chars().count() > LONGEST_QUERY {
        faults.push("the query is too long".to_owned());
    }
    let tactics = texts(&definition["tactics"]);
    let mut covered = BTreeSet::new();
    for technique in texts(&definition["relevantTechniques"]) {
        match TECHNIQUES.iter().find(|(known, _)| *known == technique) {
            Some((_, of)) if of.iter().any(|tactic| tactics.contains(tactic)) => {
                covered.extend(of.iter().copied());
            }
            Some(_) => faults.push(format!("{technique} serves none of the tactics {tactics:?}")),
            None => faults.push(format!("{technique} is not in the list of the test")),
        }
    }
    for tactic in tactics.iter().filter(|tactic| !covered.contains(*tactic)) {
        faults.push(format!("no technique serves the tactic {tactic}"));
    }
    faults.extend(entity_faults(definition, answer));
    let in_details =
        definition["customDetails"].as_object().into_iter().flat_map(|details| details.values());
    let mut named: Vec<&str> = in_details.filter_map(Value::as_str).collect();
    for (key, value) in definition["alertDetailsOverride"].as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        if key.ends_with("ColumnName") {
            named.push(text);
        } else {
            let places: Vec<&str> =
                text.split("{{").skip(1).filter_map(|place| place.split("}}").next()).collect();
            if places.len() > 3 {
                faults.push(format!("{key} has more than three places"));
            }
            named.extend(places);
        }
    }
    for column in named.into_iter().filter(|column| !answer.columns.contains_key(*column)) {
        faults.push(format!("the alert names the column {column}, which the query does not give"));
    }
    faults
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

fn rule_faults(rule: &Query) -> Vec<String> {
    const FOURTEEN_DAYS: u32 = 14 * 24 * 60;
    let definition = &rule.definition;
    let mut faults = Vec::new();
    let mut must = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let severity = definition["severity"].as_str().unwrap_or_default();
    must(["High", "Medium", "Low", "Informational"].contains(&severity), "no such severity");
    must(definition["kind"] == "Scheduled", "the kind is not Scheduled");
    // The cases count rows: every row is an alert.
    must(definition["triggerOperator"] == "gt", "the trigger is not gt");
    must(definition["triggerThreshold"] == 0, "the threshold is not 0");
    must(
        definition["eventGroupingSettings"]["aggregationKind"] == "AlertPerResult",
        "not every row is an alert of its own",
    );
    let (frequency, period) = (
        definition["queryFrequency"].as_str().and_then(minutes),
        definition["queryPeriod"].as_str().and_then(minutes),
    );
    match (frequency, period) {
        (Some(frequency), Some(period)) => {
            must(frequency >= 5 && period <= FOURTEEN_DAYS, "Sentinel takes 5 minutes to 14 days");
            must(
                period < 2 * 24 * 60 || frequency >= 60,
                "a period of two days goes with an hour at least",
            );
            // A live row may carry a TimeGenerated up to two days old; one hour of them has to be given up for the other limit.
            must(period >= 47 * 60, "rows two days old would not be seen");
        }
        _ => must(false, "a frequency or period is no time span"),
    }
    // Judged by its ingestion: each row in one run, none in no run.
    let since = format!("ago({})", definition["queryFrequency"].as_str().unwrap_or_default());
    let judged = rule
        .text
        .lines()
        .any(|line| line.contains("> ") && line.contains("Inges") && line.contains(&since));
    must(judged, "rows are not judged by their ingestion since the run before");
    must(rule.text.contains(r#"IngestKind != "backfill""#), "rows of a backfill raise alerts");
    faults
}
