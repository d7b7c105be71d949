//! The table as others need it: a page of the documentation, and the schema that queries are checked against.

use serde_json::{Map, Value, json};

use super::duo::{self, Field};
use super::{
    ADDITIONAL_FIELDS, Column, ColumnType, HEALTH_TABLE, LONGEST_NAME, Source, TABLE, columns,
    health_columns,
};
use crate::model::LogType;

/// The column reference of the documentation, as Markdown.
pub fn column_reference() -> String {
    let rows = columns().iter().map(|column| {
        let by = match &column.source {
            Source::Connector => "duo-sentinel".to_owned(),
            Source::Duo { path, logs, .. } => of_logs(path, logs),
        };
        let (name, column_type) = (&column.name, column.column_type.declared());
        format!("| `{name}` | {column_type} | {by} | {} |\n", column.about)
    });
    let undeclared_rows = undeclared().map(|field| {
        let path = path_in_additional_fields(field);
        let of = of_logs(field.path, field.logs);
        format!("| `{path}` | {of} | {} |\n", field.about)
    });
    format!(
        "| column | type | filled by | description |\n|---|---|---|---|\n{}\n\
         These fields are known and have no column, because its name would be longer than {LONGEST_NAME} characters; they are \
         in `{ADDITIONAL_FIELDS}` and not counted:\n\n| path there | field | description |\n|---|---|---|\n{}",
        rows.collect::<Vec<_>>().concat(),
        undeclared_rows.collect::<Vec<_>>().concat()
    )
}

/// Duo's fields that are known and cannot be declared.
fn undeclared() -> impl Iterator<Item = &'static Field> {
    duo::FIELDS.iter().filter(|field| field.types.is_empty())
}

fn path_in_additional_fields(field: &Field) -> String {
    field.path.replace('.', "_")
}

fn of_logs(path: &str, logs: &[LogType]) -> String {
    let logs: Vec<String> = logs.iter().map(ToString::to_string).collect();
    format!("`{path}` of {}", logs.join(", "))
}

/// The columns of `CiscoDuoHealth_CL` for the documentation, as Markdown.
pub fn health_reference() -> String {
    let rows = health_columns().into_iter().map(|column| {
        let (name, column_type) = (column.name, column.column_type.declared());
        format!("| `{name}` | {column_type} | {} |\n", column.about)
    });
    let rows = rows.collect::<Vec<_>>().concat();
    format!("| column | type | description |\n|---|---|---|\n{rows}")
}

/// Columns as a data collection rule and a table declare them: name and type.
pub fn declared(columns: &[Column]) -> Vec<Value> {
    columns
        .iter()
        .map(|column| json!({"name": column.name, "type": column.column_type.declared()}))
        .collect()
}

/// The tables with the types of their columns in the query language, and the known fields that are kept among those
/// without a column.
pub fn table_schema() -> Value {
    let types = |columns: &[Column]| -> Map<String, Value> {
        let of_query = |column: &Column| match column.column_type {
            ColumnType::Boolean => "bool",
            other => other.declared(),
        };
        let typed = |column: &Column| (column.name.clone(), of_query(column).into());
        columns.iter().map(typed).collect()
    };
    let additional: Vec<String> = undeclared().map(path_in_additional_fields).collect();
    let tables = json!({TABLE: types(columns()), HEALTH_TABLE: types(&health_columns())});
    json!({"tables": tables, "additional_fields": {TABLE: additional}})
}
