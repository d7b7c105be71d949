//! The streams into the table, with the facts needed for verification.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::compare::{ADDED, Expected, REPLACES, TRUNCATED};
use crate::events::Events;
use crate::json::{Json, Members};
use crate::log_analytics::tables::{
    FittedRow, LARGEST_COLLECTED, LARGEST_INGESTED, Leaf, Origin, TIME_GENERATED, TableRow, clean,
    fitted, leaves, place, readable, text_of,
};
use crate::{Config, LogType, StreamDeclaration};

/// The dynamic column for values without a column.
const ADDITIONAL_FIELDS: &str = "AdditionalFields";

/// A stream of the Logs Ingestion API, or the Data Collector API.
///
/// Expected values are those of the Data Collector API in a table with the declared columns.
#[derive(Debug)]
pub(super) struct Stream {
    /// The declared columns; the Data Collector API creates a column for every value.
    declaration: Option<StreamDeclaration>,
    /// The dynamic column for values without a column, if it is declared.
    pub(super) additional: Option<String>,
    /// Maximum bytes of a value.
    pub(super) largest: usize,
    /// Sorted hashes of the columns of all events of a v1 log; built when first needed.
    contents: BTreeMap<LogType, Vec<(u64, u32)>>,
}

/// The name of the Data Collector API among the streams.
const DATA_COLLECTOR: &str = "";

/// The name of the stream of rows.
pub(super) fn name(origin: &Origin) -> &str {
    match origin {
        Origin::DataCollector { .. } => DATA_COLLECTOR,
        Origin::LogsIngestion { stream } => stream,
    }
}

impl Stream {
    /// The Data Collector API, and the streams of the rule, by name.
    pub(super) fn all(config: &Config) -> BTreeMap<String, Self> {
        let collector = Self {
            declaration: None,
            additional: None,
            largest: LARGEST_COLLECTED,
            contents: BTreeMap::new(),
        };
        let stream = |declaration: &StreamDeclaration| {
            let additional = declaration.column_type(ADDITIONAL_FIELDS);
            let stream = Self {
                declaration: Some(declaration.clone()),
                additional: additional.map(|_| ADDITIONAL_FIELDS.to_owned()),
                largest: LARGEST_INGESTED,
                contents: BTreeMap::new(),
            };
            (declaration.name().to_owned(), stream)
        };
        let mut all: BTreeMap<_, _> = config.logs_ingestion.streams.iter().map(stream).collect();
        all.insert(DATA_COLLECTOR.to_owned(), collector);
        all
    }

    pub(super) fn has_column(&self, name: &str) -> bool {
        let declaration = self.declaration.as_ref();
        declaration.is_none_or(|declaration| declaration.column_type(name).is_some())
    }

    /// The columns of a row.
    pub(super) fn read(&self, members: &Members<'_>) -> FittedRow {
        if let Some(declaration) = &self.declaration {
            return fitted(members, declaration, self.largest);
        }
        let mut row = FittedRow::default();
        let additional = members.iter().find(|(name, _)| **name == *ADDITIONAL_FIELDS.as_bytes());
        let additional = additional.and_then(|(_, value)| value.as_text()).unwrap_or("{}");
        // The values without a column, which must be those of the event too.
        let moved = match Json::parse(additional) {
            Some(Json::Object(moved)) => moved,
            _ => Members::default(),
        };
        let moved = moved.iter().map(|(path, value)| Leaf { path: clean(&readable(path)), value });
        let own = leaves(members).into_iter().filter(|leaf| leaf.path != ADDITIONAL_FIELDS);
        for leaf in own.chain(moved) {
            let placed = place(&leaf, |_| true, usize::MAX);
            let is_text = matches!(leaf.value, Json::Text(_) | Json::Array(_));
            if is_text && text_of(leaf.value).len() > self.largest {
                row.truncated.push(placed.column.clone());
            }
            if row.row.insert(placed.column.clone(), placed.value).is_some() {
                row.twice.push(placed.column);
            }
        }
        row
    }

    /// Whether a column is not part of the event.
    pub(super) fn is_added(&self, column: &str) -> bool {
        let own = column.strip_suffix("_s").or(column.strip_suffix("_t"));
        column == TIME_GENERATED
            || self.additional.as_deref() == Some(column)
            || own
                .is_some_and(|name| name == TRUNCATED || name == REPLACES || ADDED.contains(&name))
    }

    /// The indexes of the events with exactly these columns; several for identical records.
    pub(super) fn find(&mut self, log: LogType, events: &Events, own: &TableRow) -> Vec<u32> {
        if !self.contents.contains_key(&log) {
            let hash = |index| (hash(&Expected::of(&events.record(index), self)), index);
            let mut all: Vec<_> = (0..events.count()).map(hash).collect();
            all.sort_unstable();
            self.contents.insert(log, all);
        }
        let (contents, hash) = (&self.contents[&log], hash(&Expected::of_row(own)));
        let first = contents.partition_point(|(other, _)| *other < hash);
        let last = contents.partition_point(|(other, _)| *other <= hash);
        contents[first..last].iter().map(|(_, index)| *index).collect()
    }
}

fn hash(expected: &Expected) -> u64 {
    let mut hasher = DefaultHasher::new();
    for column in expected.columns() {
        column.hash(&mut hasher);
    }
    hasher.finish()
}
