//! Findings and output of `check`.

mod clock_and_proxy;
mod terminal;

use crate::common::{Settings, duo_sentinel, temporary_folder};
use serde_json::Value;

/// Exit code and findings of `check`.
pub(crate) async fn check(settings: &Settings) -> (Option<i32>, Vec<Value>) {
    let folder = temporary_folder();
    let output = duo_sentinel(settings, folder.path(), &["check", "--json"]).await;
    let findings = serde_json::from_slice(&output.stdout);
    (output.status.code(), findings.unwrap_or_else(|error| panic!("{error}: {output:?}")))
}

/// The finding about this subject, if any.
pub(crate) fn about<'f>(findings: &'f [Value], subject: &str) -> Option<&'f Value> {
    findings.iter().find(|finding| finding["subject"] == subject)
}
