//! The final report of the demo.

use serde_json::Value;
use simulator::{FunctionsHost, Report};

use super::Demo;
use crate::cli::output;
use crate::model::number;

impl Demo {
    /// Prints the results. Returns whether everything was delivered.
    pub(super) async fn report(&self, in_turn: &Report) -> bool {
        let report = self.simulator.report().await;
        let row = |name: &str, counts: [u64; 5]| {
            let [shown, delivered, late, duplicates, lost] = counts.map(number);
            [name.to_owned(), shown, delivered, late, duplicates, lost]
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
        let header = ["log", "events in Duo", "delivered", "late", "duplicates", "lost"];
        let table = output::table(header, logs.chain([row("total", total)]), 1);
        let lost = number(report.missing());
        output::data(format!("\n{table}\n\nlost {lost}"));
        if report.duplicates() > 0 {
            output::data(format!(
                "{} duplicates, after the lost response and the kill; the function CiscoDuo\n\
                 returns each event once, by its event_uid",
                number(report.duplicates())
            ));
        }
        for problem in &report.first_problems {
            output::data(format!("altered: {problem}"));
        }
        let hours = hours(&self.host).await;
        output::data(hours.unwrap_or_else(|error| format!("hours  cannot be read: {error}")));
        let rows = self.rows.join("CiscoDuo_CL.ndjson");
        output::data(format!("rows   {}", rows.display()));
        output::data(format!("state  {}", self.state.display()));
        report.is_complete()
    }
}

/// Summarises the hours of the status.
async fn hours(host: &FunctionsHost) -> Result<String, String> {
    let status = host.status().await?;
    let of = |marks: &[&str]| {
        let logs = status["logs"].as_array().into_iter().flatten();
        let counts = logs.flat_map(|log| marks.iter().map(|mark| &log["completeness"][mark]));
        number(counts.filter_map(Value::as_u64).sum())
    };
    Ok(format!(
        "hours  {} read in full and verified, {} count matched, {} with a gap",
        of(&["verified", "verified_late"]),
        of(&["count_matched"]),
        of(&["gap"]),
    ))
}
