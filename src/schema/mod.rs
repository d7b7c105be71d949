//! The table `CiscoDuo_CL`: every column that is declared, its type, and what fills it.
//!
//! The HTTP Data Collector API makes columns of what it gets and names them by path and type; for the Logs Ingestion
//! API the connector does, from this one table, so that both APIs fill the same columns. From it come the rows of the
//! Logs Ingestion API, the table and stream of the deployment template, and the column reference in the documentation.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#record-type-and-properties>

mod connector;
mod duo;
mod tree;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::model::LogType;

pub(crate) use connector::HEALTH_FIELDS;
pub use connector::{HEALTH_TABLE, health_columns};
pub(crate) use tree::Node;

/// The table's name.
pub const TABLE: &str = "CiscoDuo_CL";
/// The column for everything that has no column of its own.
pub const ADDITIONAL_FIELDS: &str = "AdditionalFields";
/// Longest name that a column of a data collection rule may have, in characters.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/custom-logs-migrate>
pub const LONGEST_NAME: usize = 45;

/// Most known fields and columns: each row notes in as many bits which of them it has.
pub(crate) const MOST_COLUMNS: usize = 256;

/// Every declared column: first those of every row, then Duo's by name.
pub fn columns() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let mut of_duo: Vec<Column> = duo::FIELDS.iter().flat_map(duo::Field::columns).collect();
        of_duo.sort_by(|one, other| one.name.cmp(&other.name));
        connector::event_columns().chain(of_duo).collect()
    });
    &COLUMNS
}

/// What a data collection rule declares for the connector: each stream with its table and columns.
pub fn streams() -> [(&'static str, &'static str, Vec<Column>); 2] {
    [
        ("Custom-CiscoDuo", TABLE, columns().to_vec()),
        ("Custom-CiscoDuoHealth", HEALTH_TABLE, health_columns()),
    ]
}

/// Columns as a data collection rule and a table declare them: name and type.
pub fn declared(columns: &[Column]) -> Vec<Value> {
    let declare =
        |column: &Column| json!({"name": column.name, "type": column.column_type.declared()});
    columns.iter().map(declare).collect()
}

/// Duo's fields that are known and cannot be declared: the path, the logs that have it, and its description.
pub fn undeclared() -> impl Iterator<Item = (&'static str, &'static [LogType], &'static str)> {
    let fields = duo::FIELDS.iter().filter(|field| field.types.is_empty());
    fields.map(|field| (field.path, field.logs, field.about))
}

/// The columns that a value of one flattened path, such as `access_device_ip`, can go into; `None` for an unknown path.
pub(crate) fn columns_of(path: &str) -> Option<&'static PathColumns> {
    static BY_PATH: LazyLock<FxHashMap<String, PathColumns>> = LazyLock::new(|| {
        let mut by_path: FxHashMap<String, PathColumns> = FxHashMap::default();
        let mut behind = columns().len()..;
        for field in duo::FIELDS {
            let path = field.path.replace('.', "_");
            let begin = format!("\"{path}\":");
            let of_path = by_path.entry(path).or_default();
            of_path.is_text |= field.varies;
            if field.types.is_empty() {
                of_path.additional = behind.next().map(|number| RowField { begin, number });
            }
        }
        for (number, column) in columns().iter().enumerate() {
            if let Source::Duo { path, .. } = &column.source {
                let of_path = by_path.entry(path.replace('.', "_")).or_default();
                let begin = format!("\"{}\":", column.name);
                of_path.by_type[column.column_type as usize] = Some(RowField { begin, number });
            }
        }
        by_path
    });
    BY_PATH.get(path)
}

#[derive(Debug)]
pub(crate) struct RowField {
    /// Its name as a row spells it, up to the value.
    pub(crate) begin: String,
    /// Its index in [`columns`]; behind them those that cannot be declared.
    pub(crate) number: usize,
}

#[derive(Debug, Default)]
pub(crate) struct PathColumns {
    by_type: [Option<RowField>; 6],
    /// In `AdditionalFields`: for a known field whose column would have too long a name.
    pub(crate) additional: Option<RowField>,
    /// Whether booleans are sent as text, because the field's type varies.
    pub(crate) is_text: bool,
}

impl PathColumns {
    pub(crate) const fn of(&self, column_type: ColumnType) -> Option<&RowField> {
        self.by_type[column_type as usize].as_ref()
    }
}

/// A declared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, with the suffix of its type where the service gives one.
    pub name: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// What fills it.
    pub source: Source,
    /// Its description, in one line.
    pub about: &'static str,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text; of arrays their JSON. Suffix `_s`.
    Text,
    /// Text that looks like a GUID. Suffix `_g`; declared as text, which is how the service keeps it.
    Guid,
    /// Date and time. Suffix `_t`.
    DateTime,
    /// Number. Suffix `_d`.
    Real,
    /// True or false. Suffix `_b`.
    Boolean,
    /// Anything; no suffix.
    Dynamic,
}

impl ColumnType {
    /// The suffix that the Data Collector API adds to a column of this type.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Text => "_s",
            Self::Guid => "_g",
            Self::DateTime => "_t",
            Self::Real => "_d",
            Self::Boolean => "_b",
            Self::Dynamic => "",
        }
    }

    /// The type in the declaration of a stream or table.
    /// <https://learn.microsoft.com/azure/azure-monitor/essentials/data-collection-rule-structure>
    pub const fn declared(self) -> &'static str {
        match self {
            Self::Text | Self::Guid => "string",
            Self::DateTime => "datetime",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Dynamic => "dynamic",
        }
    }
}

/// What fills a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The connector.
    Connector,
    /// A field of Duo's records.
    Duo {
        /// Its path, with dots.
        path: &'static str,
        /// The logs whose records have it.
        logs: &'static [LogType],
        /// Whether booleans are sent as text, because the field's type varies.
        is_text: bool,
    },
}

#[cfg(test)]
mod tests;
