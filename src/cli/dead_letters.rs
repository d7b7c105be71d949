//! `dead-letters`: lists, resends and deletes dead letters, without showing their content.

use chrono::NaiveDate;
use clap::Subcommand;
use futures::stream::{self, StreamExt as _};
use serde::Serialize;

use super::output;
use crate::collector::{Collector, Explanation, Resent};
use crate::model::{LogType, Millis, SendErrorKind, number};
use crate::storage::{DeadLetter, DeadLetterName, StorageError, Why};
use crate::sync::RunError;

const CONCURRENCY: usize = 8;
/// Outcome of a dead letter that is kept because its row was truncated again.
const TRUNCATED: &str = "accepted, truncated again";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List dead letters with their reasons; never shows their content
    List(Filter),
    /// Send records again, and delete the dead letters of records that were accepted in full
    Resend(Filter),
    /// Delete dead letters
    Purge(Purge),
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only dead letters of this log; repeat for several
    #[arg(long = "log", value_name = "LOG", value_parser = LogType::named, value_delimiter = ',')]
    logs: Vec<LogType>,
    /// Only the dead letter of this event
    #[arg(long, value_name = "EVENT_UID")]
    uid: Option<String>,
    /// Only dead letters of events before this UTC date, such as 2026-11-22
    #[arg(long, value_name = "DATE", value_parser = date)]
    before: Option<NaiveDate>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A purge must specify one event, a date, or everything.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("extent").args(["before", "all", "uid"]).required(true))]
struct Purge {
    #[command(flatten)]
    filter: Filter,
    /// Delete dead letters of any date
    #[arg(long)]
    all: bool,
}

fn date(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "use a date such as 2026-11-22")
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    name: DeadLetterName,
    #[serde(flatten)]
    content: Option<Content>,
    outcome: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Content {
    when: Millis,
    #[serde(flatten)]
    why: Why,
    /// Bytes of the original.
    size: usize,
}

pub(super) async fn dead_letters(arguments: &Arguments) -> Result<(), u8> {
    let (Command::List(filter)
    | Command::Resend(filter)
    | Command::Purge(Purge { filter, all: _ })) = &arguments.command;
    let collector = super::collector(filter.json)?;
    let names = names(&collector, filter).await.map_err(|error| storage_failed(&error))?;
    let (shown, done) = match &arguments.command {
        Command::List(_) => list(&collector, names).await,
        Command::Resend(_) => resend(&collector, names).await,
        Command::Purge(_) => purge(&collector, names).await,
    };
    let kept = shown.iter().filter(|shown| shown.outcome == Some(TRUNCATED)).count() as u64;
    if filter.json {
        output::json(&shown);
    } else if shown.is_empty() {
        output::talk("no dead letters");
    } else if matches!(arguments.command, Command::List(_)) {
        let header = ["log", "event_uid", "date", "reason", "bytes"];
        output::data(output::table(header, shown.into_iter().map(listed), 4));
    } else {
        let rows = shown.into_iter().map(|Shown { name, outcome, .. }| {
            let outcome = outcome.unwrap_or_default().to_owned();
            [name.log_type.to_string(), name.event_uid, name.date, outcome]
        });
        output::data(output::table(["log", "event_uid", "date", "outcome"], rows, 4));
    }
    if kept > 0 {
        output::talk(format!(
            "{} dead letters are kept because their rows are truncated; `dead-letters purge --uid UID` deletes one",
            number(kept)
        ));
    }
    done
}

async fn names(
    collector: &Collector,
    filter: &Filter,
) -> Result<Vec<DeadLetterName>, StorageError> {
    // Dates in this format sort as text.
    let before = filter.before.map(|date| date.to_string());
    let only = if let [log_type] = filter.logs[..] { Some(log_type) } else { None };
    let mut names = collector.dead_letters.list(only).await?;
    names.retain(|name| {
        (filter.logs.is_empty() || filter.logs.contains(&name.log_type))
            && before.as_ref().is_none_or(|before| name.date < *before)
            && filter.uid.as_ref().is_none_or(|uid| name.event_uid == *uid)
    });
    Ok(names)
}

type Done = (Vec<Shown>, Result<(), u8>);

async fn list(collector: &Collector, names: Vec<DeadLetterName>) -> Done {
    let read = async |name| (collector.dead_letters.read(&name).await, name);
    let mut letters = stream::iter(names).map(read).buffered(CONCURRENCY);
    let (mut shown, mut done) = (Vec::new(), Ok(()));
    while let Some((letter, name)) = letters.next().await {
        let content = match letter {
            Ok(Some(DeadLetter { when, why, original, .. })) => {
                Some(Content { when, why, size: original.len() })
            }
            // Another process removed it in the meantime.
            Ok(None) => continue,
            Err(error) => {
                done = Err(storage_failed(&error));
                None
            }
        };
        shown.push(Shown { name, content, outcome: None });
    }
    (shown, done)
}

async fn resend(collector: &Collector, names: Vec<DeadLetterName>) -> Done {
    let (mut shown, mut done) = (Vec::new(), Ok(()));
    for name in names {
        let outcome = match collector.resend(&name).await {
            Ok(Resent::Whole) => "accepted",
            Ok(Resent::Truncated) => TRUNCATED,
            Ok(Resent::Gone) => continue,
            Err(error) => {
                done = Err(super::FAILED);
                let message = format!("{} {}: {error}", name.log_type, name.event_uid);
                output::error(&message, Explanation::from(&error).hint.as_deref());
                if !is_of_one(&error) {
                    // The next one would fail alike.
                    break;
                }
                "not accepted"
            }
        };
        shown.push(Shown { name, content: None, outcome: Some(outcome) });
    }
    (shown, done)
}

async fn purge(collector: &Collector, names: Vec<DeadLetterName>) -> Done {
    let mut shown = Vec::new();
    for name in names {
        if let Err(error) = collector.dead_letters.remove(&name).await {
            return (shown, Err(storage_failed(&error)));
        }
        shown.push(Shown { name, content: None, outcome: Some("deleted") });
    }
    (shown, Ok(()))
}

/// Whether an error affects only one dead letter.
fn is_of_one(error: &RunError) -> bool {
    match error {
        RunError::Send(error) => {
            matches!(error.kind, SendErrorKind::BadRecord | SendErrorKind::TooLarge)
        }
        RunError::Storage(error) => error.action == "use",
        RunError::Fetch(_) | RunError::RecordsRefused { .. } => false,
    }
}

fn storage_failed(error: &StorageError) -> u8 {
    output::error(&error.to_string(), error.hint.as_deref());
    super::FAILED
}

fn listed(Shown { name, content, .. }: Shown) -> [String; 5] {
    let (reason, size) = match content {
        Some(content) => (reason(&content.why), number(content.size as u64)),
        None => ("cannot be read".to_owned(), "-".to_owned()),
    };
    [name.log_type.to_string(), name.event_uid, name.date, reason, size]
}

fn reason(why: &Why) -> String {
    match why {
        Why::Oversized { fields } => format!("oversized: {}", fields.join(", ")),
        Why::Refused { status, code } => {
            let status = status.map_or("no status".to_owned(), |status| format!("HTTP {status}"));
            let code = code.as_ref().map(|code| format!(" {code}"));
            format!("refused: {status}{}", code.unwrap_or_default())
        }
    }
}
