//! The columns that the connector fills itself.

use super::ADDITIONAL_FIELDS;
use super::column::{Column, ColumnType};

/// In the order in which they are declared.
pub(super) fn columns() -> Vec<Column> {
    use ColumnType::{DateTime, Dynamic, Text};
    [
        (
            "TimeGenerated",
            DateTime,
            "When the row was sent; with CISCO_DUO_TIME_GENERATED=event, for live rows, when the event happened",
        ),
        ("eventtype_s", Text, "The log, as in CISCO_DUO_LOG_TYPES"),
        ("host_s", Text, "The API hostname of the account"),
        (
            "event_uid_s",
            Text,
            "The event's identity, 40 hexadecimal digits: the same whenever the same event is sent",
        ),
        (
            "event_content_s",
            Text,
            "Fingerprint of what the record says, 8 hexadecimal digits: rows equal in event_uid and event_content are one event",
        ),
        (
            "event_replaces_s",
            Text,
            "The event_content of the same event that this row replaces, where a record changed",
        ),
        ("event_time_t", DateTime, "When the event happened"),
        (
            "ingest_kind_s",
            Text,
            "How the row came to be sent: live, late (seen after its time was closed) or backfill (older than 48 hours)",
        ),
        ("ingest_batch_s", Text, "The call that the row was sent in"),
        (
            "truncated_fields_s",
            Text,
            "Fields of which only the beginning, or nothing, is in the row, comma-separated; the whole is with the dead letters",
        ),
        (
            "raw_record_s",
            Text,
            "The record's own text, where it cannot be a row",
        ),
        (
            ADDITIONAL_FIELDS,
            Dynamic,
            "Fields that have no column of their own, by their paths (Logs Ingestion only; the Data Collector makes columns)",
        ),
    ]
    .into_iter()
    .map(|(name, column_type, about)| Column::added(name, column_type, about))
    .collect()
}
