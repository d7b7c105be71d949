use tokio_util::sync::CancellationToken;

use super::serve::until_shutdown;
use super::{Format, output};
use crate::collector::{LogReport, RunReport};
use crate::model::{number, span};
use crate::status::Outcome;

pub(super) async fn run(format: Format) -> Result<(), u8> {
    let collector = super::collector(format.json)?;
    let shutdown = CancellationToken::new();
    let report = until_shutdown(collector.run(&shutdown), &shutdown, || {
        output::talk("shutdown requested: stopping after the current batch");
    });
    let report = report.await;
    if format.json {
        output::json(&report);
    } else {
        output::data(table(&report));
    }
    let mut last = None;
    for log in &report.logs {
        let warnings = log.warnings.iter().map(|warning| &warning.message);
        // A hint shared by several logs is shown once.
        let hint = log.why.hint.as_deref().filter(|hint| last.replace(*hint) != Some(*hint));
        output::about(log.log_type, warnings.chain(&log.why.message), hint);
    }
    // Backing off is no failure for the host; this command fails, as events are undelivered.
    let backs_off = |log: &LogReport| log.outcome == Outcome::BackingOff;
    super::failed_unless(!report.has_failed() && !report.logs.iter().any(backs_off))
}

fn table(report: &RunReport) -> String {
    let header = ["log", "outcome", "events", "late", "deduplicated", "pages", "lag"];
    let rows = report.logs.iter().map(|log| {
        [
            log.log_type.to_string(),
            log.outcome.as_str().to_owned(),
            number(log.counts.events),
            number(log.counts.late),
            number(log.counts.deduplicated),
            number(log.counts.pages),
            log.lag_seconds.map_or_else(|| "-".to_owned(), span),
        ]
    });
    output::table(header, rows, 2)
}
