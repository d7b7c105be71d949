//! How tables are kept.

/// What becomes of accepted rows.
#[derive(Clone, Debug, Default)]
pub struct TablesConfig {
    /// Whether the rows are kept in memory as a query would find them, to be read with
    /// [`Simulator::table`](crate::Simulator::table). Off, it costs nothing.
    pub kept: bool,
    /// The columns that a table of the Data Collector API has before the first row.
    pub start: TableStart,
}

/// The columns that a table of the Data Collector API has before the first row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableStart {
    /// None: the first rows make them.
    #[default]
    Empty,
    /// Those of the streams that lead to a table of this name; further ones are made, as in a classic table
    /// of some age.
    Declared,
    /// Those of the streams that lead to a table of this name; no further ones are made, as in a migrated
    /// table. What has no column is left out.
    Migrated,
}
