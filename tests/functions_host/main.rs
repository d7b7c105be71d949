//! The handler as the Functions host runs it: protocol, life and death of the process, what it answers and says.

#[path = "../common/mod.rs"]
mod common;

mod ends;
mod kills;
mod outcomes;
mod protocol;
mod streams;
