//! What is stored of each log: its place, its ledger of closed hours, and fields that nobody knew.

use futures::future::join_all;

use super::Finding;
use crate::collector::UnmappedFields;
use crate::collector::{Clock, Collector};
use crate::model::Span;
use crate::model::{Hour, LogType, Millis};
use crate::schema::ADDITIONAL_FIELDS;
use crate::status::Code;
use crate::status::{LogStatus, Mark, State};
use crate::storage::document;
use crate::sync::Checkpoint;

/// Most unknown fields of a log that are listed.
const MOST_FIELDS: usize = 30;

/// All places, then all ledgers, then what was seen of unknown fields.
pub(super) async fn check(collector: &Collector, clock: Clock) -> Vec<Finding> {
    let logs = &collector.settings().log_types;
    let (places, status, fields) = futures::join!(
        join_all(logs.iter().map(|&log| place(collector, log))),
        collector.status(clock.now()),
        join_all(logs.iter().map(|&log| fields(collector, log))),
    );
    let ledgers = status.logs.iter().filter_map(ledger);
    let runs = status.logs.iter().filter_map(runs);
    let mut findings = places;
    findings.extend(runs);
    findings.extend(ledgers);
    findings.extend(fields.into_iter().flatten());
    findings
}

/// Looks at the stored place of a log.
async fn place(collector: &Collector, log_type: LogType) -> Finding {
    let subject = format!("checkpoint {log_type}");
    match collector.state_of(log_type).load::<Checkpoint>().await {
        Ok(None) => Finding::ok(subject, "none yet; the first run begins one"),
        Ok(Some((checkpoint, _))) => {
            let ours = collector.settings().sink.fingerprint();
            match checkpoint.destination {
                Some(destination) if destination.fingerprint != ours => {
                    let message = format!(
                        "until {} its rows went to another workspace or endpoint",
                        destination.used_at
                    );
                    let hint = "if that was intended, this one takes over 15 minutes after the other stopped; if not, give \
                                each instance its own CISCO_DUO_CONTAINER";
                    Finding::problem(subject, Code::OtherDestination, message)
                        .with_hint(Some(hint.to_owned()))
                }
                _ => Finding::ok(subject, format!("collected to {}", checkpoint.mintime)),
            }
        }
        Err(fault) => Finding::of_state(subject, fault),
    }
}

/// Tells of a log that no run was recorded of for a while.
fn runs(log: &LogStatus) -> Option<Finding> {
    let seen_at = log.seen_at.filter(|_| log.state == State::Silent)?;
    let message = format!("the last one that is recorded ended at {seen_at}");
    let subject = format!("runs {}", log.log_type);
    Some(Finding::problem(subject, Code::NoRun, message))
}

/// Adds up what is known of the closed hours of a log; nothing where none is known yet, or nothing can be read, which the
/// place of the log tells.
fn ledger(log: &LogStatus) -> Option<Finding> {
    let marks = &log.completeness;
    if marks.count() == 0 {
        return None;
    }
    let subject = format!("ledger {}", log.log_type);
    let mut message = format!(
        "hours verified {}, verified late {}, count matched {}, pending {}, unknown {}, with a gap {} (last 14 days)",
        marks.verified,
        marks.verified_late,
        marks.count_matched,
        marks.pending,
        marks.unknown,
        marks.gap
    );
    let gap = log.gaps.first();
    if let Some(gap) = gap {
        message = format!("{message}; missing from {} to {}", gap.from, gap.to);
    }
    if log.gaps.len() > 1 {
        message = format!("{message}, and {} more", log.gaps.len() - 1);
    }
    let unknown = unknown_hours(log);
    if let Some(hour) = unknown.first() {
        message = format!("{message}; unknown the hour from {}", hour.start());
    }
    if unknown.len() > 1 {
        message = format!("{message}, and {} more", unknown.len() - 1);
    }
    let again = |from: Millis, to: Millis| {
        let log = log.log_type;
        format!("duo-sentinel backfill --types {log} --from {from} --to {to}")
    };
    Some(match (gap, marks.gap, unknown.first()) {
        (None, 0, None) => Finding::ok(subject, message),
        (None, 0, Some(hour)) => {
            let hint = format!(
                "read it again: {} --resend",
                again(hour.start(), hour.end())
            );
            Finding::problem(subject, Code::UnknownHours, message).with_hint(Some(hint))
        }
        (gap, _, _) => {
            let hint = |gap: &Span| {
                format!(
                    "ask Duo for it again: {}; if it stays, Duo does not keep these events any more",
                    again(gap.from, gap.to)
                )
            };
            Finding::problem(subject, Code::Gap, message).with_hint(gap.map(hint))
        }
    })
}

/// The hours of which it cannot be told whether they are complete, the first one first.
fn unknown_hours(log: &LogStatus) -> Vec<Hour> {
    let days = log.days.iter().rev();
    let hours = days.flat_map(|day| {
        let numbers = (0..).zip(day.hours);
        let unknown = numbers.filter(|(_, mark)| *mark == Mark::Unknown);
        unknown.filter_map(|(number, _)| Hour::parse(&format!("{}T{number:02}", day.date)))
    });
    hours.collect()
}

/// Tells which fields have no column of their own, where some were seen.
async fn fields(collector: &Collector, log_type: LogType) -> Option<Finding> {
    let subject = format!("fields {log_type}");
    let name = collector.state_of(log_type).fields_name();
    let counts = match document::read::<UnmappedFields>(collector.store(), &name).await {
        Ok((None, _)) => return None,
        Ok((Some(counts), _)) if counts.is_empty() => return None,
        Ok((Some(counts), _)) => counts,
        Err(fault) => return Some(Finding::of_state(subject, fault)),
    };
    let mut seen: Vec<(&String, &u64)> = counts.fields.iter().collect();
    seen.sort_by_key(|(name, rows)| (std::cmp::Reverse(*rows), *name));
    let more = seen.len().saturating_sub(MOST_FIELDS);
    let mut list: Vec<String> = seen
        .into_iter()
        .take(MOST_FIELDS)
        .map(|(name, rows)| {
            // Duo's text, on its way to a terminal.
            let name = name.replace(char::is_control, "\u{fffd}");
            format!("{name} ({rows})")
        })
        .collect();
    if more > 0 || counts.others > 0 {
        list.push("others".to_owned());
    }
    Some(Finding::ok(
        subject,
        format!(
            "unknown fields seen, kept in {ADDITIONAL_FIELDS}: {}",
            list.join(", ")
        ),
    ))
}
