//! Checks the stored state of each log: checkpoint, results of closed hours, and unmapped fields.

use futures::future::join_all;

use super::Finding;
use crate::collector::{Collector, UnmappedFields};
use crate::model::{LogType, Span};
use crate::schema::ADDITIONAL_FIELDS;
use crate::status::{Code, HourStatus, LogStatus, State};
use crate::storage::document;
use crate::sync::Checkpoint;

const MAX_LISTED: usize = 30;

/// Checkpoints, then closed hours, then unmapped fields.
pub(super) async fn check(collector: &Collector) -> Vec<Finding> {
    let logs = &collector.settings.log_types;
    let (mut findings, status, fields) = futures::join!(
        join_all(logs.iter().map(|&log| checkpoint(collector, log))),
        collector.status(),
        join_all(logs.iter().map(|&log| fields(collector, log))),
    );
    findings.extend(status.logs.iter().filter_map(runs));
    findings.extend(status.logs.iter().filter_map(ledger));
    findings.extend(fields.into_iter().flatten());
    findings
}

async fn checkpoint(collector: &Collector, log_type: LogType) -> Finding {
    let subject = format!("checkpoint {log_type}");
    let checkpoint = match collector.state_of(log_type).load::<Checkpoint>().await {
        Ok(Some((checkpoint, _))) => checkpoint,
        Ok(None) => return Finding::ok(subject, "none yet; the first run creates one"),
        Err(error) => return Finding::of(subject, error),
    };
    let ours = collector.settings.sink.fingerprint();
    match checkpoint.destination {
        Some(destination) if destination.fingerprint != ours => {
            let message = format!(
                "rows were sent to another workspace or endpoint until {}",
                destination.used_at
            );
            Finding::error(subject, Code::OtherDestination, message).with_hint(Some("if you changed the destination, wait: collection continues 15 minutes after the last row; if not, give each instance \
                 its own CISCO_DUO_CONTAINER"))
        }
        _ => Finding::ok(subject, format!("collected to {}", checkpoint.mintime)),
    }
}

fn runs(log: &LogStatus) -> Option<Finding> {
    let seen_at = log.seen_at.filter(|_| log.state == State::Silent)?;
    let message = format!("the last recorded run ended at {seen_at}");
    let subject = format!("runs {}", log.log_type);
    Some(Finding::error(subject, Code::NoRun, message))
}

/// The closed hours of a log; `None` if there are none or they are unreadable.
fn ledger(log: &LogStatus) -> Option<Finding> {
    if log.days.is_empty() {
        return None;
    }
    let (log_type, marks) = (log.log_type, &log.completeness);
    let subject = format!("ledger {log_type}");
    let listed = |what: &str, spans: &[Span]| match spans {
        [] => String::new(),
        [span] => format!("; {what} from {} to {}", span.from, span.to),
        [span, others @ ..] => {
            format!("; {what} from {} to {}, and {} more", span.from, span.to, others.len())
        }
    };
    let message = format!(
        "hours of the last 14 days: {marks}{}{}",
        listed("gap", &log.gaps),
        listed("unknown", &log.unknown)
    );
    let again = |span: &Span| {
        let (from, to) = (span.from, span.to);
        format!("duo-sentinel backfill --log {log_type} --from {from} --to {to}")
    };
    Some(if let Some(gap) = log.gaps.first() {
        Finding::error(subject, Code::Gap, message).with_hint(Some(format!(
            "read it again: {}; if the gap remains, the events cannot be read any more",
            again(gap)
        )))
    } else if marks.count(HourStatus::Gap) > 0 {
        Finding::error(subject, Code::Gap, message)
    } else if let Some(hour) = log.unknown.first() {
        let hint = format!("read it again: {} --resend", again(hour));
        Finding::error(subject, Code::UnknownHours, message).with_hint(Some(hint))
    } else {
        Finding::ok(subject, message)
    })
}

/// The unmapped fields, if any were received.
async fn fields(collector: &Collector, log_type: LogType) -> Option<Finding> {
    let subject = format!("fields {log_type}");
    let name = collector.state_of(log_type).fields_name();
    let fields = match document::read::<UnmappedFields>(&collector.store, &name).await {
        Ok((fields, _)) => fields?,
        Err(error) => return Some(Finding::of(subject, error)),
    };
    let columns = (!fields.columns.is_empty()).then(|| {
        let columns: Vec<&str> = fields.columns.iter().map(String::as_str).collect();
        format!("unmapped fields with a column: {}", columns.join(", "))
    });
    let stored = (!fields.is_empty())
        .then(|| format!("unmapped fields, stored in {ADDITIONAL_FIELDS}: {}", listed(&fields)));
    let parts: Vec<String> = columns.into_iter().chain(stored).collect();
    (!parts.is_empty()).then(|| Finding::ok(subject, parts.join("; ")))
}

/// The fields with the most rows.
fn listed(counts: &UnmappedFields) -> String {
    let mut seen: Vec<(&String, &u64)> = counts.fields.iter().collect();
    seen.sort_by_key(|(name, rows)| (std::cmp::Reverse(*rows), *name));
    let has_more = seen.len() > MAX_LISTED || counts.others > 0;
    let listed = seen.into_iter().take(MAX_LISTED).map(|(name, rows)| {
        // Duo's text may contain terminal escape codes.
        let name = name.replace(char::is_control, "\u{fffd}");
        format!("{name} ({rows})")
    });
    let others = has_more.then(|| "others".to_owned());
    listed.chain(others).collect::<Vec<_>>().join(", ")
}
