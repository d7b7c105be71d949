//! Documents held against the schemas of docs/.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ask, tool};

/// The schema of this name.
pub(crate) fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(file(name)).expect("the schema is there");
    serde_json::from_str(&text).expect("a schema is JSON")
}

/// What is wrong with each of these documents, held against the schema of this name.
pub(crate) fn against_schema(name: &str, documents: &[Value]) -> Vec<Vec<String>> {
    tool("node/node_modules/ajv");
    let answer = ask("node", "tools/check_schema.cjs", [file(name)], &documents.into());
    serde_json::from_value(answer).expect("it lists faults")
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(format!("{name}.schema.json"))
}
