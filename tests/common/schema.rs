//! Validation of documents against the schemas in docs/.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{run_script, tool};

/// The schema of this name.
pub(crate) fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(file(name)).expect("the schema exists");
    serde_json::from_str(&text).expect("a schema is JSON")
}

/// The validation errors of each document.
pub(crate) fn against_schema(name: &str, documents: &[Value]) -> Vec<Vec<String>> {
    tool("node/node_modules/ajv");
    let response = run_script("node", "tools/check_schema.cjs", [file(name)], &documents.into());
    serde_json::from_value(response).expect("the script returns lists of errors")
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(format!("{name}.schema.json"))
}
