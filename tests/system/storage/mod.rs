//! Tests of state in Blob Storage (Azurite) and in a folder, by the same rules.

mod checkpoint;
mod damage;
mod dead_letters;
mod errors;
mod identity;
mod idle;
mod intercepted;
mod ledger;
mod location;
mod secrets;
mod two_processes;
