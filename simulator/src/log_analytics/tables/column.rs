//! Columns and their types.

use std::fmt;

use serde::Serialize;

/// The type of a column of a Log Analytics table.
///
/// <https://learn.microsoft.com/azure/azure-monitor/logs/logs-table-overview>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Text.
    String,
    /// A double-precision number.
    Real,
    /// True or false.
    Boolean,
    /// A time in UTC, with a resolution of 100 nanoseconds.
    DateTime,
    /// Any JSON.
    Dynamic,
    /// A GUID. The Data Collector API creates such columns; a stream cannot declare them.
    Guid,
}

impl ColumnType {
    /// The name that stream declarations and table schemas use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::DateTime => "datetime",
            Self::Dynamic => "dynamic",
            Self::Guid => "guid",
        }
    }

    /// The type of this name, in any case (schemas spell `dateTime` in two ways).
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let all =
            [Self::String, Self::Real, Self::Boolean, Self::DateTime, Self::Dynamic, Self::Guid];
        all.into_iter().find(|column_type| column_type.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A declared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name, with a suffix if the table uses suffixes.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
}

impl Column {
    /// A column of this name and type.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        Self { name: name.into(), column_type }
    }
}
