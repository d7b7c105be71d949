//! Formats of GUIDs and times.

use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

/// Parses a GUID, with or without dashes, and returns it in lower case with dashes.
pub(crate) fn guid(text: &str) -> Option<String> {
    // GUIDs in braces are not recognized.
    let uuid = matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok());
    uuid.flatten().map(|uuid| uuid.to_string())
}

/// Parses an ISO 8601 time with a `T`; without a time zone it is UTC.
pub(crate) fn moment(text: &str) -> Option<DateTime<Utc>> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let zoned = DateTime::parse_from_rfc3339(text).ok();
    let zoned = zoned.map(|time| time.with_timezone(&Utc));
    zoned.or_else(|| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|time| time.and_utc())
    })
}

/// The format of a time in a table: UTC, with seven decimals of a second.
pub(crate) fn spelled(time: DateTime<Utc>) -> String {
    let ticks = time.timestamp_subsec_nanos() / 100 % 10_000_000;
    format!("{}.{ticks:07}Z", time.format("%Y-%m-%dT%H:%M:%S"))
}
