//! What must make a query give rows, and what must not.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::content::{Content, Query};
use crate::events::{Events, now};
use crate::flatten::Road;
use crate::say;
use crate::schema::Schema;
use crate::tools::{self, Row};

/// The cases of one query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    fires: Vec<Case>,
    silent: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What happens, in words.
    when: String,
    events: Vec<Events>,
    /// How many rows come of it; one if it is not said.
    rows: Option<usize>,
    /// What stands in one of them.
    #[serde(default)]
    gives: Row,
}

fn folder() -> String {
    format!("{}/tests/content/cases", env!("CARGO_MANIFEST_DIR"))
}

/// The queries that have cases.
pub(crate) fn stems() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    files
        .map(|file| {
            file.unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .trim_end_matches(".json")
                .to_owned()
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

/// Sentinel hands a rule the rows of its period, by `TimeGenerated`; a hunt sees what it asks for.
fn within_period(query: &Query, rows: Vec<Row>) -> Vec<Row> {
    let Some(period) = query.definition["queryPeriod"].as_str() else {
        return rows;
    };
    let period = crate::form::minutes(period).expect("the form is checked");
    let from = (now() - chrono::TimeDelta::minutes(period.into())).to_rfc3339();
    rows.into_iter()
        .filter(|row| row["TimeGenerated"].as_str().unwrap() >= from.as_str())
        .collect()
}

fn equal(given: &Value, wanted: &Value) -> bool {
    match (given.as_f64(), wanted.as_f64()) {
        (Some(given), Some(wanted)) => (given - wanted).abs() < 1e-9,
        _ => given == wanted,
    }
}

/// Plays the cases of queries on rows that came by both roads, and says what came of each.
pub(crate) fn play(queries: &[Query]) {
    let (content, schema) = (Content::read(), Schema::read());
    let columns = schema.all();
    let mut plays = Vec::new();
    for query in queries {
        let cases = read(query);
        let fires = cases.fires.into_iter().map(|case| (true, case));
        let silent = cases.silent.into_iter().map(|case| (false, case));
        plays.extend(
            fires
                .chain(silent)
                .map(|(fires, case)| (query, fires, case)),
        );
    }
    let worlds: Vec<(Vec<Row>, Vec<&Query>)> = plays
        .iter()
        .map(|(query, _, case)| {
            let mut count = 0;
            let rows = case
                .events
                .iter()
                .flat_map(|events| events.rows(&mut count, Road::in_turn))
                .collect();
            (within_period(query, rows), vec![*query])
        })
        .collect();
    let answers = tools::run(&content.function, &columns, &worlds);
    let (mut list, mut faults) = (String::new(), Vec::new());
    for ((query, fires, case), answer) in plays.iter().zip(&answers) {
        let rows = answer[0].rows();
        let wanted = case.rows.unwrap_or(1) * usize::from(*fires);
        let given = |row: &Row| {
            case.gives
                .iter()
                .all(|(column, wanted)| row.get(column).is_some_and(|given| equal(given, wanted)))
        };
        let holds = rows.len() == wanted && (!fires || rows.iter().any(given));
        write!(
            list,
            "\n  {:<44} {} {} rows: {}",
            query.name,
            if holds { "ok   " } else { "WRONG" },
            rows.len(),
            case.when
        )
        .expect("a text grows");
        if !holds {
            faults.push(format!(
                "{}, {}: {wanted} rows with {:?} are wanted, these came: {rows:#?}",
                query.name, case.when, case.gives
            ));
        }
    }
    say(&list);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
