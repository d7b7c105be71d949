//! Looks at everything that collection needs, with one real call to each remote that leaves nothing behind.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Serialize;

use crate::collect::Collector;
use crate::duo::{DuoError, Question, Unread};
use crate::model::{IngestionApi, LogType, MINUTE, Millis, SECOND};
use crate::plan::{FetchFault, PageRequest, SendFault};
use crate::release;
use crate::sink::SinkCall;
use crate::state::{StateError, Store, WriteError};
use crate::table::ADDITIONAL_FIELDS;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Clock difference from which requests may be refused or windows delayed, in seconds.
const WORRYING_SKEW: i64 = 60;

/// Clock difference below which nothing is told, in seconds: the header has whole seconds, and an answer takes time.
const AGREEING: i64 = 2;

/// Most unknown fields of a log that are listed.
const MOST_FIELDS: usize = 30;

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// Whether it is in order.
    pub ok: bool,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    fn ok(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ok: true,
            message: message.into(),
            hint: None,
        }
    }

    fn problem(
        subject: impl Into<String>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            ok: false,
            message: message.into(),
            hint,
        }
    }
}

/// Looks at everything; `now` dates the calls. The findings come in the order in which they are best mended.
pub async fn check(collector: &Collector, now: DateTime<Utc>) -> Vec<Finding> {
    let logs = &collector.settings().log_types;
    let asked = join_all(logs.iter().map(|&log_type| ask(collector, log_type, now))).await;
    let mut findings = vec![
        program().await,
        Finding::ok(
            "settings",
            format!(
                "complete; {} log{}",
                logs.len(),
                if logs.len() == 1 { "" } else { "s" }
            ),
        ),
    ];
    findings.extend(clock(&asked));
    findings.extend(asked.into_iter().map(|asked| asked.finding));
    findings.push(storage(collector, "storage", collector.store()).await);
    let dead_letters = collector.dead_letters().store();
    findings.push(storage(collector, "dead letters", dead_letters).await);
    findings.extend(join_all(logs.iter().map(|&log_type| place(collector, log_type))).await);
    let fields = logs.iter().map(|&log_type| fields(collector, log_type));
    findings.extend(join_all(fields).await.into_iter().flatten());
    findings.push(sink(collector, now).await);
    findings
}

/// Says which program this is; the sum can be compared with that of the release.
async fn program() -> Finding {
    let sha256 = tokio::task::spawn_blocking(release::sha256).await;
    let sha256 = sha256.ok().flatten().unwrap_or("unknown");
    Finding::ok(
        "program",
        format!("duo-sentinel {}, SHA-256 {sha256}", release::VERSION),
    )
}

/// What Duo said about one log.
struct Asked {
    finding: Finding,
    clock_ahead_seconds: Option<i64>,
}

/// Asks for the smallest page there is.
async fn ask(collector: &Collector, log_type: LogType, now: DateTime<Utc>) -> Asked {
    let subject = format!("Duo {log_type}");
    let maxtime = Millis::from(now) - collector.settings().pace.settle;
    let request = PageRequest {
        mintime: maxtime - MINUTE,
        maxtime,
        cursor: None,
        limit: Some(1),
        is_check: false,
    };
    let question = Question {
        log_type,
        request: &request,
        now,
        timeout: PATIENCE,
        buffer: Vec::new(),
    };
    match collector.duo().page(question, &mut Unread).await {
        Ok(answer) => Asked {
            finding: Finding::ok(subject, "may be read"),
            clock_ahead_seconds: answer
                .server_time
                .map(|time| (Millis::from(now) - time) / SECOND),
        },
        Err(fault) => Asked {
            clock_ahead_seconds: fault.clock_ahead_seconds,
            finding: refusal(subject, log_type, &fault),
        },
    }
}

fn refusal(subject: String, log_type: LogType, fault: &DuoError) -> Finding {
    let is_gone = matches!(fault.fault, FetchFault::Forbidden | FetchFault::Gone);
    if log_type.spec().may_be_retired && is_gone {
        return Finding::ok(
            subject,
            "not licensed or retired; nothing is collected from it",
        );
    }
    Finding::problem(subject, fault.to_string(), fault.hint())
}

fn clock(asked: &[Asked]) -> Option<Finding> {
    let ahead = asked.iter().find_map(|asked| asked.clock_ahead_seconds)?;
    if ahead.abs() <= AGREEING {
        return Some(Finding::ok("clock", "agrees with Duo's"));
    }
    let direction = if ahead >= 0 { "ahead of" } else { "behind" };
    let message = format!("{} s {direction} Duo's", ahead.abs());
    Some(if ahead.abs() > WORRYING_SKEW {
        let hint = "set the clock of this machine: Duo refuses requests that are off by minutes"
            .to_owned();
        Finding::problem("clock", message, Some(hint))
    } else {
        Finding::ok("clock", message)
    })
}

/// Writes, compares, reads, appends to and removes texts of its own.
async fn storage(collector: &Collector, subject: &str, store: &Store) -> Finding {
    let name = format!(
        "{}/self/check/{:016x}",
        collector.settings().duo.host,
        fastrand::u64(..)
    );
    let ledger = format!("{name}.ids");
    let tried = async {
        let version = store.write(&name, b"first".to_vec(), None).await?;
        let second = store
            .write(&name, b"second".to_vec(), Some(&version))
            .await?;
        let refused = store.write(&name, b"third".to_vec(), Some(&version)).await;
        let read = store.read(&name).await?;
        store.append(&ledger, b"1".to_vec(), 1).await?;
        store.append(&ledger, b"2".to_vec(), 1).await?;
        let appended = store.read(&ledger).await?;
        let compares = matches!(refused, Err(WriteError::Conflict));
        let reads =
            read.is_some_and(|(content, version)| content == b"second" && version == second);
        let appends = appended.is_some_and(|(content, _)| content == b"12");
        Ok::<_, WriteError>((compares, reads && appends))
    };
    let tried = tried.await;
    // Also after a fault in the middle. What cannot be removed now would not tell more than the fault before.
    let removed = store.remove(&name).await.and(store.remove(&ledger).await);
    let tried = tried.and_then(|found| Ok(removed.map(|()| found)?));
    let place = store.place();
    match tried {
        Ok((true, true)) => Finding::ok(subject, format!("{place}: reads, writes and compares")),
        Ok(_) => Finding::problem(
            subject,
            format!("{place}: a conditional write was not honoured"),
            Some(
                "something between here and the storage account drops the header If-Match"
                    .to_owned(),
            ),
        ),
        Err(WriteError::Conflict) => {
            Finding::problem(subject, format!("{place}: a new name was taken"), None)
        }
        Err(WriteError::Failed(fault)) => state_problem(subject.to_owned(), fault),
    }
}

/// Looks at the stored place of a log.
async fn place(collector: &Collector, log_type: LogType) -> Finding {
    let subject = format!("checkpoint {log_type}");
    match collector.state_of(log_type).load().await {
        Ok(None) => Finding::ok(subject, "none yet; the first run begins one"),
        Ok(Some((checkpoint, _))) => {
            let ours = collector.settings().sink.fingerprint();
            match checkpoint.destination {
                Some(destination) if destination.fingerprint != ours => Finding::problem(
                    subject,
                    format!("until {} its rows went to another workspace or endpoint", destination.used_at),
                    Some(
                        "if that was intended, this one takes over 15 minutes after the other stopped; if not, give \
                         each instance its own CISCO_DUO_CONTAINER"
                            .to_owned(),
                    ),
                ),
                _ => Finding::ok(subject, format!("collected to {}", checkpoint.mintime)),
            }
        }
        Err(fault) => state_problem(subject, fault),
    }
}

/// Tells which fields have no column of their own, where some were seen.
async fn fields(collector: &Collector, log_type: LogType) -> Option<Finding> {
    let subject = format!("fields {log_type}");
    match collector.state_of(log_type).fields().await {
        Ok(counts) if counts.is_empty() => None,
        Ok(counts) => {
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
        Err(fault) => Some(state_problem(subject, fault)),
    }
}

fn state_problem(subject: String, fault: StateError) -> Finding {
    let message = fault.to_string();
    Finding::problem(subject, message, fault.hint)
}

/// Sends no rows: the service answers whether it would take some.
async fn sink(collector: &Collector, now: DateTime<Utc>) -> Finding {
    let subject = "Azure Monitor";
    let api = collector.sink().api();
    let call = SinkCall {
        body: Bytes::from_static(b"[]"),
        is_dated_by_event: false,
        now,
        timeout: PATIENCE,
    };
    match collector.sink().send(call).await {
        Ok(()) => Finding::ok(
            subject,
            match api {
                IngestionApi::DataCollector => "takes rows for this workspace",
                IngestionApi::LogsIngestion => {
                    "takes rows for this stream of the data collection rule"
                }
            },
        ),
        // Whoever asked may send, or the answer would be 401 or 403: only the empty list is refused.
        Err(fault) if fault.fault == SendFault::BadRecord => Finding::ok(
            subject,
            match api {
                IngestionApi::DataCollector => "knows this workspace and its key",
                IngestionApi::LogsIngestion => "knows this data collection rule and the identity",
            },
        ),
        Err(fault) => {
            let hint = fault.hint().map(str::to_owned);
            Finding::problem(subject, fault.to_string(), hint)
        }
    }
}
