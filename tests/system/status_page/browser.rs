//! The browser that the tests drive is one that shows a page.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::temporary_folder;

/// Runs the choice with this folder first in PATH.
fn choose(folder: &Path, named: Option<&Path>) -> Output {
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("node");
    command
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tools/browser.cjs"))
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env_remove("DUO_SENTINEL_BROWSER");
    if let Some(named) = named {
        command.env("DUO_SENTINEL_BROWSER", named);
    }
    command.output().unwrap()
}

/// A program that is no browser.
fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

#[track_caller]
fn assert_skipped(chosen: &Output, program: &Path, reason: &str) {
    let (stdout, stderr) =
        (String::from_utf8_lossy(&chosen.stdout), String::from_utf8_lossy(&chosen.stderr));
    assert!(chosen.status.success(), "{stderr}");
    assert_ne!(Path::new(stdout.trim()), program);
    let line = format!("skipped {}: {reason}", program.display());
    assert!(stderr.lines().any(|shown| shown == line), "{stderr}");
}

#[test]
fn a_program_that_does_not_start_is_skipped() {
    let folder = temporary_folder();
    let fake = program(folder.path(), "chromium", "echo no sandbox >&2; exit 1");
    let chosen = choose(folder.path(), None);
    assert_skipped(&chosen, &fake, "exit code 1: no sandbox");
    let chosen = choose(folder.path(), Some(&fake));
    assert_skipped(&chosen, &fake, "exit code 1: no sandbox");
}

#[test]
fn a_program_that_shows_no_page_is_skipped() {
    let folder = temporary_folder();
    // It repeats the page, as a program does that prints its arguments.
    let fake = program(folder.path(), "google-chrome", "echo \"$@\"");
    let chosen = choose(folder.path(), None);
    assert_skipped(&chosen, &fake, "it does not show a page");
}
