//! Comparison of page, JSON, health rows and ledger with the accepted rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// All reports at the end of the day.
pub(crate) struct Reported {
    /// The accepted rows of `CiscoDuo_CL`.
    pub(crate) events: Vec<Value>,
    /// Rows of `CiscoDuoHealth_CL`.
    pub(crate) health: Vec<Value>,
    /// The page's JSON.
    pub(crate) status: Value,
    pub(crate) page: String,
    /// The stored results of hours, by log and hour.
    pub(crate) ledger: BTreeMap<(String, String), Value>,
}

/// The part of the JSON about a log.
pub(crate) fn rows_of<'a>(logs: &'a Value, log: &str) -> &'a Value {
    let mut logs = logs.as_array().unwrap().iter();
    logs.find(|status| status["log_type"] == log).unwrap()
}

/// The rows of a log.
fn of_log<'a>(rows: &'a [Value], log: &'a str) -> impl Iterator<Item = &'a Value> {
    rows.iter().filter(move |row| row["eventtype"] == log)
}

impl Reported {
    /// The results of a log's hours in the ledger, by hour.
    fn results<'a>(&'a self, log: &str) -> BTreeMap<String, &'a Value> {
        let of_log = self.ledger.iter().filter(|((of, _), _)| of == log);
        of_log.map(|((_, hour), result)| (hour.clone(), result)).collect()
    }

    /// The newest health row for each hour.
    fn hour_rows<'a>(&'a self, log: &'a str) -> BTreeMap<String, &'a Value> {
        let rows = of_log(&self.health, log);
        rows.filter(|row| row["record_type"] == "hour")
            .map(|row| (row["hour"].as_str().unwrap()[..13].to_owned(), row))
            .collect()
    }
}

/// Asserts that ledger, health rows and JSON agree on each hour, and with the accepted rows.
pub(crate) fn assert_hours_agree(reported: &Reported, log: &str) {
    let mut accepted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in of_log(&reported.events, log) {
        let hour = row["event_time"].as_str().unwrap()[..13].to_owned();
        accepted.entry(hour).or_default().insert(row["event_uid"].as_str().unwrap());
    }
    let (results, rows) = (reported.results(log), reported.hour_rows(log));
    assert!(results.len() >= 72, "{log}: {} hours", results.len());
    let status = rows_of(&reported.status["logs"], log);
    let mut marks: BTreeMap<&str, u64> = BTreeMap::new();
    for (hour, result) in &results {
        let row = rows.get(hour).unwrap_or_else(|| panic!("{log} {hour}: no row"));
        for (column, field) in [
            ("state", "state"),
            ("delivered", "delivered"),
            ("late", "late"),
            ("stages", "stages"),
            ("duo_count", "duo_count"),
            ("reconciled_at", "reconciled_at"),
        ] {
            let same = (&row[column], &result[field]);
            assert_eq!(same.0, same.1, "{log} {hour} {field}: {row:#} {result:#}");
        }
        let delivered = accepted.get(hour).map_or(0, |ids| ids.len() as u64);
        assert_eq!(result["delivered"], delivered, "{log} {hour}: {result:#}");
        let state = result["state"].as_str().unwrap();
        assert_eq!(mark(status, hour), state, "{log} {hour}: {result:#}");
        *marks.entry(state).or_default() += 1;
    }
    // Every accepted row is in an hour with a result.
    let unknown = accepted.keys().filter(|hour| !results.contains_key(*hour));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new(), "{log}");
    let counts = &status["completeness"];
    for mark in ["verified", "verified_late", "count_matched", "gap", "unknown"] {
        let hours = marks.get(mark).copied().unwrap_or_default();
        assert_eq!(counts[mark], hours, "{log}: {mark}");
    }
    assert_eq!(status["gaps"], serde_json::json!([]));
}

/// The status of an hour in the JSON.
fn mark(status: &Value, hour: &str) -> String {
    let (date, number) = hour.split_once('T').unwrap();
    let mut days = status["days"].as_array().unwrap().iter();
    let day = days.find(|day| day["date"] == date).unwrap();
    let number: usize = number.parse().unwrap();
    day["hours"][number].as_str().unwrap().to_owned()
}

/// Asserts that health rows and JSON add up to the accepted events, including those of the killed
/// run. Its late events are counted in `events`, but may be missing in `late`.
pub(crate) fn assert_runs_agree(reported: &Reported, log: &str, killed: u64) {
    let sum = |field: &str| -> u64 {
        let rows = of_log(&reported.health, log);
        let rows = rows.filter(|row| row["record_type"] == "run");
        rows.map(|row| row[field].as_u64().unwrap()).sum()
    };
    let accepted = of_log(&reported.events, log);
    let accepted: BTreeSet<_> =
        accepted.map(|row| (row["event_uid"].as_str(), row["event_content"].as_str())).collect();
    assert_eq!(sum("events"), accepted.len() as u64, "{log}");
    let activity = &rows_of(&reported.status["logs"], log)["activity"];
    let of_json = |field: &str| activity[field].as_u64().unwrap_or(0);
    for field in ["events", "late", "requests", "throttled", "deduplicated", "runs"] {
        assert_eq!(sum(field), of_json(field), "{log}: {field}");
    }
    let late = of_log(&reported.events, log);
    let late = late.filter(|row| row["ingest_kind"] == "late").count() as u64;
    assert!(sum("late") <= late && late <= sum("late") + killed, "{log}: {late}");
}

/// Asserts that the page shows the numbers of the JSON.
pub(crate) fn assert_page_agrees(reported: &Reported) {
    for status in reported.status["logs"].as_array().unwrap() {
        let log = status["log_type"].as_str().unwrap();
        let (_, section) = reported.page.split_once(&format!("id=\"{log}\"")).unwrap();
        let section = section.split("</section>").next().unwrap();
        let plain = section.replace(',', "");
        let events = status["activity"]["events"].as_u64().unwrap_or(0);
        if events > 0 {
            assert!(plain.contains(&format!(": {events} in total")), "{log}: {events}");
        }
        let counts = &status["completeness"];
        if counts["verified"].as_u64() > Some(0) {
            let text = format!(
                "{} verified {} verified late {} count matched",
                counts["verified"], counts["verified_late"], counts["count_matched"]
            );
            assert!(plain.contains(&text), "{log}: {text}");
        }
        for error in status["last_errors"].as_array().unwrap() {
            let code = error["code"].as_str().unwrap();
            assert!(section.contains("Last errors"), "{log}: {code}");
        }
    }
    let last_errors = |log: &str| -> BTreeSet<String> {
        let status = rows_of(&reported.status["logs"], log);
        let last_errors = status["last_errors"].as_array().unwrap().iter();
        last_errors.map(|error| error["code"].as_str().unwrap().to_owned()).collect()
    };
    let assert_errors = |log: &str, codes: &[&str]| {
        let last_errors = last_errors(log);
        for code in codes {
            assert!(last_errors.contains(*code), "{log}: no {code} in {last_errors:?}");
        }
    };
    assert_errors("activity", &["duo_unreachable", "duo_throttled", "azure_unreachable"]);
    assert_errors("telephony", &["duo_unreachable", "duo_forbidden", "azure_unreachable"]);
    let trust_monitor = rows_of(&reported.status["logs"], "trust_monitor");
    assert_eq!(trust_monitor["state"], "unavailable", "{trust_monitor:#}");
    for log in ["authentication", "administrator", "telephony", "activity"] {
        assert_eq!(rows_of(&reported.status["logs"], log)["state"], "working");
    }
}
