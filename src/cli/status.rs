use std::fmt::Display;

use super::{Format, output};
use crate::model::{Span, number, span};
use crate::status::{Cause, CheckError, Status};

pub(super) async fn status(format: Format) -> Result<(), u8> {
    let status = super::collector(format.json)?.status().await;
    if format.json {
        output::json(&status);
    } else {
        show(&status);
    }
    let is_healthy = status
        .logs
        .iter()
        .all(|log| !log.state.needs_action() && log.gaps.is_empty() && log.unknown.is_empty());
    super::failed_unless(is_healthy)
}

fn show(status: &Status) {
    let header = ["log", "state", "lag", "events, 7 days", "verified hours, 14 days"];
    let rows = status.logs.iter().map(|log| {
        let lag = log.lag_seconds.map(|lag| span(lag.max(0)));
        [
            log.log_type.to_string(),
            log.state.as_str().to_owned(),
            lag.unwrap_or_else(|| "-".to_owned()),
            number(log.activity.counts.events),
            log.completeness.verified_of_reconciled(),
        ]
    });
    output::data(output::table(header, rows, 2));
    for log in &status.logs {
        explain(log.log_type, log.cause);
        for (is, spans) in [("gap", &log.gaps), ("completeness unknown", &log.unknown)] {
            for Span { from, to } in spans {
                output::data(format!("\n{}: {is} from {from} to {to}", log.log_type));
            }
        }
    }
    if let Some(check) = &status.check {
        for CheckError { subject, cause } in &check.errors {
            explain(format_args!("last check, {}: {subject}", check.checked_at), *cause);
        }
    }
}

fn explain(subject: impl Display, cause: Cause) {
    if let Some(code) = cause.code {
        output::data(format!("\n{subject}: {}\n  {}", code.sentence(), code.hint()));
    }
}
