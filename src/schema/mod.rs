//! The table `CiscoDuo_CL`: every column that is declared, its type, and what fills it.
//!
//! The HTTP Data Collector API makes columns of what it gets and names them by path and type; through the Logs Ingestion
//! API the connector does, from this one table, so that both roads fill the same columns. From it come the rows of the
//! Logs Ingestion API, the table and stream of the deployment template, and the column reference in the documentation.
//! <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#record-type-and-properties>

mod added;
mod column;
mod duo;
mod health;
mod reference;
mod tree;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub use column::{Column, ColumnType, Source};
pub(crate) use health::HEALTH_FIELDS;
pub use health::{HEALTH_TABLE, health_columns};
pub use reference::{column_reference, declared, health_reference, table_schema};
pub(crate) use tree::Node;

/// The table's name.
pub const TABLE: &str = "CiscoDuo_CL";
/// The column for everything that has no column of its own.
pub const ADDITIONAL_FIELDS: &str = "AdditionalFields";
/// Longest name that a column of a data collection rule may have, in characters.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/custom-logs-migrate>
pub const LONGEST_NAME: usize = 45;

/// Most known fields and columns that there may come to be: each row notes in as many bits which of them it has.
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

/// What a data collection rule declares for the connector: each stream with its table and columns.
pub fn streams() -> [(&'static str, &'static str, Vec<Column>); 2] {
    [
        ("Custom-CiscoDuo", TABLE, columns().to_vec()),
        ("Custom-CiscoDuoHealth", HEALTH_TABLE, health_columns()),
    ]
}

/// What is known of one flattened path, such as `access_device_ip`: the columns that a value of it can go into.
pub(crate) fn columns_of(path: &str) -> Option<&'static Typed> {
    static BY_PATH: LazyLock<FxHashMap<String, Typed>> = LazyLock::new(|| {
        let mut by_path: FxHashMap<String, Typed> = FxHashMap::default();
        let mut behind = columns().len()..;
        for field in duo::FIELDS {
            let path = field.path.replace('.', "_");
            let begin = format!("\"{path}\":");
            let typed = by_path.entry(path).or_default();
            typed.is_text |= field.wavers;
            if field.types.is_empty() {
                typed.additional = behind.next().map(|number| Place { begin, number });
            }
        }
        for (number, column) in columns().iter().enumerate() {
            if let Source::Duo { path, .. } = &column.source {
                let typed = by_path.entry(path.replace('.', "_")).or_default();
                let place = Place {
                    begin: format!("\"{}\":", column.name),
                    number,
                };
                *typed.of(column.column_type) = Some(place);
            }
        }
        by_path
    });
    BY_PATH.get(path)
}

/// Where a value stands in a row.
#[derive(Debug)]
pub(crate) struct Place {
    /// The name as a row spells it, up to the value.
    pub(crate) begin: String,
    /// The column's place in [`columns`]; behind them those that cannot be declared.
    pub(crate) number: usize,
}

/// The columns of one path, by type.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    /// For texts.
    pub(crate) text: Option<Place>,
    /// For texts that look like a GUID.
    pub(crate) guid: Option<Place>,
    /// For texts that are a date and time.
    pub(crate) time: Option<Place>,
    /// For numbers.
    pub(crate) number: Option<Place>,
    /// For true and false.
    pub(crate) truth: Option<Place>,
    /// Among what has no column: for a known field whose column would have too long a name.
    pub(crate) additional: Option<Place>,
    /// Whether true and false go out as texts, because the field's type wavers.
    pub(crate) is_text: bool,
}

impl Typed {
    fn of(&mut self, column_type: ColumnType) -> &mut Option<Place> {
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
