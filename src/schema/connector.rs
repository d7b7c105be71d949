//! The columns that the connector fills itself: those of every event, and those of the table `CiscoDuoHealth_CL`, whose
//! rows are each about one log and some runs, or one closed hour.

use super::ADDITIONAL_FIELDS;
use super::ColumnType::{self, DateTime, Dynamic, Real, Text};
use super::{Column, Source};

/// The name of the health table.
pub const HEALTH_TABLE: &str = "CiscoDuoHealth_CL";

/// A field as the Data Collector API gets it; its column has the suffix of its type.
#[derive(Debug)]
pub(crate) struct ConnectorField {
    pub(crate) name: &'static str,
    pub(crate) column_type: ColumnType,
    about: &'static str,
}

const fn field(name: &'static str, column_type: ColumnType, about: &'static str) -> ConnectorField {
    ConnectorField { name, column_type, about }
}

/// The fields of every event, in the order in which they are declared.
#[rustfmt::skip]
const EVENT_FIELDS: &[ConnectorField] = &[
    field("eventtype", Text, "The log, as in CISCO_DUO_LOG_TYPES"),
    field("host", Text, "The API hostname of the account"),
    field("event_uid", Text, "The event's identity, 40 hexadecimal digits: the same whenever the event is sent"),
    field("event_content", Text, "Fingerprint of the record's content, 8 hexadecimal digits: rows equal in event_uid and event_content are one event"),
    field("event_replaces", Text, "The event_content of the same event that this row replaces, where a record changed"),
    field("event_time", DateTime, "When the event happened"),
    field("ingest_kind", Text, "How the row came to be sent: live, late (seen after its window was closed) or backfill (older than 48 hours)"),
    field("ingest_batch", Text, "The batch that the row was sent in"),
    field("truncated_fields", Text, "Fields whose values are truncated or left out, comma-separated; the dead letter has the whole record"),
    field("raw_record", Text, "The record's own text, where it cannot be a row"),
    field(ADDITIONAL_FIELDS, Dynamic, "Fields that have no column of their own, by their paths (Logs Ingestion only; the Data Collector makes columns)"),
];

/// The fields of a health row, in the order in which they are declared.
#[rustfmt::skip]
pub(crate) const HEALTH_FIELDS: &[ConnectorField] = &[
    field("record_type", Text, "What the row is about: run (what was done since the row before) or hour (a closed hour)"),
    field("eventtype", Text, "The log, as in CISCO_DUO_LOG_TYPES"),
    field("host", Text, "The API hostname of the account"),
    field("version", Text, "Version of the connector"),
    field("sha256", Text, "SHA-256 of its program, which a release lists as handler"),
    field("ingestion_api", Text, "The API that rows go to: data_collector or logs_ingestion"),
    field("outcome", Text, "run: how the last run ended: caught_up, more_to_fetch, backing_off, unavailable or failed"),
    field("error", Text, "run: the error, as a code; docs/operate.md lists them"),
    field("error_message", Text, "run: the error in words, and what to do about it"),
    field("http_status", Real, "run: HTTP status of the response that caused it"),
    field("status_since", DateTime, "run: since when the log has had this outcome and error"),
    field("succeeded_at", DateTime, "run: end of the last run that moved on, or had nothing to move"),
    field("collected_to", DateTime, "run: everything before this moment was delivered"),
    field("lag_seconds", Real, "run: how far that was behind"),
    field("retry_at", DateTime, "run: when a log that backs off continues"),
    field("runs", Real, "run: runs since the row before"),
    field("pages", Real, "run: pages that Duo returned"),
    field("requests", Real, "run: requests to Duo"),
    field("throttled", Real, "run: responses with HTTP 429 (too many requests)"),
    field("retries", Real, "run: requests that were repeated after a transient error"),
    field("events", Real, "run: rows that Azure Monitor accepted"),
    field("late", Real, "Rows among them that were seen only after their window was closed; hour: found by reconciliation"),
    field("duplicates_dropped", Real, "run: records that had been delivered before and were not sent again"),
    field("dead_letters", Real, "run: records whose originals were dead-lettered"),
    field("hour", DateTime, "hour: its start"),
    field("state", Text, "hour: verified, verified_late, count_matched, gap or unknown; docs/completeness.md says what each means"),
    field("span_from", DateTime, "hour: start of the part of it that was collected"),
    field("span_to", DateTime, "hour: first moment after that part"),
    field("counted", Real, "hour: records that Duo counts, where it gives an exact count"),
    field("delivered", Real, "hour: its events that Azure Monitor accepted"),
    field("gap_from", DateTime, "hour: start of what is missing"),
    field("gap_to", DateTime, "hour: first moment after what is missing"),
    field("checks", Real, "hour: stages of reconciliation that it has passed, of six"),
    field("checked_at", DateTime, "hour: when it was last reconciled"),
    field("is_settled", Real, "hour: 1 once it has passed the last stage, else 0"),
];

/// The connector's columns of `CiscoDuo_CL`, `TimeGenerated` first.
pub(super) fn event_columns() -> impl Iterator<Item = Column> {
    let time = "When the row was sent; with CISCO_DUO_TIME_GENERATED=event, for live rows, when the event happened";
    columns(time, EVENT_FIELDS)
}

/// Every column of the health table, `TimeGenerated` first.
pub fn health_columns() -> Vec<Column> {
    columns("When the row was sent", HEALTH_FIELDS).collect()
}

fn columns(
    time_generated: &'static str,
    fields: &'static [ConnectorField],
) -> impl Iterator<Item = Column> {
    let column =
        |name, column_type, about| Column { name, column_type, source: Source::Connector, about };
    let time = column("TimeGenerated".to_owned(), DateTime, time_generated);
    let fields = fields.iter().map(move |field| {
        let name = field.name.to_owned() + field.column_type.suffix();
        column(name, field.column_type, field.about)
    });
    std::iter::once(time).chain(fields)
}
