//! Conversion of a record to columns, as in the Data Collector API.
//!
//! Nested objects are flattened at any depth, and their names joined with `_`; the suffix of a
//! column is its type.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#record-type-and-properties>

use serde_json::Value;

use super::column::ColumnType;
use super::declared::{as_text, real, truncate, truth};
use super::forms::{guid, moment, spelled};
use super::{LARGEST_COLLECTED, TableRow};
use crate::json::{Json, Members};

/// A value with its path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf<'j, 'a> {
    /// The names, joined with `_`.
    pub(crate) path: String,
    pub(crate) value: &'j Json<'a>,
}

/// A value with its column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) column: String,
    pub(crate) column_type: ColumnType,
    pub(crate) value: Value,
}

/// All values of a record that become a column; nulls and empty objects do not.
pub(crate) fn leaves<'j, 'a>(members: &'j Members<'a>) -> Vec<Leaf<'j, 'a>> {
    let mut leaves = Vec::with_capacity(members.len());
    follow("", members, &mut leaves);
    leaves
}

fn follow<'j, 'a>(parents: &str, members: &'j Members<'a>, leaves: &mut Vec<Leaf<'j, 'a>>) {
    for (name, value) in members {
        let name = clean(&String::from_utf8_lossy(name));
        let path = if parents.is_empty() { name } else { format!("{parents}_{name}") };
        match value {
            Json::Null => {}
            Json::Object(members) => follow(&path, members, leaves),
            _ => leaves.push(Leaf { path, value }),
        }
    }
}

/// Replaces characters other than letters, digits and underscores by underscores. Only inner names
/// can have them; the documentation forbids these names and does not describe the result.
pub(crate) fn clean(name: &str) -> String {
    let kept = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.replace(|letter| !kept(letter), "_")
}

/// The possible types of a column with their suffixes.
const SUFFIXES: [(&str, ColumnType); 5] = [
    ("_s", ColumnType::String),
    ("_d", ColumnType::Real),
    ("_b", ColumnType::Boolean),
    ("_t", ColumnType::DateTime),
    ("_g", ColumnType::Guid),
];

/// Selects the column of a value: an existing one of its own type; else, for text, an existing one
/// of another type to which it can be converted; else a new one of its own type.
pub(crate) fn place(leaf: &Leaf<'_, '_>, exists: impl Fn(&str) -> bool, largest: usize) -> Placed {
    let placed = |(suffix, column_type): (&str, ColumnType)| {
        let value = read(leaf.value, column_type, largest)?;
        Some(Placed { column: format!("{}{suffix}", leaf.path), column_type, value })
    };
    let own = own_type(leaf.value);
    let own =
        SUFFIXES[SUFFIXES.iter().position(|(_, column_type)| *column_type == own).unwrap_or(0)];
    let existing = |suffix: &str| exists(&format!("{}{suffix}", leaf.path));
    let is_text = matches!(leaf.value, Json::Text(_));
    if is_text && !existing(own.0) {
        let mut others = SUFFIXES.into_iter().filter(|other| existing(other.0));
        if let Some(found) = others.find_map(placed) {
            return found;
        }
    }
    placed(own).unwrap_or_else(|| Placed {
        column: format!("{}_s", leaf.path),
        column_type: ColumnType::String,
        value: as_text(leaf.value).into(),
    })
}

/// The columns that the Data Collector API creates for a record in a table without any.
pub fn columns(record: &str) -> TableRow {
    let Some(Json::Object(members)) = Json::parse(record) else {
        return TableRow::new();
    };
    let placed = leaves(&members);
    let placed = placed.iter().map(|leaf| place(leaf, |_| true, LARGEST_COLLECTED));
    placed.map(|placed| (placed.column, placed.value)).collect()
}

/// The type that the service infers for a value.
fn own_type(value: &Json<'_>) -> ColumnType {
    match value {
        Json::Number(_) => ColumnType::Real,
        Json::Truth(_) => ColumnType::Boolean,
        Json::Text(_) => {
            let text = value.as_text().unwrap_or_default();
            if guid(text).is_some() {
                ColumnType::Guid
            } else if moment(text).is_some() {
                ColumnType::DateTime
            } else {
                ColumnType::String
            }
        }
        Json::Null | Json::Array(_) | Json::Object(_) => ColumnType::String,
    }
}

/// The value converted to this type, if possible.
fn read(value: &Json<'_>, column_type: ColumnType, largest: usize) -> Option<Value> {
    match column_type {
        ColumnType::Real => real(value).map(Value::Number),
        ColumnType::Boolean => truth(value).map(Value::Bool),
        ColumnType::DateTime => value.as_text().and_then(moment).map(spelled).map(Into::into),
        ColumnType::Guid => value.as_text().and_then(guid).map(Into::into),
        _ => {
            let text = text_of(value);
            Some(truncate(&text, largest).0.into())
        }
    }
}

/// The text of a value in a text column; for an array, its JSON as received.
pub(crate) fn text_of(value: &Json<'_>) -> String {
    match value {
        Json::Array(array) => array.text.to_owned(),
        other => as_text(other),
    }
}
