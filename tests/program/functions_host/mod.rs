//! The handler under the Functions host: protocol, process lifetime, responses and output.

mod outcomes;
mod protocol;
mod shutdown;
mod streams;
