//! Cases for which a query must return rows, and cases for which it must not.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::content::events::{Events, lay_over, now};
use crate::content::flatten::in_turn;
use crate::content::health::{HealthRows, young};
use crate::content::schema::Schema;
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, NOW, Row, World};

/// The cases of one query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// The event on which cases without a log are based: those contain only the differences.
    #[serde(default)]
    ordinary: Value,
    fires: Vec<Case>,
    silent: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Description of the case.
    when: String,
    #[serde(default)]
    events: Vec<Value>,
    /// Health rows.
    #[serde(default)]
    health: Vec<HealthRows>,
    /// Replacements in the query: text and substitute.
    #[serde(default)]
    with: BTreeMap<String, String>,
    /// Expected number of rows; one by default.
    rows: Option<usize>,
    /// Expected values in one of the rows.
    #[serde(default)]
    gives: Row,
}

impl Case {
    /// The events of the case, laid over the ordinary event.
    fn events(&self, ordinary: &Value) -> Vec<Events> {
        let whole = |event: &Value| {
            let mut whole = if event["log"].is_null() { ordinary.clone() } else { Value::Null };
            lay_over(&mut whole, event);
            serde_json::from_value(whole).unwrap_or_else(|error| panic!("{}: {error}", self.when))
        };
        self.events.iter().map(whole).collect()
    }

    /// The same case with backfilled events; `None` if another connector takes part.
    fn in_a_backfill(&self) -> Option<Self> {
        let mut case = self.clone();
        case.when += ", in a backfill";
        for event in &mut case.events {
            event["kind"] = "backfill".into();
        }
        case.events.iter().all(|event| event["by_another_connector"].is_null()).then_some(case)
    }
}

fn folder() -> String {
    format!("{}/tests/system/content/cases", env!("CARGO_MANIFEST_DIR"))
}

/// The names of queries that have cases.
pub(crate) fn stems() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    files
        .map(|file| {
            file.unwrap().file_name().into_string().unwrap().trim_end_matches(".json").to_owned()
        })
        .collect()
}

fn read(query: &Query) -> Cases {
    let file = format!("{}/{}.json", folder(), query.stem());
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|_| panic!("{} has no cases: {file}", query.name));
    let cases: Cases =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert!(
        !cases.fires.is_empty() && !cases.silent.is_empty(),
        "{file} needs cases of both kinds"
    );
    cases
}

/// The rows in a rule's period by `TimeGenerated`, as in Sentinel; a hunting query reads all.
fn within_period(query: &Query, rows: Vec<Row>) -> Vec<Row> {
    let Some(period) = query.definition["queryPeriod"].as_str() else {
        return rows;
    };
    let period = crate::content::form::minutes(period).expect("the form is checked");
    let from = (now() - chrono::TimeDelta::minutes(period.into())).to_rfc3339();
    rows.into_iter().filter(|row| row["TimeGenerated"].as_str().unwrap() >= from.as_str()).collect()
}

fn equal(actual: &Value, expected: &Value) -> bool {
    match (actual.as_f64(), expected.as_f64()) {
        (Some(actual), Some(expected)) => (actual - expected).abs() < 1e-9,
        _ => actual == expected,
    }
}

/// A case to run.
struct Play<'a> {
    query: &'a Query,
    fires: bool,
    case: Case,
    events: Vec<Events>,
}

fn plays(queries: &[Query]) -> Vec<Play<'_>> {
    let mut plays = Vec::new();
    for query in queries {
        let Cases { ordinary, fires, mut silent } = read(query);
        // Backfilled events are old: no rule may raise an alert for them.
        if query.name.starts_with("rules/") {
            silent.extend(fires.iter().filter_map(Case::in_a_backfill));
        }
        let fires = fires.into_iter().map(|case| (true, case));
        let cases = fires.chain(silent.into_iter().map(|case| (false, case)));
        plays.extend(cases.map(|(fires, case)| {
            let events = case.events(&ordinary);
            Play { query, fires, case, events }
        }));
    }
    plays
}

/// Runs the cases of queries on rows that arrived through both APIs.
pub(crate) fn play(queries: &[Query]) {
    let (content, schema) = (Content::read(), Schema::read());
    let columns = schema.all();
    let plays = plays(queries);
    let worlds: Vec<(Vec<Row>, Vec<&Query>)> = plays
        .iter()
        .map(|play| {
            let mut count = 0;
            let events = play.events.iter();
            let rows = events.flat_map(|events| events.rows(&mut count, in_turn));
            (within_period(play.query, rows.collect()), vec![play.query])
        })
        .collect();
    let results = tools::run(&content.function, &columns, &worlds);
    verify(&plays, results.iter().map(|result| result[0].rows()));
}

/// Runs the cases of queries on health rows, in a table with every column and in a table with only
/// the columns that have a value.
pub(crate) fn play_health(queries: &[Query]) {
    let schema = Schema::read();
    let plays = plays(queries);
    let changed: Vec<Query> = plays.iter().map(|play| with(play.query, &play.case.with)).collect();
    let worlds: Vec<(World, Vec<&Query>)> = plays
        .iter()
        .zip(&changed)
        .flat_map(|(play, query)| {
            let rows = play.case.health.iter().flat_map(|rows| rows.rows(&schema));
            let health = within_period(play.query, rows.collect());
            let of_health = [schema.health().clone(), young(&health, schema.health())];
            of_health.map(|of_health| {
                let now = NOW.to_owned();
                let world = World { events: Vec::new(), health: health.clone(), of_health, now };
                (world, vec![query])
            })
        })
        .collect();
    let results = tools::run_in(&schema.all(), &worlds);
    let (whole, young): (Vec<_>, Vec<_>) =
        results.chunks(2).map(|pair| (pair[0][0].rows(), pair[1][0].rows())).unzip();
    assert_eq!(whole, young, "with and without columns that have no value");
    verify(&plays, whole.into_iter());
}

/// The query with replacements.
fn with(query: &Query, other: &BTreeMap<String, String>) -> Query {
    let mut text = query.text.clone();
    for (old, new) in other {
        assert!(text.contains(old), "{} has no {old}", query.name);
        text = text.replace(old, new);
    }
    Query { name: query.name.clone(), text, definition: query.definition.clone() }
}

fn verify<'a>(plays: &[Play<'_>], results: impl Iterator<Item = &'a [Row]>) {
    let mut errors = Vec::new();
    for (play, rows) in plays.iter().zip(results) {
        let (query, case) = (play.query, &play.case);
        let expected = case.rows.unwrap_or(1) * usize::from(play.fires);
        let actual = |row: &Row| {
            case.gives.iter().all(|(column, expected)| {
                row.get(column).is_some_and(|actual| equal(actual, expected))
            })
        };
        let holds = rows.len() == expected && (!play.fires || rows.iter().any(actual));
        if !holds {
            errors.push(format!(
                "{}, {}: expected {expected} rows with {:?}, got {rows:#?}",
                query.name, case.when, case.gives
            ));
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
