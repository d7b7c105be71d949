//! State on real parts: Blob Storage as Azurite has it, and the folder of this machine, held to the same rules.

mod checkpoint;
mod damage;
mod dead_letters;
mod errors;
mod identity;
mod ledger;
mod place;
mod secrets;
mod two_processes;
