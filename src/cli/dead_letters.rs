//! `dead-letters`: the originals of records that did not become whole rows. Their content is never shown.

use chrono::{NaiveDate, Utc};
use clap::Subcommand;
use futures::stream::{self, StreamExt as _};
use serde::Serialize;

use super::output;
use crate::collector::{Collector, ResendError, Resent};
use crate::model::SendErrorKind;
use crate::model::number;
use crate::model::{LogType, Millis};
use crate::storage::{DeadLetter, Why};
use crate::storage::{DeadLetterName, StorageError};

/// Dead letters read at once.
const SIDE_BY_SIDE: usize = 8;

/// Arguments of `dead-letters`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show which records have a dead letter, and why; never what is in them
    List(Filter),
    /// Send records again, and remove the dead letters of those that were accepted whole
    Resend(Filter),
    /// Remove dead letters for good
    Purge(Purge),
}

#[derive(Debug, clap::Args)]
struct Filter {
    #[command(flatten)]
    which: Which,
    /// Only those of events before this UTC date, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    before: Option<NaiveDate>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Purge {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    extent: Extent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is removed has to be said.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Extent {
    /// Remove those of events before this UTC date, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    before: Option<NaiveDate>,
    /// Remove them whatever their date
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Only those of this log
    #[arg(long, value_name = "LOG", value_parser = super::log_type)]
    log: Option<LogType>,
    /// Only the one with this `event_uid`
    #[arg(long, value_name = "EVENT_UID")]
    uid: Option<String>,
}

/// What is shown of a dead letter.
#[derive(Debug, Serialize)]
struct Shown {
    log_type: LogType,
    event_uid: String,
    date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    why: Option<Why>,
    /// Bytes of the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    /// What was done with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

pub(super) async fn dead_letters(arguments: &Arguments) -> u8 {
    let json = match &arguments.command {
        Command::List(filter) | Command::Resend(filter) => filter.json,
        Command::Purge(purge) => purge.json,
    };
    let collector = match super::collector(json) {
        Ok(collector) => collector,
        Err(code) => return code,
    };
    let done = match &arguments.command {
        Command::List(filter) => list(&collector, filter).await,
        Command::Resend(filter) => resend(&collector, filter).await,
        Command::Purge(purge) => self::purge(&collector, purge).await,
    };
    done.unwrap_or_else(|fault| {
        state_error(&fault);
        super::FAILED
    })
}

/// The names that the arguments mean, by log and date.
async fn names(
    collector: &Collector,
    which: &Which,
    before: Option<NaiveDate>,
) -> Result<Vec<DeadLetterName>, StorageError> {
    // Dates of this form sort as texts.
    let before = before.map(|date| date.to_string());
    let mut names = collector.dead_letters().list(which.log).await?;
    names.retain(|name| {
        let is_before = before.as_ref().is_none_or(|before| name.date < *before);
        is_before && which.uid.as_ref().is_none_or(|uid| name.event_uid == *uid)
    });
    Ok(names)
}

async fn list(collector: &Collector, arguments: &Filter) -> Result<u8, StorageError> {
    let names = names(collector, &arguments.which, arguments.before).await?;
    let letters = collector.dead_letters();
    let mut read = stream::iter(names)
        .map(|name| async move {
            let letter = letters.read(&name).await;
            (name, letter)
        })
        .buffered(SIDE_BY_SIDE);
    let mut shown = Vec::new();
    let mut code = 0;
    while let Some((name, letter)) = read.next().await {
        match letter {
            Ok(Some(letter)) => shown.push(Shown::new(name, Some(&letter), None)),
            // Somebody removed it meanwhile.
            Ok(None) => {}
            Err(fault) => {
                state_error(&fault);
                shown.push(Shown::new(name, None, None));
                code = super::FAILED;
            }
        }
    }
    if arguments.json {
        output::json(&shown);
    } else if shown.is_empty() {
        output::talk("no dead letters");
    } else {
        let rows = shown.into_iter().map(|shown| {
            let why = shown.why.as_ref();
            [
                shown.log_type.to_string(),
                shown.event_uid,
                shown.date,
                why.map_or_else(|| "cannot be read".to_owned(), reason),
                shown
                    .size
                    .map_or_else(|| "-".to_owned(), |size| number(size as u64)),
            ]
        });
        let header = ["log", "event_uid", "date", "reason", "bytes"];
        output::data(output::table(header, rows, 4));
    }
    Ok(code)
}

async fn resend(collector: &Collector, arguments: &Filter) -> Result<u8, StorageError> {
    let names = names(collector, &arguments.which, arguments.before).await?;
    let mut shown = Vec::new();
    let mut code = 0;
    for name in names {
        #[expect(clippy::disallowed_methods, reason = "each call is dated")]
        let now = Utc::now();
        let outcome = match collector.resend(&name, now.into()).await {
            Ok(Resent::Whole) => "accepted",
            Ok(Resent::Cut) => "accepted, cut again",
            Ok(Resent::Gone) => continue,
            Err(fault) => {
                code = super::FAILED;
                output::error(
                    &format!("{} {}: {fault}", name.log_type, name.event_uid),
                    fault.hint(),
                );
                if !is_of_one(&fault) {
                    // It would be the same with the next one.
                    break;
                }
                "not accepted"
            }
        };
        shown.push(Shown::new(name, None, Some(outcome)));
    }
    let cut = count(&shown, "accepted, cut again");
    tell(shown, arguments.json);
    if cut > 0 {
        output::talk(format!(
            "{} dead letters are kept: the rows lack what they hold; `dead-letters purge` removes them",
            number(cut)
        ));
    }
    Ok(code)
}

/// Whether a fault is of one dead letter and not of the place or the road of all.
fn is_of_one(fault: &ResendError) -> bool {
    match fault {
        ResendError::Sink(fault) => {
            matches!(
                fault.kind,
                SendErrorKind::BadRecord | SendErrorKind::TooLarge
            )
        }
        ResendError::State(fault) => fault.action == "use",
    }
}

async fn purge(collector: &Collector, arguments: &Purge) -> Result<u8, StorageError> {
    let names = names(collector, &arguments.which, arguments.extent.before).await?;
    let mut shown = Vec::new();
    for name in names {
        if let Err(fault) = collector.dead_letters().remove(&name).await {
            tell(shown, arguments.json);
            return Err(fault);
        }
        shown.push(Shown::new(name, None, Some("removed")));
    }
    tell(shown, arguments.json);
    Ok(0)
}

/// Shows what was done with each.
fn tell(shown: Vec<Shown>, json: bool) {
    if json {
        output::json(&shown);
    } else if shown.is_empty() {
        output::talk("no such dead letters");
    } else {
        let rows = shown.into_iter().map(|shown| {
            let outcome = shown.outcome.unwrap_or_default().to_owned();
            [
                shown.log_type.to_string(),
                shown.event_uid,
                shown.date,
                outcome,
            ]
        });
        output::data(output::table(
            ["log", "event_uid", "date", "outcome"],
            rows,
            4,
        ));
    }
}

fn count(shown: &[Shown], outcome: &str) -> u64 {
    let those = shown.iter().filter(|shown| shown.outcome == Some(outcome));
    those.count() as u64
}

/// Why a record did not become a whole row, in a few words.
fn reason(why: &Why) -> String {
    match why {
        Why::Oversized { fields } => format!("oversized: {}", fields.join(", ")),
        Why::Refused { status, code } => {
            let status = status.map(|status| format!(" HTTP {status}"));
            let code = code.as_ref().map(|code| format!(" {code}"));
            format!(
                "refused:{}{}",
                status.unwrap_or_else(|| " no status".to_owned()),
                code.unwrap_or_default()
            )
        }
    }
}

fn state_error(fault: &StorageError) {
    output::error(&fault.to_string(), fault.hint.as_deref());
}

impl Shown {
    fn new(
        name: DeadLetterName,
        letter: Option<&DeadLetter>,
        outcome: Option<&'static str>,
    ) -> Self {
        Self {
            log_type: name.log_type,
            event_uid: name.event_uid,
            date: name.date,
            when: letter.map(|letter| letter.when),
            why: letter.map(|letter| letter.why.clone()),
            size: letter.map(|letter| letter.original.len()),
            outcome,
        }
    }
}
