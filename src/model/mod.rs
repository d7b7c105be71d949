//! Types shared by all modules: log types, records, errors, times, secrets.

mod exchange;
mod ingestion_api;
mod log_type;
mod loopback;
mod record;
mod secret;
mod spelled;
mod time;

pub use exchange::{Batch, FetchError, IngestKind, PageRequest, PageResponse, SendError};
pub(crate) use exchange::{FetchErrorKind, SendErrorKind, Tries};
pub use ingestion_api::IngestionApi;
pub use log_type::LogType;
pub(crate) use log_type::{DUO_KEEPS, LogSpec, Paging, RETENTION};
pub(crate) use loopback::{is_loopback, loopback};
pub(crate) use record::{EventContent, EventUid, RewrittenRow, Truncation, position};
pub use record::{Record, RecordKey, RowShape};
pub(crate) use secret::{Secret, azure_signature, hmac};
pub(crate) use spelled::{number, span};
pub(crate) use time::{DAY, SECOND};
pub use time::{HOUR, Hour, MINUTE, Millis, Span};
