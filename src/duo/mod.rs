//! The Duo Admin API: one signed question, one page of records.
//!
//! <https://duo.com/docs/adminapi>

mod client;
mod envelope;
mod error;
mod signature;

pub use client::{Answer, DuoClient, Endpoint};
pub use envelope::{Page, parse_page};
pub use error::DuoError;
pub use signature::{Credentials, SignatureVersion};
