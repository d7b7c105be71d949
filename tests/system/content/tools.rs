//! Questions to the scripts below `tools`, and their answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::{ask, tool};
use crate::content::schema::{COVERAGE, Columns, HEALTH_TABLE, TABLE};
use crate::content::sources::{Content, Query};

/// A row of the table, or of what a query gives.
pub(crate) type Row = Map<String, Value>;

/// What a transformation calls the stream.
const SOURCE: &str = "source";

/// When the queries of a case are run.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";

/// What the language service says of a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) problems: Vec<String>,
    pub(crate) columns: BTreeMap<String, String>,
}

/// What came of running a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Ran {
    pub(crate) name: String,
    rows: Option<Vec<Row>>,
    error: Option<String>,
}

impl Ran {
    pub(crate) fn rows(&self) -> &[Row] {
        let fault = || format!("{}: {}", self.name, self.error.as_deref().unwrap_or("?"));
        self.rows.as_deref().unwrap_or_else(|| panic!("{}", fault()))
    }
}

/// Programs that tools/setup installs, and no arguments.
const PYTHON: &str = "python/bin/python";
const NOTHING: [&str; 0] = [];

/// The files with what stands in them.
pub(crate) fn read_yaml(files: &[String]) -> BTreeMap<String, Value> {
    let answer = ask(tool(PYTHON), "tools/yaml_to_json.py", files, &Value::Null);
    serde_json::from_value(answer).unwrap()
}

fn listed(queries: &[&Query]) -> Value {
    queries.iter().map(|query| json!({"name": query.name, "text": query.text})).collect()
}

/// Asks Microsoft's language service about queries, each list on tables of its own.
fn asked_about(question: &Value) -> Vec<Vec<Checked>> {
    tool("node/node_modules/@kusto/language-service-next/package.json");
    serde_json::from_value(ask("node", "tools/check_kql.cjs", NOTHING, question)).unwrap()
}

/// Runs queries, each list on rows of its own.
fn played(question: &Value) -> Vec<Vec<Ran>> {
    serde_json::from_value(ask(tool(PYTHON), "tools/run_kql.py", NOTHING, question)).unwrap()
}

/// What the language service says of queries on the table of events alone.
pub(crate) fn check<'a>(
    worlds: impl IntoIterator<Item = (&'a Columns, &'a Content, &'a Vec<&'a Query>)>,
) -> Vec<Vec<Checked>> {
    let worlds = worlds.into_iter();
    check_on(worlds.map(|(columns, content, queries)| (json!({TABLE: columns}), content, queries)))
}

/// The same of queries on tables, by their names.
pub(crate) fn check_on<'a>(
    worlds: impl IntoIterator<Item = (Value, &'a Content, &'a Vec<&'a Query>)>,
) -> Vec<Vec<Checked>> {
    let world = |(tables, content, queries): (Value, &Content, &Vec<&Query>)| {
        let coverage = &content.functions[1].definition;
        let functions = json!({
            "CiscoDuo": content.function,
            COVERAGE: {"parameters": coverage["FunctionParameters"], "body": coverage["FunctionQuery"]},
        });
        json!({"tables": tables, "functions": functions, "queries": listed(queries)})
    };
    asked_about(&worlds.into_iter().map(world).collect())
}

/// The same of transformations of a stream with these columns.
pub(crate) fn check_transformations(columns: &Columns, queries: &[&Query]) -> Vec<Checked> {
    let world = json!({"tables": {SOURCE: columns}, "functions": {}, "queries": listed(queries)});
    asked_about(&json!([world])).remove(0)
}

/// Runs queries, each list on rows of its own, in tables of these columns.
pub(crate) fn run(
    function: &str,
    columns: &Columns,
    worlds: &[(Vec<Row>, Vec<&Query>)],
) -> Vec<Vec<Ran>> {
    let world = |(rows, queries): &(Vec<Row>, Vec<&Query>)| {
        let tables = json!({TABLE: {"columns": columns, "rows": rows}});
        let functions = json!({"CiscoDuo": function});
        json!({"tables": tables, "functions": functions, "now": NOW, "queries": listed(queries)})
    };
    played(&worlds.iter().map(world).collect())
}

/// The rows of both tables, and when something is asked of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// Rows of `CiscoDuo_CL`.
    pub(crate) events: Vec<Row>,
    /// Rows of `CiscoDuoHealth_CL`; without any, there is no such table.
    pub(crate) health: Vec<Row>,
    /// The columns of that table.
    pub(crate) of_health: Columns,
    /// When.
    pub(crate) now: String,
}

/// Runs queries that ask both tables, each list in a world of its own.
pub(crate) fn run_in(columns: &Columns, worlds: &[(World, Vec<&Query>)]) -> Vec<Vec<Ran>> {
    let world = |(world, queries): &(World, Vec<&Query>)| {
        let mut tables = json!({TABLE: {"columns": columns, "rows": world.events}});
        if !world.health.is_empty() {
            tables[HEALTH_TABLE] = json!({"columns": world.of_health, "rows": world.health});
        }
        json!({"tables": tables, "functions": {}, "now": world.now, "queries": listed(queries)})
    };
    played(&worlds.iter().map(world).collect())
}

/// Runs transformations on rows of a stream with these columns.
pub(crate) fn transform(columns: &Columns, rows: &[Row], queries: &[&Query]) -> Vec<Ran> {
    let tables = json!({SOURCE: {"columns": columns, "rows": rows}});
    let world = json!({"tables": tables, "functions": {}, "now": NOW, "queries": listed(queries)});
    played(&json!([world])).remove(0)
}
