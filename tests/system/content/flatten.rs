//! What becomes of a record on either road: objects flattened, names with a suffix for the type of the value.

use std::sync::LazyLock;

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::content::schema::{Columns, Schema};
use crate::content::tools::Row;

/// The way that a record takes into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    /// The service makes a column of every value.
    DataCollector,
    /// What has no declared column is kept in one, by its path.
    LogsIngestion,
}

impl Road {
    pub(crate) const BOTH: [Self; 2] = [Self::DataCollector, Self::LogsIngestion];

    /// Each event by another road than the one before, as in a table whose connector changed roads and changed back.
    pub(crate) const fn in_turn(number: u32) -> Self {
        Self::BOTH[(number % 2) as usize]
    }
}

/// The column for what has none of its own.
pub(crate) const ADDITIONAL_FIELDS: &str = "AdditionalFields";

static DECLARED: LazyLock<Columns> = LazyLock::new(|| Schema::read().declared().clone());

/// The columns of a record.
pub(crate) fn flatten(record: &Map<String, Value>, road: Road) -> Row {
    let mut row = Row::new();
    let mut additional = Map::new();
    leaves("", record, &mut |path, value| {
        let (suffix, written) = written(value);
        let column = format!("{path}_{suffix}");
        if road == Road::DataCollector || DECLARED.contains_key(&column) {
            row.insert(column, written);
        } else {
            additional.insert(path, value.clone());
        }
    });
    if road == Road::LogsIngestion {
        // A text that is empty is left out there.
        row.retain(|_, value| value != "");
        additional.retain(|_, value| value != "");
        if !additional.is_empty() {
            row.insert(ADDITIONAL_FIELDS.to_owned(), Value::Object(additional));
        }
    }
    row
}

/// Hands on every value that is no object, with its path.
fn leaves(before: &str, object: &Map<String, Value>, take: &mut impl FnMut(String, &Value)) {
    for (name, value) in object {
        match value {
            // A null is no value: it brings no column.
            Value::Null => {}
            Value::Object(inner) => leaves(&format!("{before}{name}_"), inner, take),
            _ => take(format!("{before}{name}"), value),
        }
    }
}

/// The suffix for a value, and the value as its column holds it.
fn written(value: &Value) -> (char, Value) {
    match value {
        Value::Bool(_) => ('b', value.clone()),
        Value::Number(_) => ('d', value.clone()),
        Value::String(text) if is_guid(text) => ('g', dashed(text).into()),
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => ('t', value.clone()),
        Value::String(_) => ('s', value.clone()),
        _ => ('s', Value::String(value.to_string())),
    }
}

/// With dashes or without.
fn is_guid(text: &str) -> bool {
    let dashes_stand_right = match text.len() {
        32 => !text.contains('-'),
        36 => text.match_indices('-').map(|(place, _)| place).eq([8, 13, 18, 23]),
        _ => false,
    };
    dashes_stand_right
        && text.chars().all(|character| character == '-' || character.is_ascii_hexdigit())
}

/// As it is stored, with dashes.
fn dashed(guid: &str) -> String {
    let digits = guid.replace('-', "");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}
