//! `run`: one collection now.

use tokio_util::sync::CancellationToken;

use super::output;
use crate::collector::{LogReport, RunReport};
use crate::model::{number, span};
use crate::status::Outcome;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments) -> u8 {
    let collector = match super::collector(arguments.json) {
        Ok(collector) => collector,
        Err(code) => return code,
    };
    let interrupt = CancellationToken::new();
    let run = collector.run(&interrupt);
    tokio::pin!(run);
    let report = tokio::select! {
        report = &mut run => report,
        () = super::serve::asked_to_end() => {
            output::talk("asked to end: stopping at the next commit");
            interrupt.cancel();
            run.await
        }
    };
    if arguments.json {
        output::json(&report);
    } else {
        output::data(table(&report));
    }
    let mut last_hint = None;
    for log in &report.logs {
        for notice in &log.notices {
            output::talk(format!("{}: {}", log.log_type, notice.message));
        }
        if let Some(message) = &log.message {
            output::talk(format!("{}: {message}", log.log_type));
        }
        // Where all logs fail for one reason, its remedy is told once.
        if let Some(hint) = &log.hint
            && last_hint != Some(hint)
        {
            output::talk(format!("  hint: {hint}"));
            last_hint = Some(hint);
        }
    }
    // A log that waits did not do its work: for the host that is no failure, for whoever calls this it is.
    let is_waiting = |log: &LogReport| log.outcome == Outcome::Parked;
    if report.has_failed() || report.logs.iter().any(is_waiting) {
        super::FAILED
    } else {
        0
    }
}

fn table(report: &RunReport) -> String {
    let rows = report.logs.iter().map(|log| {
        [
            log.log_type.to_string(),
            log.outcome.as_str().to_owned(),
            number(log.events),
            number(log.late),
            number(log.duplicates_dropped),
            number(log.pages),
            log.lag_seconds.map_or_else(|| "-".to_owned(), span),
        ]
    });
    output::table(
        [
            "log",
            "outcome",
            "events",
            "late",
            "known",
            "pages",
            "behind now",
        ],
        rows,
        2,
    )
}
