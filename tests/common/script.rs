//! Scripts that read JSON from stdin and write JSON to stdout.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a script of the repository with `input` as JSON on stdin, and returns its output.
pub(crate) fn run_script<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    script: &str,
    arguments: impl IntoIterator<Item = A>,
    input: &Value,
) -> Value {
    let mut child = Command::new(program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter is installed");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_string();
    // A separate thread writes: a script may write output before it has read all input.
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the script ends");
    let written = writing.join().expect("writing does not panic");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
    written.expect("the script reads all of its input");
    serde_json::from_slice(&output.stdout).expect("the script writes JSON")
}
