//! Rows of the Logs Ingestion API: told and judged by their columns.
//!
//! What a column must hold is what the Data Collector API would have put there, had the table the declared
//! columns.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::compare::{ADDED, TRUNCATED, is_added};
use super::flat_compare::{Expected, difference};
use super::identify::Found;
use super::ledger::{Ledger, uid_bits};
use crate::events::Events;
use crate::json::Members;
use crate::log_analytics::tables::{FittedRow, LARGEST_INGESTED, TIME_GENERATED, TableRow, fitted};
use crate::{Config, LogType, StreamDeclaration};

/// The dynamic column for what has no column.
const ADDITIONAL_FIELDS: &str = "AdditionalFields";

/// A stream and what the judge has to know of it.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) declaration: StreamDeclaration,
    /// The dynamic column for what has no column, if it is declared.
    pub(super) additional: Option<String>,
    /// Hashes of the columns of all events of a v1 log, sorted; made when the first row without an
    /// identifier arrives.
    contents: BTreeMap<LogType, Vec<(u64, u32)>>,
}

impl Stream {
    /// The streams of the rule, by name.
    pub(super) fn all(config: &Config) -> BTreeMap<String, Self> {
        let config = &config.logs_ingestion;
        let stream = |declaration: &StreamDeclaration| {
            let additional = Some(ADDITIONAL_FIELDS.to_owned());
            let stream = Self {
                declaration: declaration.clone(),
                additional: additional.filter(|name| declaration.column_type(name).is_some()),
                contents: BTreeMap::new(),
            };
            (declaration.name().to_owned(), stream)
        };
        config.streams.iter().map(stream).collect()
    }

    /// Whether a column is no part of the event.
    fn is_added(&self, column: &str) -> bool {
        let own = column.strip_suffix("_s").or(column.strip_suffix("_t"));
        column == TIME_GENERATED
            || self.additional.as_deref() == Some(column)
            || own.is_some_and(|name| is_added(name.as_bytes()))
    }

    /// The indexes of the events with exactly these columns; more than one for identical records.
    fn find(&mut self, log: LogType, events: &Events, own: &TableRow) -> Vec<u32> {
        let Self { declaration, contents, .. } = self;
        let contents = contents.entry(log).or_insert_with(|| {
            let hash = |index| {
                let expected = Expected::of(&events.record(index), declaration);
                (hash(expected.columns()), index)
            };
            let mut all: Vec<_> = (0..events.count()).map(hash).collect();
            all.sort_unstable();
            all
        });
        let hash = hash(Expected::of_row(own).columns());
        let first = contents.partition_point(|(other, _)| *other < hash);
        let last = contents.partition_point(|(other, _)| *other <= hash);
        contents[first..last].iter().map(|(_, index)| *index).collect()
    }
}

fn hash<'c>(columns: impl Iterator<Item = (&'c str, &'c str)>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for column in columns {
        column.hash(&mut hasher);
    }
    hasher.finish()
}

impl Ledger {
    /// Counts a row of a stream and, if that was asked for, compares it with its event.
    pub(super) fn flat_row(&mut self, members: &Members<'_>, stream: &str) {
        // Taken out for as long as it is needed, so that the rest stays within reach.
        let Some((name, mut stream)) = self.streams.remove_entry(stream) else {
            return;
        };
        let row = fitted(members, &stream.declaration, LARGEST_INGESTED);
        let (added, own): (TableRow, TableRow) = row
            .row
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .partition(|(name, _)| stream.is_added(name));
        let text = |name: &str| added_text(&added, name);
        let found = self.identify_flat(&mut stream, &added, &own);
        let problem = match found {
            Found::Event(log, index) if self.verify => {
                self.flat_problem(log, index, &stream, &row, &own, &added)
            }
            _ => None,
        };
        let key = text("event_uid").zip(text("event_content"));
        self.count(found, key, text("eventtype"), problem);
        self.streams.insert(name, stream);
    }

    fn identify_flat(&self, stream: &mut Stream, added: &TableRow, own: &TableRow) -> Found {
        let text = |name: &str| {
            let suffixes = if name == "isotimestamp" { ["_t", "_s"] } else { ["_g", "_s"] };
            let mut columns = suffixes.iter().filter_map(|it| own.get(&format!("{name}{it}")));
            columns.next().and_then(Value::as_str)
        };
        if let Some(found) = self.by_identifier(text) {
            return found;
        }
        let uid = added_text(added, "event_uid").and_then(uid_bits);
        for log in [LogType::Administrator, LogType::OfflineEnrollment] {
            let events = self.world.events(log);
            let mut same = stream.find(log, events, own);
            if same.is_empty() {
                let spoilt = self.world.spoilt_of(log).into_iter();
                same.extend(spoilt.filter(|index| {
                    let expected = Expected::of(&events.spoilt_record(*index), &stream.declaration);
                    difference(&expected, own, "").is_none()
                }));
            }
            if let Some(index) = self.one_of(log, &same, uid) {
                return Found::Event(log, index);
            }
        }
        Found::Nothing
    }

    /// What is wrong with a row, if anything is.
    fn flat_problem(
        &self,
        log: LogType,
        index: u32,
        stream: &Stream,
        row: &FittedRow,
        own: &TableRow,
        added: &TableRow,
    ) -> Option<String> {
        if let Some(column) = row.dropped.keys().next() {
            return Some(format!("{column} is not declared, and was dropped"));
        }
        if let Some(column) = row.misfits.first() {
            return Some(format!("the value of {column} does not fit it, and was dropped"));
        }
        if let Some(column) = row.cut.first() {
            return Some(format!("{column} is larger than the service keeps, and was cut"));
        }
        if let Some(column) = row.twice.first() {
            return Some(format!("{column} occurs twice"));
        }
        let cut = added_text(added, TRUNCATED);
        if cut == Some("") {
            return Some(format!("{TRUNCATED} names nothing"));
        }
        let cut = cut.unwrap_or_default();
        let additional = stream.additional.as_ref();
        let additional = additional.map(|name| row.row.get(name).unwrap_or(&Value::Null));
        let differs = |record: &str| {
            let expected = Expected::of(record, &stream.declaration);
            let rest = || additional.and_then(|found| expected.left_out(found, cut));
            difference(&expected, own, cut).or_else(rest)
        };
        let events = self.world.events(log);
        let spoilt = self.world.was_spoilt(log, index);
        if let Some(column) = differs(&events.record(index))
            && !(spoilt && differs(&events.spoilt_record(index)).is_none())
        {
            return Some(format!("{column} differs"));
        }
        if let Some(absent) = ADDED.iter().find(|name| added_text(added, name).is_none()) {
            return Some(format!("{absent} is absent"));
        }
        self.added_problem(log, index, |name| added_text(added, name))
    }
}

/// The text of a column that is no part of the event, by its name without suffix.
fn added_text<'r>(added: &'r TableRow, name: &str) -> Option<&'r str> {
    let mut values = ["_s", "_t"].iter().filter_map(|suffix| added.get(&format!("{name}{suffix}")));
    values.next().and_then(Value::as_str)
}
