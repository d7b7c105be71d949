//! Documents held against the schemas of docs/.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::tool;

/// The schema of this name.
pub(crate) fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(file(name)).expect("the schema is there");
    serde_json::from_str(&text).expect("a schema is JSON")
}

/// What is wrong with each of these documents, held against the schema of this name.
pub(crate) async fn against_schema(name: &str, documents: &[Value]) -> Vec<Vec<String>> {
    tool("node/node_modules/ajv");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/check_schema.cjs");
    let mut process = Command::new("node")
        .args([script, file(name)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is installed");
    let input = serde_json::to_vec(documents).expect("they are JSON");
    let mut stdin = process.stdin.take().expect("it is piped");
    stdin.write_all(&input).await.expect("it reads all of it");
    drop(stdin);
    let output = process.wait_with_output().await.expect("it ends");
    let fault = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{fault}");
    serde_json::from_slice(&output.stdout).expect("it answers with JSON")
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(format!("{name}.schema.json"))
}
