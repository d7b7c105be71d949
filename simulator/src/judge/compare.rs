//! Columns of a row against those that its event has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::stream::Stream;
use crate::json::Json;
use crate::log_analytics::tables::{
    Leaf, TableRow, canonical, clean, leaves, place, text_of, written,
};

/// The fields a row has beyond its event.
pub(super) const ADDED: [&str; 7] = [
    "eventtype",
    "host",
    "event_uid",
    "event_content",
    "event_time",
    "ingest_kind",
    "ingest_batch",
];

/// Present only in a row with values that were too large for the service.
pub(super) const TRUNCATED: &str = "truncated_fields";

/// Fields of `access_device` whose type wavers, which rows therefore hold as texts.
const AS_TEXT: [&str; 3] = ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"];

/// What a row must hold; values in the form in which equal ones are equal texts.
#[derive(Debug, Default)]
pub(super) struct Expected {
    columns: BTreeMap<String, Column>,
    /// What has no column, by path.
    rest: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Column {
    value: String,
    /// The path without the suffix.
    path: String,
    /// The whole text of a value that is larger than the service keeps.
    too_large: Option<String>,
}

impl Expected {
    /// The columns of an event, of those that the stream has.
    pub(super) fn of(record: &str, stream: &Stream) -> Self {
        let mut expected = Self::default();
        let Some(Json::Object(members)) = Json::parse(record) else {
            return expected;
        };
        for leaf in leaves(&members) {
            let as_text = in_text(&leaf);
            let value = as_text.as_ref().unwrap_or(leaf.value);
            expected.add(leaf.path, value, stream);
        }
        expected
    }

    fn add(&mut self, path: String, value: &Json<'_>, stream: &Stream) {
        let leaf = Leaf { path, value };
        let placed = place(&leaf, |name| stream.has_column(name), usize::MAX);
        if stream.has_column(&placed.column) {
            let text = text_of(value);
            let column = canonical(&placed.value).map(|value| Column {
                value,
                path: leaf.path,
                too_large: (text.len() > stream.largest).then_some(text),
            });
            if let Some(column) = column {
                self.columns.entry(placed.column).or_insert(column);
            }
        } else if let Some(value) = canonical(&written(value)) {
            self.rest.entry(leaf.path).or_insert(value);
        }
    }

    /// The columns of a row that are its event's.
    pub(super) fn of_row(own: &TableRow) -> Self {
        let column = |(name, value): (&String, &Value)| {
            let column = Column { value: canonical(value)?, path: String::new(), too_large: None };
            Some((name.clone(), column))
        };
        Self { columns: own.iter().filter_map(column).collect(), rest: BTreeMap::new() }
    }

    /// Names and values of the columns that have one.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.columns.iter();
        columns.map(|(name, column)| (name.as_str(), column.value.as_str()))
    }

    /// The path of the first value without a column that is not in `found`, the column for such values,
    /// as it should be. A value that `cut` names may be missing or shorter.
    pub(super) fn left_out(&self, found: &Value, cut: &str) -> Option<String> {
        let none = serde_json::Map::new();
        let found = found.as_object().unwrap_or(&none);
        let found: BTreeMap<_, _> = found
            .iter()
            .filter_map(|(path, value)| Some((clean(path), canonical(value)?)))
            .collect();
        let mut all = self.rest.keys().chain(found.keys());
        let differs = |path: &&String| {
            self.rest.get(*path) != found.get(*path) && !cut.split(',').any(|name| name == **path)
        };
        all.find(differs).cloned()
    }
}

/// What is sent as a text because its type wavers.
fn in_text(leaf: &Leaf<'_, '_>) -> Option<Json<'static>> {
    let Json::Truth(truth) = leaf.value else {
        return None;
    };
    let path = leaf.path.strip_prefix("surfaced_auth_").unwrap_or(&leaf.path);
    let name = path.strip_prefix("access_device_")?;
    let text = if *truth { "true" } else { "false" };
    AS_TEXT.contains(&name).then(|| Json::Text(text.as_bytes().into()))
}

/// Whether a row has as much of a value as the service keeps, and not more. A character has up to four bytes.
fn is_beginning(event: &[u8], row: &[u8], largest: usize) -> bool {
    event.len() > largest && event.starts_with(row) && (largest - 3..=largest).contains(&row.len())
}

/// The first column in which a row differs from its event.
///
/// `cut` is the row's list of fields of which it has the beginning only, named like their columns without
/// the suffix: each of them must be one that the service would have cut, and no other may be shorter than
/// the event's.
pub(super) fn difference(
    expected: &Expected,
    own: &TableRow,
    cut: &str,
    largest: usize,
) -> Option<String> {
    let mut cut: Vec<_> = cut.split(',').filter(|name| !name.is_empty()).collect();
    for (name, column) in &expected.columns {
        let found = own.get(name).unwrap_or(&Value::Null);
        let named = cut.iter().position(|cut| *cut == column.path);
        let same = match named {
            Some(place) => {
                cut.remove(place);
                let found = found.as_str().unwrap_or_default().as_bytes();
                let whole = column.too_large.as_deref().unwrap_or_default();
                is_beginning(whole.as_bytes(), found, largest)
            }
            None => canonical(found).as_ref() == Some(&column.value),
        };
        if !same {
            return Some(name.clone());
        }
    }
    let row = own.iter().filter(|(_, value)| canonical(value).is_some());
    let mut added = row.filter(|(name, _)| !expected.columns.contains_key(*name));
    if let Some((name, _)) = added.next() {
        return Some(format!("{name} (added)"));
    }
    // What has no column may have been cut as well.
    let in_vain = cut.iter().find(|name| !expected.rest.contains_key(**name));
    in_vain.map(|name| format!("{TRUNCATED} names {name}, which"))
}
