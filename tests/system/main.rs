//! What needs Azurite, Node.js, Python or a browser: `tests/run` installs them and runs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

#[path = "../common/mod.rs"]
mod common;

mod backfill;
mod content;
mod day_of_operation;
mod diagnostics;
mod duo_client;
mod every_call;
mod kills;
mod status_page;
mod storage;
