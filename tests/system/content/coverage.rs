//! The coverage function: its verdict for each hour, and for all hours.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::content::schema::Schema;
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, NOW, Row, World};

/// A case: the function covers hours 8, 9 and 10 of the day.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    when: String,
    /// The time of the query; three days later by default.
    now: Option<String>,
    /// Rows about hours: the differences from a settled hour with three events.
    #[serde(default)]
    hours: Vec<Map<String, Value>>,
    /// Other health rows.
    #[serde(default)]
    runs: Vec<Map<String, Value>>,
    /// Times of events, with the number of copies of each.
    #[serde(default)]
    events: BTreeMap<String, u32>,
    /// Other event rows, at 08:30.
    #[serde(default)]
    rows: Vec<Map<String, Value>>,
    /// Replacements in the query, to cover other hours.
    #[serde(default)]
    range: BTreeMap<String, String>,
    /// The verdicts, in the order of logs and hours.
    verdicts: Vec<String>,
    whole: String,
    /// Expected values in the row of the first hour.
    #[serde(default)]
    gives: Row,
}

const DAY: &str = "2026-11-20T";
const HOST: &str = "api-00000000.duosecurity.com";

fn common(log: &str, sent: &str) -> Row {
    let row =
        json!({"TimeGenerated": sent, "ingested_at": sent, "host_s": HOST, "eventtype_s": log});
    row.as_object().unwrap().clone()
}

/// A time of the day, or a full timestamp.
fn time(text: &str) -> String {
    if text.contains('T') { text.to_owned() } else { format!("{DAY}{text}:00Z") }
}

fn laid_over(mut row: Row, fields: &Map<String, Value>) -> Row {
    for (name, value) in fields {
        let value = match value.as_str() {
            Some(text) if name.ends_with("_t") || name == "TimeGenerated" => json!(time(text)),
            _ => value.clone(),
        };
        row.insert(name.clone(), value);
    }
    row.retain(|_, value| !value.is_null());
    row
}

/// A row about a settled hour with as many events as the ordinary case.
fn hour(fields: &Map<String, Value>) -> Row {
    let began = DateTime::parse_from_rfc3339(&time(fields["hour_t"].as_str().unwrap())).unwrap();
    let after = |hours: i64| json!((began + chrono::TimeDelta::hours(hours)).to_rfc3339());
    let mut row = common("authentication", after(50).as_str().unwrap());
    let settled = json!({
        "record_type_s": "hour", "state_s": "verified", "span_from_t": after(0), "span_to_t": after(1), "duo_count_d": 3,
        "delivered_d": 3, "late_d": 0, "stages_d": 6, "reconciled_at_t": after(49), "is_settled_d": 1,
    });
    row.extend(settled.as_object().unwrap().clone());
    laid_over(row, fields)
}

fn run(fields: &Map<String, Value>) -> Row {
    let mut row = common("authentication", &time("12:00"));
    row.extend([
        ("record_type_s".to_owned(), json!("run")),
        ("outcome_s".to_owned(), json!("caught_up")),
    ]);
    laid_over(row, fields)
}

fn events(case: &Case) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, (at, copies)) in case.events.iter().enumerate() {
        for copy in 0..*copies {
            let mut row = common("authentication", &format!("2026-11-2{}T12:00:00Z", copy + 1));
            row.insert("event_uid_s".to_owned(), json!(format!("{number:040x}")));
            row.insert("event_content_s".to_owned(), json!("0badcafe"));
            row.insert("event_time_t".to_owned(), json!(time(at)));
            rows.push(row);
        }
    }
    for fields in &case.rows {
        let mut row = common("authentication", &time("12:00"));
        row.insert("event_time_t".to_owned(), json!(time("08:30")));
        rows.push(laid_over(row, fields));
    }
    rows
}

/// The function with replacements, to cover other hours.
pub(crate) fn with_hours(function: &Query, other: &BTreeMap<String, String>) -> Query {
    let mut query = Query::of_a_test(&function.text);
    for (old, new) in other {
        assert!(query.text.contains(old), "{old}");
        query.text = query.text.replace(old, new);
    }
    query
}

/// The function for all hours from `first` to `end`.
pub(crate) fn for_hours(function: &Query, first: &str, end: &str) -> Query {
    let (body, parameters) = (function.definition["FunctionQuery"].as_str().unwrap(), [first, end]);
    let [from, to] = parameters.map(|time| format!("datetime({time})"));
    Query::of_a_test(&format!("let From = {from};\nlet To = {to};\n{body}"))
}

#[test]
fn every_hour_and_the_whole_get_the_right_verdict() {
    let (content, schema) = (Content::read(), Schema::read());
    let cases: Vec<Case> = serde_json::from_str(include_str!("coverage.json")).unwrap();
    let function = &content.functions[1];
    let queries: Vec<Query> = cases.iter().map(|case| with_hours(function, &case.range)).collect();
    let worlds: Vec<(World, Vec<&Query>)> = cases
        .iter()
        .zip(&queries)
        .map(|(case, query)| {
            let hours = case.hours.iter().map(hour);
            let world = World {
                events: events(case),
                health: hours.chain(case.runs.iter().map(run)).collect(),
                of_health: schema.health().clone(),
                now: case.now.clone().unwrap_or_else(|| NOW.to_owned()),
            };
            (world, vec![query])
        })
        .collect();
    let results = tools::run_in(&schema.all(), &worlds);
    for (case, result) in cases.iter().zip(&results) {
        let rows = result[0].rows();
        let verdicts: Vec<&str> = rows.iter().map(|row| row["Verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, case.verdicts, "{}: {rows:#?}", case.when);
        let whole = rows.iter().all(|row| row["WholeVerdict"] == *case.whole);
        assert!(whole, "{}: {rows:#?}", case.when);
        for (column, expected) in &case.gives {
            let actual = &rows[0][column];
            assert_eq!(actual.as_f64(), expected.as_f64(), "{}: {column} of {rows:#?}", case.when);
        }
    }
}

#[test]
fn the_completeness_page_explains_every_verdict() {
    let page = include_str!("../../../docs/completeness.md");
    let explained: BTreeSet<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("| `Verdict` |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let (content, cases) = (Content::read(), include_str!("coverage.json"));
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    let covered: BTreeSet<&str> =
        cases.iter().flat_map(|case| &case.verdicts).map(String::as_str).collect();
    assert_eq!(explained, covered);
    for verdict in &explained {
        assert!(content.functions[1].text.contains(&format!("\"{verdict}\"")), "{verdict}");
    }
}
