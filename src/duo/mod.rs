//! The Duo Admin API: one signed request, one page of records.
//!
//! <https://duo.com/docs/adminapi>

mod body;
mod client;
mod envelope;
mod error;
mod signature;

pub use client::DuoClient;
pub use envelope::parse_page;
pub use error::hint;
