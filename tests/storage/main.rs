//! State on real parts: Blob Storage as Azurite has it, and the folder of this machine, held to the same rules.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests do"
)]

#[path = "../common/mod.rs"]
mod common;

mod checkpoint;
mod damage;
mod identity;
mod ledger;
mod place;
mod secrets;
mod trouble;
mod two_processes;
