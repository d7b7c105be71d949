//! The table `CiscoDuo_CL`: every column that is declared, its type, and what fills it.
//!
//! The HTTP Data Collector API makes columns of what it gets and names them by path and type; through the Logs Ingestion
//! API the connector does, from this one table, so that both roads fill the same columns. From it come the rows of the
//! Logs Ingestion API, the table and stream of the deployment template, and the column reference in the documentation.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#record-type-and-properties>

mod added;
mod column;
mod duo;
mod reference;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub use column::{Column, ColumnType, Source};
pub use reference::{column_reference, declared_columns, table_schema};

/// The table's name.
pub const TABLE: &str = "CiscoDuo_CL";
/// The column for everything that has no column of its own.
pub const ADDITIONAL_FIELDS: &str = "AdditionalFields";
/// Longest name that a column of a data collection rule may have, in characters.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/custom-logs-migrate>
pub const LONGEST_NAME: usize = 45;

/// Most columns that the table may come to have: each row notes in as many bits which of them it has.
pub(crate) const MOST_COLUMNS: usize = 256;

/// Every declared column: first those of every row, then Duo's by name.
pub fn columns() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let mut of_duo: Vec<Column> = duo::FIELDS.iter().flat_map(Column::of_duo).collect();
        of_duo.sort_by(|one, other| one.name.cmp(&other.name));
        added::columns().into_iter().chain(of_duo).collect()
    });
    &COLUMNS
}

/// The declared columns of one flattened path, such as `access_device_ip`: those that a value of it can go into.
pub(crate) fn columns_of(path: &str) -> Option<&'static Typed> {
    static BY_PATH: LazyLock<FxHashMap<String, Typed>> = LazyLock::new(|| {
        let mut by_path: FxHashMap<String, Typed> = FxHashMap::default();
        for (number, column) in columns().iter().enumerate() {
            if let Source::Duo { path, is_text, .. } = &column.source {
                let typed = by_path.entry(path.replace('.', "_")).or_default();
                typed.is_text |= *is_text;
                let name = &column.name;
                *typed.of(column.column_type) = Some(Numbered { name, number });
            }
        }
        by_path
    });
    BY_PATH.get(path)
}

/// A column and its place among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its place in [`columns`].
    pub(crate) number: usize,
}

/// The columns of one path, by type.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    /// For texts.
    pub(crate) text: Option<Numbered>,
    /// For texts that look like a GUID.
    pub(crate) guid: Option<Numbered>,
    /// For texts that are a date and time.
    pub(crate) time: Option<Numbered>,
    /// For numbers.
    pub(crate) number: Option<Numbered>,
    /// For true and false.
    pub(crate) truth: Option<Numbered>,
    /// Whether true and false go out as texts, because the field's type wavers.
    pub(crate) is_text: bool,
}

impl Typed {
    fn of(&mut self, column_type: ColumnType) -> &mut Option<Numbered> {
        match column_type {
            ColumnType::Text | ColumnType::Dynamic => &mut self.text,
            ColumnType::Guid => &mut self.guid,
            ColumnType::DateTime => &mut self.time,
            ColumnType::Real => &mut self.number,
            ColumnType::Boolean => &mut self.truth,
        }
    }
}

#[cfg(test)]
mod tests;
