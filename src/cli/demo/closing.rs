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
    /// What is known of closed hours, in one line.
    fn hours(&self) -> String {
        match count_hours(&self.state) {
            Ok(counts) => {
                let of = |state| number(counts.get(&state).copied().unwrap_or(0));
                format!(
                    "hours  {} verified by a full reading, {} agree with Duo's count so far, {} with a gap",
                    number(
                        [HourState::Verified, HourState::VerifiedLate]
                            .iter()
                            .filter_map(|state| counts.get(state))
                            .sum()
                    ),
                    of(HourState::CountMatched),
                    of(HourState::Gap),
                )
            }
            Err(fault) => format!("hours  cannot be read: {fault}"),
        }
    }

    /// The numbers that matter.
    pub(super) async fn tell(&self, in_turn: &Report) -> bool {
        let report = self.simulator.report().await;
        let mut rows: Vec<[String; 6]> = Vec::new();
        let mut row = |name: &str, counts: [u64; 5]| {
            let [shown, delivered, late, twice, lost] = counts.map(number);
            rows.push([name.to_owned(), shown, delivered, late, twice, lost]);
        };
        for (log, counts) in &report.logs {
            row(
                log.name(),
                [
                    counts.shown,
                    counts.delivered,
                    counts.delivered - in_turn.logs[log].delivered,
                    counts.duplicates,
                    counts.missing,
                ],
            );
        }
        row(
            "total",
            [
                report.shown(),
                report.delivered(),
                report.delivered() - in_turn.delivered(),
                report.duplicates(),
                report.missing(),
            ],
        );
        output::data(format!(
            "\n{}",
            output::table(
                [
                    "log",
                    "events in Duo",
                    "delivered",
                    "of them late",
                    "repeated",
                    "lost",
                ],
                rows,
                1
            )
        ));
        output::data(format!("\nlost {}", number(report.missing())));
        if report.duplicates() > 0 {
            output::data(format!(
                "sent again after the lost answer and the kill: {}; they carry the same event_uid,\n\
                 so that queries can tell them",
                number(report.duplicates())
            ));
        }
        for problem in &report.first_problems {
            output::data(format!("altered: {problem}"));
        }
        output::data(self.hours());
        output::data(format!(
            "rows   {}",
            self.rows.join("CiscoDuo_CL.ndjson").display()
        ));
        output::data(format!("state  {}", self.state.display()));
        report.is_complete()
    }
}

/// Counts the results of hours that lie in the state of a demo.
fn count_hours(state: &Path) -> io::Result<BTreeMap<HourState, u64>> {
    let mut counts = BTreeMap::new();
    let logs = fs::read_dir(state.join("127.0.0.1/self"))?;
    for log in logs {
        let ledger = log?.path().join("ledger");
        // What the hourly check found lies beside the logs.
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
