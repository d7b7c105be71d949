//! `status`: how each log fares, from what is stored.

use chrono::Utc;

use super::output;
use crate::model::{Millis, number, span};
use crate::status::{LogStatus, State, Status};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn status(arguments: &Arguments) -> u8 {
    let collector = match super::collector(arguments.json) {
        Ok(collector) => collector,
        Err(code) => return code,
    };
    #[expect(clippy::disallowed_methods, reason = "the command begins here")]
    let now = Millis::from(Utc::now());
    let status = collector.status(now).await;
    if arguments.json {
        output::json(&status);
    } else {
        table(&status);
    }
    let acts = |log: &LogStatus| {
        matches!(
            log.state,
            State::Failing | State::Silent | State::Unreadable
        )
    };
    if status
        .logs
        .iter()
        .any(|log| acts(log) || !log.gaps.is_empty() || log.completeness.unknown > 0)
    {
        super::FAILED
    } else {
        0
    }
}

fn table(status: &Status) {
    let header = [
        "log",
        "state",
        "behind",
        "events, 7 days",
        "hours verified, 14 days",
    ];
    let rows = status.logs.iter().map(|log| {
        let marks = &log.completeness;
        let looked_at = marks.count() - marks.pending;
        [
            log.log_type.to_string(),
            log.state.as_str().to_owned(),
            log.lag_seconds
                .map_or_else(|| "-".to_owned(), |lag| span(lag.max(0))),
            number(log.activity.events),
            format!("{} of {looked_at}", marks.verified + marks.verified_late),
        ]
    });
    output::data(output::table(header, rows, 2));
    for log in &status.logs {
        if let Some((message, remedy)) = log.message.zip(log.remedy) {
            output::data(format!("\n{}: {message}\n  {remedy}", log.log_type));
        }
        for gap in &log.gaps {
            output::data(format!(
                "\n{}: missing from {} to {}",
                log.log_type, gap.from, gap.to
            ));
        }
    }
    if let Some(check) = &status.check {
        for problem in &check.problems {
            output::data(format!(
                "\nlast check, {}: {}: {}\n  {}",
                check.checked_at, problem.subject, problem.message, problem.remedy
            ));
        }
    }
}
