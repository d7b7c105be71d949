//! How the demo ends: the numbers that matter.

use std::path::Path;

use chrono::Utc;
use simulator::Report;

use super::{DAY, Demo};
use crate::cli::output;
use crate::http::Transport;
use crate::model::{IngestionApi, LogType, Millis, number};
use crate::settings::StateSettings;
use crate::status::{Mark, Status};
use crate::storage;

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
        let hours = hours(&self.state).await;
        output::data(hours.unwrap_or_else(|error| format!("hours  cannot be read: {error}")));
        let rows = self.rows.join("CiscoDuo_CL.ndjson");
        output::data(format!("rows   {}", rows.display()));
        output::data(format!("state  {}", self.state.display()));
        report.is_complete()
    }
}

async fn hours(state: &Path) -> Result<String, String> {
    let transport = Transport::new().map_err(|error| error.to_string())?;
    let store = storage::open(&StateSettings::Folder(state.to_owned()), &transport)
        .map_err(|error| error.to_string())?;
    #[expect(clippy::disallowed_methods, reason = "the demo ends a day ahead of this machine")]
    let now = Millis::from(Utc::now()) + DAY;
    let api = IngestionApi::DataCollector;
    let status = Status::read(&store, "127.0.0.1", LogType::ALL, api, now).await;
    let of = |marks: &[Mark]| {
        let logs = status.logs.iter();
        let counts = logs.flat_map(|log| marks.iter().map(|mark| log.completeness.count(*mark)));
        number(counts.map(u64::from).sum())
    };
    Ok(format!(
        "hours  {} read in full and verified, {} count matched, {} with a gap",
        of(&[Mark::Verified, Mark::VerifiedLate]),
        of(&[Mark::CountMatched]),
        of(&[Mark::Gap]),
    ))
}
