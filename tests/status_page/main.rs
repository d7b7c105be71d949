//! The status page and its JSON as people and programs meet them: through the Functions host, on stored results, in a browser.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it is"
)]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod command;
mod faults;
mod looks;
mod privacy;
mod quiet;
mod schema;

use common::{app, history};
