//! Columns of a row against those that its event has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::{TRUNCATED, is_beginning, is_sent_as_text_flat};
use crate::StreamDeclaration;
use crate::json::Json;
use crate::log_analytics::tables::{
    LARGEST_INGESTED, Leaf, TableRow, canonical, clean, leaves, place, text_of, written,
};

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
    /// The columns of an event, of those that are declared.
    pub(super) fn of(record: &str, declaration: &StreamDeclaration) -> Self {
        let mut expected = Self::default();
        let Some(Json::Object(members)) = Json::parse(record) else {
            return expected;
        };
        for leaf in leaves(&members) {
            let as_text = in_text(&leaf);
            let value = as_text.as_ref().unwrap_or(leaf.value);
            expected.add(leaf.path, value, declaration);
        }
        expected
    }

    fn add(&mut self, path: String, value: &Json<'_>, declaration: &StreamDeclaration) {
        let leaf = Leaf { path, value };
        let exists = |name: &str| declaration.column_type(name).is_some();
        let placed = place(&leaf, exists, usize::MAX);
        if exists(&placed.column) {
            let text = text_of(value);
            let column = canonical(&placed.value).map(|value| Column {
                value,
                path: leaf.path,
                too_large: (text.len() > LARGEST_INGESTED).then_some(text),
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
    let text = if *truth { "true" } else { "false" };
    is_sent_as_text_flat(&leaf.path).then(|| Json::Text(text.as_bytes().into()))
}

/// The first column in which a row differs from its event.
///
/// `cut` is the row's list of fields of which it has the beginning only, named like their columns without
/// the suffix: each of them must be one that the service would have cut, and no other may be shorter than
/// the event's.
pub(super) fn difference(expected: &Expected, own: &TableRow, cut: &str) -> Option<String> {
    let mut cut: Vec<_> = cut.split(',').filter(|name| !name.is_empty()).collect();
    for (name, column) in &expected.columns {
        let found = own.get(name).unwrap_or(&Value::Null);
        let named = cut.iter().position(|cut| *cut == column.path);
        let same = match named {
            Some(place) => {
                cut.remove(place);
                let found = found.as_str().unwrap_or_default().as_bytes();
                let whole = column.too_large.as_deref().unwrap_or_default();
                is_beginning(whole.as_bytes(), found, LARGEST_INGESTED)
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
