//! The columns of a record through either API, named and typed like those of the Data Collector.

use std::sync::LazyLock;

use serde_json::{Map, Value};
pub(crate) use simulator::IngestionApi;

use crate::content::schema::{Columns, Schema};
use crate::content::tools::Row;

/// Alternates between the APIs, as in a table whose connector switched to one and back.
pub(crate) const fn in_turn(number: u32) -> IngestionApi {
    if number.is_multiple_of(2) { IngestionApi::DataCollector } else { IngestionApi::LogsIngestion }
}

/// The column for fields without a declared column.
pub(crate) const ADDITIONAL_FIELDS: &str = "AdditionalFields";

static DECLARED: LazyLock<Columns> = LazyLock::new(|| Schema::read().declared().clone());

/// The columns of a record.
pub(crate) fn flatten(record: &Map<String, Value>, api: IngestionApi) -> Row {
    let columns = simulator::columns(&Value::from(record.clone()).to_string()).into_iter();
    if api == IngestionApi::DataCollector {
        return columns.collect();
    }
    // Empty text is omitted, and fields without a declared column are kept in one, by path.
    let columns = columns.filter(|(_, value)| *value != "");
    let (mut row, rest): (Row, Row) = columns.partition(|(name, _)| DECLARED.contains_key(name));
    let plain = |(name, value): (String, Value)| {
        // A list is stored as text in a column.
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
