//! The Duo Admin API: one signed question, one page of records.
//!
//! <https://duo.com/docs/adminapi>

mod client;
mod envelope;
mod error;
mod signature;
mod spanned;

pub use client::{Answer, DuoClient, Question};
pub use envelope::{Page, RecordReader, Unread, parse_page};
pub use error::DuoError;
