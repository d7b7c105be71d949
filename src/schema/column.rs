use crate::model::LogType;

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
    DateTime,
    Real,
    Boolean,
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Connector,
    Duo {
        /// Its path, with dots.
        path: &'static str,
        /// The logs whose records have it.
        logs: &'static [LogType],
        /// Whether booleans are sent as text, because the field's type varies.
        is_text: bool,
    },
}
