//! Comparison of the columns of a row with those of its event.

use std::collections::BTreeMap;

use serde_json::Value;

use super::stream::Stream;
use crate::json::Json;
use crate::log_analytics::tables::{
    Leaf, TableRow, canonical, clean, leaves, place, text_of, written,
};

/// The fields that a row has in addition to its event.
pub(super) const ADDED: [&str; 7] = [
    "eventtype",
    "host",
    "event_uid",
    "event_content",
    "event_time",
    "ingest_kind",
    "ingest_batch",
];

/// Present only in a row with truncated values.
pub(super) const TRUNCATED: &str = "truncated_fields";
/// Present only in an update.
pub(super) const REPLACES: &str = "event_replaces";

/// Fields of `access_device` of varying type, which rows have as text.
const AS_TEXT: [&str; 3] = ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"];

/// The expected content of a row, with values in canonical form.
#[derive(Debug, Default)]
pub(super) struct Expected {
    columns: BTreeMap<String, Column>,
    /// Values without a column, by path.
    rest: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Column {
    value: String,
    /// The path without the suffix.
    path: String,
    /// The whole text of a value that exceeds the limit of the service.
    too_large: Option<String>,
}

impl Expected {
    /// The columns of an event that the stream has.
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

    /// The columns of a row that belong to its event.
    pub(super) fn of_row(own: &TableRow) -> Self {
        let column = |(name, value): (&String, &Value)| {
            let column = Column { value: canonical(value)?, path: String::new(), too_large: None };
            Some((name.clone(), column))
        };
        Self { columns: own.iter().filter_map(column).collect(), rest: BTreeMap::new() }
    }

    /// Names and values of the columns that have a value.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.columns.iter();
        columns.map(|(name, column)| (name.as_str(), column.value.as_str()))
    }

    /// The path of the first value that is missing or wrong in `found`, the column for values
    /// without a column. Values that `truncated` names may be missing or shorter.
    pub(super) fn left_out(&self, found: &Value, truncated: &str) -> Option<String> {
        let none = serde_json::Map::new();
        let found = found.as_object().unwrap_or(&none);
        let found: BTreeMap<_, _> = found
            .iter()
            .filter_map(|(path, value)| Some((clean(path), canonical(value)?)))
            .collect();
        let mut all = self.rest.keys().chain(found.keys());
        let differs = |path: &&String| {
            self.rest.get(*path) != found.get(*path)
                && !truncated.split(',').any(|name| name == **path)
        };
        all.find(differs).cloned()
    }
}

/// The text of a value that is sent as text because its type varies.
fn in_text(leaf: &Leaf<'_, '_>) -> Option<Json<'static>> {
    let Json::Truth(truth) = leaf.value else {
        return None;
    };
    let path = leaf.path.strip_prefix("surfaced_auth_").unwrap_or(&leaf.path);
    let name = path.strip_prefix("access_device_")?;
    let text = if *truth { "true" } else { "false" };
    AS_TEXT.contains(&name).then(|| Json::Text(text.as_bytes().into()))
}

/// Whether a row has the longest prefix of a value that the service keeps, in whole characters.
fn is_beginning(event: &[u8], row: &[u8], largest: usize) -> bool {
    event.len() > largest && event.starts_with(row) && (largest - 3..=largest).contains(&row.len())
}

/// The first column in which a row differs from its event.
///
/// `truncated` lists the truncated fields of the row, named like their columns without the suffix.
/// Each must exceed the limit of the service, and no other value may be shorter than in the event.
pub(super) fn difference(
    expected: &Expected,
    own: &TableRow,
    truncated: &str,
    largest: usize,
) -> Option<String> {
    let mut truncated: Vec<_> = truncated.split(',').filter(|name| !name.is_empty()).collect();
    for (name, column) in &expected.columns {
        let found = own.get(name).unwrap_or(&Value::Null);
        let named = truncated.iter().position(|truncated| *truncated == column.path);
        let same = match named {
            Some(position) => {
                truncated.remove(position);
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
    // Values without a column may be truncated too.
    let wrong = truncated.iter().find(|name| !expected.rest.contains_key(**name));
    wrong.map(|name| format!("{TRUNCATED} names {name}, which"))
}
