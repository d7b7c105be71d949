//! Files that are made from the schema table: they must stand as it would write them.

use std::collections::{BTreeMap, BTreeSet};

use duo_sentinel::schema::{
    TABLE, column_reference, columns, declared, health_columns, health_reference, table_schema,
};
use serde_json::Value;

use crate::agreement::{json, must_be, rule};

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[test]
fn the_column_reference_is_that_of_the_schema_table() {
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
fn the_schema_that_queries_are_checked_against_is_that_of_the_schema_table() {
    must_be("sentinel/schema.json", &pretty(&table_schema()));
}

#[test]
fn the_template_of_the_rule_declares_the_schema_table_and_the_bridge() {
    must_be(
        "sentinel/data-collection-rule.json",
        &pretty(&rule::template(&declared(columns()), &declared(&health_columns()))),
    );
}

#[test]
fn what_only_the_data_collector_makes_is_not_declared_and_has_every_name_that_is_too_long() {
    let schema = table_schema();
    let made = json("sentinel/data-collector-only.json");
    let made: BTreeMap<String, String> =
        serde_json::from_value(made["tables"][TABLE].clone()).unwrap();
    for column in made.keys() {
        assert!(schema["tables"][TABLE].get(column).is_none(), "{column} is declared");
    }
    // Azure Monitor holds 500 columns of a table.
    assert!(schema["tables"][TABLE].as_object().unwrap().len() + made.len() < 450);
    // Without the suffix of the type.
    let paths: BTreeSet<&str> =
        made.keys().filter_map(|column| column.rsplit_once('_')).map(|(path, _)| path).collect();
    for path in schema["additional_fields"][TABLE].as_array().unwrap() {
        let path = path.as_str().unwrap();
        assert!(paths.contains(path), "sentinel/data-collector-only.json lacks {path}");
    }
}
