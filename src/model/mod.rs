//! The words every other module shares: log types and what differs between them, times, secrets.

mod ingestion_api;
mod log_type;
mod loopback;
mod secret;
mod spelled;
mod text;
mod time;

pub use ingestion_api::IngestionApi;
pub use log_type::{LogSpec, LogType, Paging, UnknownLogType};
pub(crate) use loopback::{is_loopback, loopback};
pub use secret::Secret;
pub(crate) use spelled::{number, span};
pub(crate) use text::position;
pub use time::{HOUR, Hour, MINUTE, Millis, SECOND};
