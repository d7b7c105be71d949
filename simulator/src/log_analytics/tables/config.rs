//! How tables are kept, and how the Data Collector API makes columns where facts leave room.

/// What becomes of accepted rows.
#[derive(Clone, Debug, Default)]
pub struct TablesConfig {
    /// Whether the rows are kept in memory as a query would find them, to be read with
    /// [`Simulator::table`](crate::Simulator::table). Off, it costs nothing.
    pub kept: bool,
    /// The columns that a table of the Data Collector API has before the first row.
    pub start: TableStart,
    /// What that API does with a column name of more than 45 characters.
    pub long_names: LongNames,
    /// What that API does with an empty text.
    pub empty_texts: EmptyTexts,
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

/// Columns of more than 45 characters: documents forbid them, yet workspaces have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongNames {
    /// They are made like any other.
    #[default]
    Kept,
    /// They are not made: the value is left out.
    LeftOut,
}

/// Empty texts, of which documents say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyTexts {
    /// The column holds an empty text.
    #[default]
    Kept,
    /// As with a null, the property is left out.
    LeftOut,
}
