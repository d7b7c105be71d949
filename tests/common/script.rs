//! Scripts that answer a question with JSON.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a script of the repository, which is given the question as JSON, and reads its answer.
pub(crate) fn ask<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    script: &str,
    arguments: impl IntoIterator<Item = A>,
    question: &Value,
) -> Value {
    let mut child = Command::new(program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("its program is installed");
    let mut stdin = child.stdin.take().expect("it is piped");
    let question = question.to_string();
    // Another thread writes the input: a script may write output before it has read all of its input.
    let writing = std::thread::spawn(move || stdin.write_all(question.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    let written = writing.join().expect("writing does not panic");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
    written.expect("it reads all of the question");
    serde_json::from_slice(&output.stdout).expect("it answers with JSON")
}
