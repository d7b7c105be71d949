//! The schema of `CiscoDuo_CL`: every declared column, its type, and its source.
//!
//! The HTTP Data Collector API creates columns and names them by path and type. For the Logs
//! Ingestion API the connector does so from this schema, so that both APIs fill the same columns.
//! The rows of the Logs Ingestion API, the table and stream of the deployment template, and the
//! column reference in the documentation are generated from it.
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

/// Name of the event table.
pub const TABLE: &str = "CiscoDuo_CL";
/// The column for unmapped fields.
pub const ADDITIONAL_FIELDS: &str = "AdditionalFields";
/// Maximum length of a column name in a data collection rule.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/custom-logs-migrate>
pub const LONGEST_NAME: usize = 45;

/// Maximum known fields and columns: size of the bit set of a row.
pub(crate) const MOST_COLUMNS: usize = 256;

/// Every declared column: the connector's, then Duo's by name.
pub fn columns() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let mut of_duo: Vec<Column> = duo::FIELDS.iter().flat_map(duo::Field::columns).collect();
        of_duo.sort_by(|one, other| one.name.cmp(&other.name));
        connector::event_columns().chain(of_duo).collect()
    });
    &COLUMNS
}

/// The streams of the data collection rule, with their tables and columns.
pub fn streams() -> [(&'static str, &'static str, Vec<Column>); 2] {
    [
        ("Custom-CiscoDuo", TABLE, columns().to_vec()),
        ("Custom-CiscoDuoHealth", HEALTH_TABLE, health_columns()),
    ]
}

/// Column declarations for a data collection rule or table: name and type.
pub fn declared(columns: &[Column]) -> Vec<Value> {
    let declare =
        |column: &Column| json!({"name": column.name, "type": column.column_type.declared()});
    columns.iter().map(declare).collect()
}

/// Duo's known fields without a declared column: path, logs, and description.
pub fn undeclared() -> impl Iterator<Item = (&'static str, &'static [LogType], &'static str)> {
    let fields = duo::FIELDS.iter().filter(|field| field.types.is_empty());
    fields.map(|field| (field.path, field.logs, field.about))
}

/// The columns for values of a path such as `access_device_ip`; `None` for an unknown path.
pub(crate) fn columns_of(path: &str) -> Option<&'static PathColumns> {
    static BY_PATH: LazyLock<FxHashMap<String, PathColumns>> = LazyLock::new(|| {
        let mut by_path: FxHashMap<String, PathColumns> = FxHashMap::default();
        let mut beyond = columns().len()..;
        for field in duo::FIELDS {
            let path = field.path.replace('.', "_");
            let begin = format!("\"{path}\":");
            let of_path = by_path.entry(path).or_default();
            of_path.is_text |= field.varies;
            if field.types.is_empty() {
                of_path.additional = beyond.next().map(|number| RowField { begin, number });
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
    /// The quoted name and colon, as in a row.
    pub(crate) begin: String,
    /// Index in [`columns`], or a higher number for a field without a column.
    pub(crate) number: usize,
}

#[derive(Debug, Default)]
pub(crate) struct PathColumns {
    by_type: [Option<RowField>; 6],
    /// In `AdditionalFields`: a known field whose column name would be too long.
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
    /// Name with the suffix of its type, if any.
    pub name: String,
    /// Type.
    pub column_type: ColumnType,
    /// Source of the values.
    pub source: Source,
    /// Description in one line.
    pub about: &'static str,
}

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text; arrays as JSON. Suffix `_s`.
    Text,
    /// A GUID. Suffix `_g`; declared as text, as Azure Monitor stores it.
    Guid,
    /// Date and time. Suffix `_t`.
    DateTime,
    /// Number. Suffix `_d`.
    Real,
    /// True or false. Suffix `_b`.
    Boolean,
    /// Any value; no suffix.
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

/// Source of the values of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Set by the connector.
    Connector,
    /// A field of Duo's records.
    Duo {
        /// Path of the field, with dots.
        path: &'static str,
        /// Logs with the field.
        logs: &'static [LogType],
        /// Whether booleans are sent as text, because the field's type varies.
        is_text: bool,
    },
}

#[cfg(test)]
mod tests;
