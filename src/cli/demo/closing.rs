//! How the demo ends: the numbers that matter.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use simulator::Report;

use super::Demo;
use crate::cli::output;
use crate::model::number;
use crate::storage::Document as _;
use crate::sync::{DayResults, HourState};

impl Demo {
    /// Prints the numbers that matter; whether everything was delivered.
    pub(super) async fn report(&self, in_turn: &Report) -> bool {
        let report = self.simulator.report().await;
        let row = |name: &str, counts: [u64; 5]| {
            let [shown, delivered, late, twice, lost] = counts.map(number);
            [name.to_owned(), shown, delivered, late, twice, lost]
        };
        let logs = report.logs.iter().map(|(log, counts)| {
            let late = counts.delivered - in_turn.logs[log].delivered;
            let (shown, delivered) = (counts.shown, counts.delivered);
            let counts = [shown, delivered, late, counts.duplicates, counts.missing];
            row(log.name(), counts)
        });
        let total = [
            report.shown(),
            report.delivered(),
            report.delivered() - in_turn.delivered(),
            report.duplicates(),
            report.missing(),
        ];
        let header = ["log", "events in Duo", "delivered", "of them late", "repeated", "lost"];
        let table = output::table(header, logs.chain([row("total", total)]), 1);
        let lost = number(report.missing());
        output::data(format!("\n{table}\n\nlost {lost}"));
        if report.duplicates() > 0 {
            output::data(format!(
                "sent again after the lost response and the kill: {}; the copies carry the same\n\
                 event_uid, so that queries return each event once",
                number(report.duplicates())
            ));
        }
        for problem in &report.first_problems {
            output::data(format!("altered: {problem}"));
        }
        output::data(match count_hours(&self.state) {
            Ok(counts) => hours(&counts),
            Err(error) => format!("hours  cannot be read: {error}"),
        });
        let rows = self.rows.join("CiscoDuo_CL.ndjson");
        output::data(format!("rows   {}", rows.display()));
        output::data(format!("state  {}", self.state.display()));
        report.is_complete()
    }
}

fn hours(counts: &BTreeMap<HourState, u64>) -> String {
    let of =
        |states: &[HourState]| number(states.iter().filter_map(|state| counts.get(state)).sum());
    format!(
        "hours  {} read in full and verified, {} count matched, {} with a gap",
        of(&[HourState::Verified, HourState::VerifiedLate]),
        of(&[HourState::CountMatched]),
        of(&[HourState::Gap]),
    )
}

/// Counts the hours by state, as the demo stored them.
fn count_hours(state: &Path) -> io::Result<BTreeMap<HourState, u64>> {
    let mut counts = BTreeMap::new();
    let logs = fs::read_dir(state.join("127.0.0.1/self"))?;
    for log in logs {
        let ledger = log?.path().join("ledger");
        // The result of the hourly check is stored beside the logs.
        if !ledger.is_dir() {
            continue;
        }
        for file in fs::read_dir(ledger)? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let day = DayResults::from_json(&fs::read(path)?).map_err(io::Error::other)?;
            for result in day.hours.values() {
                *counts.entry(result.state).or_default() += 1;
            }
        }
    }
    Ok(counts)
}
