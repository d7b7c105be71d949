//! What becomes of a record on either api: columns of their path and type, as the simulated Data Collector makes them.

use std::sync::LazyLock;

use serde_json::{Map, Value};
pub(crate) use simulator::IngestionApi;

use crate::content::schema::{Columns, Schema};
use crate::content::tools::Row;

/// Each event by another api than the one before, as in a table whose connector changed apis and changed back.
pub(crate) const fn in_turn(number: u32) -> IngestionApi {
    if number.is_multiple_of(2) { IngestionApi::DataCollector } else { IngestionApi::LogsIngestion }
}

/// The column for what has none of its own.
pub(crate) const ADDITIONAL_FIELDS: &str = "AdditionalFields";

static DECLARED: LazyLock<Columns> = LazyLock::new(|| Schema::read().declared().clone());

/// The columns of a record.
pub(crate) fn flatten(record: &Map<String, Value>, api: IngestionApi) -> Row {
    let columns = simulator::columns(&Value::from(record.clone()).to_string()).into_iter();
    if api == IngestionApi::DataCollector {
        return columns.collect();
    }
    // A text that is empty is left out there, and what has no declared column is kept in one, by its path.
    let columns = columns.filter(|(_, value)| *value != "");
    let (mut row, rest): (Row, Row) = columns.partition(|(name, _)| DECLARED.contains_key(name));
    let plain = |(name, value): (String, Value)| {
        // A list, which a column has as its text.
        let list = value.as_str().filter(|text| text.starts_with('['));
        let list = list.and_then(|text| serde_json::from_str(text).ok());
        (name[..name.len() - 2].to_owned(), list.unwrap_or(value))
    };
    let additional: Row = rest.into_iter().map(plain).collect();
    if !additional.is_empty() {
        row.insert(ADDITIONAL_FIELDS.to_owned(), additional.into());
    }
    row
}
