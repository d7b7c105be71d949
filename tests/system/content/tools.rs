//! Input and output of the scripts in `tools/`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::{run_script, tool};
use crate::content::schema::{COVERAGE, Columns, HEALTH_TABLE, TABLE};
use crate::content::sources::{Content, Query};

/// A row of a table or of a query result.
pub(crate) type Row = Map<String, Value>;

/// The name of the stream in a transformation.
const SOURCE: &str = "source";

/// The current time for the queries of a case.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";

/// The language service's result for a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) problems: Vec<String>,
    pub(crate) columns: BTreeMap<String, String>,
}

/// The result of running a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Ran {
    pub(crate) name: String,
    rows: Option<Vec<Row>>,
    error: Option<String>,
}

impl Ran {
    pub(crate) fn rows(&self) -> &[Row] {
        let error = || format!("{}: {}", self.name, self.error.as_deref().unwrap_or("?"));
        self.rows.as_deref().unwrap_or_else(|| panic!("{}", error()))
    }
}

/// Python of tools/setup, and an empty list of arguments.
const PYTHON: &str = "python/bin/python";
const NOTHING: [&str; 0] = [];

/// The parsed files.
pub(crate) fn read_yaml(files: &[String]) -> BTreeMap<String, Value> {
    let result = run_script(tool(PYTHON), "tools/yaml_to_json.py", files, &Value::Null);
    serde_json::from_value(result).unwrap()
}

fn listed(queries: &[&Query]) -> Value {
    queries.iter().map(|query| json!({"name": query.name, "text": query.text})).collect()
}

/// Checks queries with Microsoft's language service, each list on its own tables.
fn compiled(input: &Value) -> Vec<Vec<Checked>> {
    tool("node/node_modules/@kusto/language-service-next/package.json");
    serde_json::from_value(run_script("node", "tools/check_kql.cjs", NOTHING, input)).unwrap()
}

/// Runs queries, each list on its own rows.
fn executed(input: &Value) -> Vec<Vec<Ran>> {
    serde_json::from_value(run_script(tool(PYTHON), "tools/run_kql.py", NOTHING, input)).unwrap()
}

/// Checks queries on the event table alone.
pub(crate) fn check<'a>(
    worlds: impl IntoIterator<Item = (&'a Columns, &'a Content, &'a Vec<&'a Query>)>,
) -> Vec<Vec<Checked>> {
    let worlds = worlds.into_iter();
    check_on(worlds.map(|(columns, content, queries)| (json!({TABLE: columns}), content, queries)))
}

/// Checks queries on the given tables.
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
    compiled(&worlds.into_iter().map(world).collect())
}

/// Checks transformations of a stream with these columns.
pub(crate) fn check_transformations(columns: &Columns, queries: &[&Query]) -> Vec<Checked> {
    let world = json!({"tables": {SOURCE: columns}, "functions": {}, "queries": listed(queries)});
    compiled(&json!([world])).remove(0)
}

/// Runs queries, each list on its own rows in tables with these columns.
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
    executed(&worlds.iter().map(world).collect())
}

/// The rows of both tables, and the current time.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// Rows of `CiscoDuo_CL`.
    pub(crate) events: Vec<Row>,
    /// Rows of `CiscoDuoHealth_CL`; if empty, the table does not exist.
    pub(crate) health: Vec<Row>,
    /// The columns of `CiscoDuoHealth_CL`.
    pub(crate) of_health: Columns,
    /// The current time.
    pub(crate) now: String,
}

/// Runs queries on both tables, each list in its own world.
pub(crate) fn run_in(columns: &Columns, worlds: &[(World, Vec<&Query>)]) -> Vec<Vec<Ran>> {
    let world = |(world, queries): &(World, Vec<&Query>)| {
        let mut tables = json!({TABLE: {"columns": columns, "rows": world.events}});
        if !world.health.is_empty() {
            tables[HEALTH_TABLE] = json!({"columns": world.of_health, "rows": world.health});
        }
        json!({"tables": tables, "functions": {}, "now": world.now, "queries": listed(queries)})
    };
    executed(&worlds.iter().map(world).collect())
}

/// Runs transformations on rows of a stream with these columns.
pub(crate) fn transform(columns: &Columns, rows: &[Row], queries: &[&Query]) -> Vec<Ran> {
    let tables = json!({SOURCE: {"columns": columns, "rows": rows}});
    let world = json!({"tables": tables, "functions": {}, "now": NOW, "queries": listed(queries)});
    executed(&json!([world])).remove(0)
}
