//! Generated files must equal what the schema table generates.

use std::collections::{BTreeMap, BTreeSet};

use duo_sentinel::model::LogType;
use duo_sentinel::schema::{
    ADDITIONAL_FIELDS, Column, ColumnType, HEALTH_TABLE, LONGEST_NAME, Source, TABLE, columns,
    declared, health_columns, undeclared,
};
use serde_json::{Map, Value, json};

use crate::agreement::{json as json_of, must_be, rule};

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The columns of `CiscoDuo_CL` for the documentation, as Markdown.
fn column_reference() -> String {
    let rows = columns().iter().map(|column| {
        let by = match &column.source {
            Source::Connector => "duo-sentinel".to_owned(),
            Source::Duo { path, logs, .. } => of_logs(path, logs),
        };
        let (name, column_type) = (&column.name, column.column_type.declared());
        format!("| `{name}` | {column_type} | {by} | {} |\n", column.about)
    });
    let undeclared_rows = undeclared().map(|(path, logs, about)| {
        let there = path_in_additional_fields(path);
        format!("| `{there}` | {} | {about} |\n", of_logs(path, logs))
    });
    format!(
        "| column | type | filled by | description |\n|---|---|---|---|\n{}\n\
         These Duo fields have no declared column, because its name would exceed {LONGEST_NAME} characters. The Logs Ingestion \
         API keeps them in `{ADDITIONAL_FIELDS}`, not reported as unmapped; the Data Collector API creates columns.\n\n| path | field | description |\n|---|---|---|\n{}",
        rows.collect::<Vec<_>>().concat(),
        undeclared_rows.collect::<Vec<_>>().concat()
    )
}

fn path_in_additional_fields(path: &str) -> String {
    path.replace('.', "_")
}

fn of_logs(path: &str, logs: &[LogType]) -> String {
    let logs: Vec<String> = logs.iter().map(ToString::to_string).collect();
    format!("`{path}` of {}", logs.join(", "))
}

/// The columns of `CiscoDuoHealth_CL` for the documentation, as Markdown.
fn health_reference() -> String {
    let rows = health_columns().into_iter().map(|column| {
        let (name, column_type) = (column.name, column.column_type.declared());
        format!("| `{name}` | {column_type} | {} |\n", column.about)
    });
    let rows = rows.collect::<Vec<_>>().concat();
    format!("| column | type | description |\n|---|---|---|\n{rows}")
}

/// The column types of the tables in KQL, and the known fields in `AdditionalFields`.
fn table_schema() -> Value {
    let types = |columns: &[Column]| -> Map<String, Value> {
        let of_query = |column: &Column| match column.column_type {
            ColumnType::Boolean => "bool",
            other => other.declared(),
        };
        let typed = |column: &Column| (column.name.clone(), of_query(column).into());
        columns.iter().map(typed).collect()
    };
    let additional: Vec<String> =
        undeclared().map(|(path, ..)| path_in_additional_fields(path)).collect();
    let tables = json!({TABLE: types(columns()), HEALTH_TABLE: types(&health_columns())});
    json!({"tables": tables, "additional_fields": {TABLE: additional}})
}

#[test]
fn the_column_reference_is_generated_from_the_schema_table() {
    let head = include_str!("columns-head.md");
    must_be(
        "docs/columns.md",
        &format!(
            "{head}\n{}\n## `CiscoDuoHealth_CL`\n\nRows about the connector itself; [operate.md](operate.md) says how they are read.\n\n{}",
            column_reference(),
            health_reference()
        ),
    );
}

#[test]
fn the_schema_for_checking_queries_is_generated_from_the_schema_table() {
    must_be("sentinel/schema.json", &pretty(&table_schema()));
}

#[test]
fn the_rule_template_declares_the_columns_of_the_schema_table_and_the_bridge() {
    must_be(
        "sentinel/data-collection-rule.json",
        &pretty(&rule::template(&declared(columns()), &declared(&health_columns()))),
    );
}

#[test]
fn data_collector_only_columns_are_undeclared_and_include_every_name_that_is_too_long() {
    let schema = table_schema();
    let made = json_of("sentinel/data-collector-only.json");
    let made: BTreeMap<String, String> =
        serde_json::from_value(made["tables"][TABLE].clone()).unwrap();
    for column in made.keys() {
        assert!(schema["tables"][TABLE].get(column).is_none(), "{column} is declared");
    }
    // A table in Azure Monitor has at most 500 columns.
    assert!(schema["tables"][TABLE].as_object().unwrap().len() + made.len() < 450);
    // The path is the name without the suffix of the type.
    let paths: BTreeSet<&str> =
        made.keys().filter_map(|column| column.rsplit_once('_')).map(|(path, _)| path).collect();
    for path in schema["additional_fields"][TABLE].as_array().unwrap() {
        let path = path.as_str().unwrap();
        assert!(paths.contains(path), "sentinel/data-collector-only.json lacks {path}");
    }
}
