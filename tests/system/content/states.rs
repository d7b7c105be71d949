//! The table of errors and alerts in docs/operate.md: each alert fires on the error.

use serde_json::{Value, json};

use crate::content::health::HealthRows;
use crate::content::schema::Schema;
use crate::content::sources::{Content, Query};
use crate::content::tools::{self, NOW, World};

/// Code, states and alerts of each row.
fn table() -> Vec<[&'static str; 3]> {
    let guide = include_str!("../../../docs/operate.md");
    let (_, table) = guide.split_once("| code | state | alert |\n|---|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let cells = |line: &'static str| {
        let mut cells = line.trim_matches(['|', ' ']).split(" | ");
        [(); 3].map(|()| cells.next().unwrap().trim_matches('`'))
    };
    rows.map(cells).collect()
}

/// Health rows of a log that is in this state for hours, as this alert needs them.
fn rows(code: &str, state: &str, alert: &str) -> Value {
    let outcome = match state {
        "failing" => "failed",
        "backing off" => "backing_off",
        _ => "caught_up",
    };
    let run = |fields: Value, minutes_ago: u32| {
        json!({"kind": "run", "log": "activity", "minutes_ago": minutes_ago, "times": minutes_ago / 15,
            "every_minutes": 15, "fields": fields})
    };
    let failing = |lag: u32| {
        let error = Some(code).filter(|_| outcome != "caught_up");
        json!({"outcome": outcome, "error": error, "lag_seconds": lag})
    };
    match alert {
        // The rows end an hour ago.
        "No heartbeat" => json!({"kind": "run", "log": "activity", "minutes_ago": 120, "times": 5,
            "every_minutes": 15, "fields": failing(180)}),
        "Gap or unknown completeness" => {
            let state = if code == "gap" { "gap" } else { "unknown" };
            let fields = json!({"state": state, "is_settled": 1, "hour": {"minutes_ago": 3000},
                "span_from": {"minutes_ago": 3000}, "span_to": {"minutes_ago": 2940}});
            json!({"kind": "hour", "log": "activity", "minutes_ago": 10, "fields": fields})
        }
        "Log is behind" => run(failing(7200), 175),
        _ => run(failing(180), 175),
    }
}

#[test]
fn every_alert_in_the_table_fires_on_its_error() {
    let (content, schema) = (Content::read(), Schema::read());
    let named = |name: &str| -> &Query {
        let found = content.alerts.iter().find(|alert| alert.alert() == name);
        found.unwrap_or_else(|| panic!("no alert {name}"))
    };
    let mut subjects = Vec::new();
    let mut worlds: Vec<(World, Vec<&Query>)> = Vec::new();
    for [code, states, alerts] in table() {
        for state in states.split(", ") {
            for alert in alerts.split("; ").filter(|alert| *alert != "none") {
                let rows: HealthRows = serde_json::from_value(rows(code, state, alert)).unwrap();
                let world = World {
                    events: Vec::new(),
                    health: rows.rows(&schema),
                    of_health: schema.health().clone(),
                    now: NOW.to_owned(),
                };
                subjects.push(format!("{alert} on {code}, {state}"));
                worlds.push((world, vec![named(alert)]));
            }
        }
    }
    let results = tools::run_in(&schema.all(), &worlds);
    let results = subjects.iter().zip(&results);
    let silent = results.filter(|(_, result)| result[0].rows().is_empty());
    let silent: Vec<&String> = silent.map(|(subject, _)| subject).collect();
    assert!(subjects.len() >= 25 && silent.is_empty(), "no alert: {silent:#?}");
}
