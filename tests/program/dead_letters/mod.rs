//! Records that cannot become whole rows are delivered where possible; their originals are kept,
//! listed, sent again and removed.

mod commands;
mod originals;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::common::{Settings, accepted_rows, duo_sentinel, temporary_folder};
use serde_json::Value;
use simulator::{Config, Simulator};

/// A tenant in which records of two logs have a value of 40,000 bytes, and the folder of rows.
async fn oversized(seed: u64) -> (Simulator, tempfile::TempDir) {
    let rows = temporary_folder();
    let config = Config {
        oversized_per_mille: 30,
        rows_dir: Some(rows.path().to_owned()),
        ..crate::common::tenant(seed, 300)
    };
    (Simulator::start(config).await.unwrap(), rows)
}

fn two_logs(settings: &Settings) -> Settings {
    settings.clone().with("CISCO_DUO_LOG_TYPES", "authentication,activity")
}

/// The accepted rows with truncated fields, by `event_uid`.
fn cut_rows(rows: &Path) -> BTreeMap<String, Value> {
    let rows = accepted_rows(rows, "CiscoDuo_CL").into_iter();
    rows.filter(|row| row.get("truncated_fields").is_some())
        .map(|row| (row["event_uid"].as_str().unwrap().to_owned(), row))
        .collect()
}

async fn dead_letters(settings: &Settings, folder: &Path, arguments: &[&str]) -> Output {
    duo_sentinel(settings, folder, &[&["dead-letters"], arguments].concat()).await
}

/// The JSON that a command printed with `--json`.
#[track_caller]
fn parsed(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
