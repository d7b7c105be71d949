//! What needs only Rust and the simulated services: the program from outside, its state in a folder, and what parts of the
//! repository must agree on. `cargo test` runs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

#[path = "../common/mod.rs"]
mod common;

mod agreement;
mod bad_input;
mod command_line;
mod dead_letters;
mod diagnostics;
mod functions_host;
mod fuzz;
mod layers;
mod logs_ingestion;
