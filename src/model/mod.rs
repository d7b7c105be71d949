//! The words every other module shares: log types and what differs between them, times, secrets.

mod exchange;
mod ingestion_api;
mod log_type;
mod loopback;
mod record;
mod row_shape;
mod secret;
mod span;
mod spelled;
mod text;
mod time;

pub use exchange::{
    Batch, FetchError, FetchErrorKind, IngestKind, PageRequest, PageResponse, SendError,
    SendErrorKind, Source, Tries,
};
pub use ingestion_api::IngestionApi;
pub use log_type::{LogSpec, LogType, Paging, UnknownLogType};
pub(crate) use loopback::{is_loopback, loopback};
pub use record::{EventContent, EventUid, Record, RecordKey};
pub use row_shape::{FlatRow, RowShape, Truncation};
pub use secret::Secret;
pub(crate) use secret::{azure_signature, hmac};
pub use span::Span;
pub(crate) use spelled::{number, span};
pub(crate) use text::position;
pub use time::{DAY, HOUR, Hour, MINUTE, Millis, SECOND};
