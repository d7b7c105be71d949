//! Texts that mean more than a text: GUIDs and moments.

use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

/// The GUID that a text is, with dashes and in lower case; 32 digits without dashes are one too.
pub(crate) fn guid(text: &str) -> Option<String> {
    // In braces it is none here.
    let uuid = matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok());
    uuid.flatten().map(|uuid| uuid.to_string())
}

/// The moment that an ISO 8601 date-time with a `T` means; without a zone it is taken as UTC.
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

/// The one spelling of a moment in a table: UTC, seven digits behind the seconds.
pub(crate) fn spelled(time: DateTime<Utc>) -> String {
    let ticks = time.timestamp_subsec_nanos() / 100 % 10_000_000;
    format!("{}.{ticks:07}Z", time.format("%Y-%m-%dT%H:%M:%S"))
}
