//! The declarations of a data collection rule: streams, their columns and their tables.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/essentials/data-collection-rule-structure>

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::log_analytics::tables::{Column, ColumnType};

/// Maximum length of a column name, in characters.
const LONGEST_NAME: usize = 45;

/// Names reserved by tables.
const RESERVED: [&str; 7] =
    ["_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title"];

/// A stream of a data collection rule that stores rows unchanged (`transformKql: source`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDeclaration {
    name: String,
    table: String,
    columns: Vec<Column>,
    types: BTreeMap<String, ColumnType>,
}

impl StreamDeclaration {
    /// A stream `name` (`Custom-…`) into `table` (`…_CL`) with these `columns`.
    ///
    /// Returns an error where Azure would refuse the rule: a stream without `Custom-`, a table
    /// without `_CL`, a reserved, duplicate or invalid column name or one above 45 characters, the
    /// type `guid`, a `TimeGenerated` that is not `datetime`.
    pub fn new(
        name: impl Into<String>,
        table: impl Into<String>,
        columns: Vec<Column>,
    ) -> Result<Self, DeclarationError> {
        let (name, table) = (name.into(), table.into());
        if !name.starts_with("Custom-") {
            return Err(error(format!("the stream {name} lacks the prefix Custom-")));
        }
        if !table.ends_with("_CL") {
            return Err(error(format!("the table {table} lacks the suffix _CL")));
        }
        let mut types = BTreeMap::new();
        for column in &columns {
            check_column(column)?;
            if types.insert(column.name.clone(), column.column_type).is_some() {
                return Err(error(format!("the column {} is declared twice", column.name)));
            }
        }
        Ok(Self { name, table, columns, types })
    }

    /// Like [`Self::new`], from a value of `streamDeclarations`:
    /// `{"columns":[{"name":…,"type":…},…]}`.
    ///
    /// Returns an error like [`StreamDeclaration::new`], and for JSON of another shape.
    pub fn from_json(
        name: impl Into<String>,
        table: impl Into<String>,
        declaration: &Value,
    ) -> Result<Self, DeclarationError> {
        let columns = declaration["columns"]
            .as_array()
            .ok_or_else(|| error("a stream declaration has no array \"columns\""))?;
        let columns: Result<_, _> = columns.iter().map(column_of_json).collect();
        Self::new(name, table, columns?)
    }

    /// The name, as in the path of a request.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The table that it fills, with `_CL`.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The declared columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The type of a column, if it is declared.
    pub fn column_type(&self, name: &str) -> Option<ColumnType> {
        self.types.get(name).copied()
    }
}

fn check_column(column: &Column) -> Result<(), DeclarationError> {
    let Column { name, column_type } = column;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let letter_first = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if RESERVED.contains(&name.as_str()) {
        return Err(error(format!("the column name {name} is reserved")));
    }
    if !letter_first || !name.bytes().all(allowed) {
        return Err(error(format!(
            "the column name {name:?} is not a letter followed by letters, digits and underscores"
        )));
    }
    if name.len() > LONGEST_NAME {
        return Err(error(format!(
            "the column name {name} is longer than {LONGEST_NAME} characters"
        )));
    }
    if *column_type == ColumnType::Guid {
        return Err(error(format!(
            "the column {name} is declared as guid, which streams do not support"
        )));
    }
    if name == "TimeGenerated" && *column_type != ColumnType::DateTime {
        return Err(error("TimeGenerated is not declared as datetime"));
    }
    Ok(())
}

fn column_of_json(column: &Value) -> Result<Column, DeclarationError> {
    let text = |key: &str| column[key].as_str();
    let (Some(name), Some(type_name)) = (text("name"), text("type")) else {
        return Err(error(format!("a column without name or type: {column}")));
    };
    let column_type = ColumnType::of_name(type_name)
        .ok_or_else(|| error(format!("the column {name} has the unknown type {type_name}")))?;
    Ok(Column::new(name, column_type))
}

/// A declaration that Azure would refuse, or that is not simulated, with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclarationError(String);

fn error(text: impl Into<String>) -> DeclarationError {
    DeclarationError(text.into())
}

impl fmt::Display for DeclarationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for DeclarationError {}
