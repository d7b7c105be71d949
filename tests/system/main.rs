//! Tests that need Azurite, Node.js, Python or a browser; `tests/run` installs these and runs them.
//! One needs libfaketime; `tests/long` runs it.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

#[path = "../common/mod.rs"]
mod common;

mod backfill;
mod content;
mod day_of_operation;
mod diagnostics;
mod duo_client;
mod every_request;
mod kills;
mod stages;
mod status_page;
mod storage;
