//! The doctor: what `check` finds and shows, what the timer finds once an hour, and what is told to the workspace of how each
//! log fares.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it is"
)]

#[path = "../common/mod.rs"]
mod common;

mod health_rows;
mod hourly;
mod refused;
mod surroundings;
mod terminal;
mod told;
mod untold;

use common::{Settings, duo_sentinel, temporary_folder};
use serde_json::Value;

/// Exit code and findings of `check`.
async fn check(settings: &Settings) -> (Option<i32>, Vec<Value>) {
    let folder = temporary_folder();
    let output = duo_sentinel(settings, folder.path(), &["check", "--json"]).await;
    let findings = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        findings.unwrap_or_else(|fault| panic!("{fault}: {output:?}")),
    )
}

/// What was found about this, if anything was.
fn about<'f>(findings: &'f [Value], subject: &str) -> Option<&'f Value> {
    findings
        .iter()
        .find(|finding| finding["subject"] == subject)
}
