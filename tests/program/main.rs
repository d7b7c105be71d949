//! Tests that need only Rust: the program against the simulated services, with its state in a
//! folder, and agreement between parts of the repository. `cargo test` runs them.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

#[path = "../common/mod.rs"]
mod common;

mod agreement;
mod bad_input;
mod command_line;
mod completeness;
mod dead_letters;
mod diagnostics;
mod functions_host;
mod fuzz;
mod layers;
mod logs_ingestion;
mod permissions;
mod unmapped_columns;
