//! The handler as the Functions host runs it: protocol, life and death of the process, what it answers and says.

mod ends;
mod outcomes;
mod protocol;
mod streams;
