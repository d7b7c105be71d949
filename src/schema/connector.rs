//! The connector's own columns of events, and the columns of `CiscoDuoHealth_CL`.

use super::ADDITIONAL_FIELDS;
use super::ColumnType::{self, DateTime, Dynamic, Real, Text};
use super::{Column, Source};

/// The name of the health table.
pub const HEALTH_TABLE: &str = "CiscoDuoHealth_CL";

/// A field in rows for the Data Collector API; its column has the suffix of its type.
#[derive(Debug)]
pub(crate) struct ConnectorField {
    pub(crate) name: &'static str,
    pub(crate) column_type: ColumnType,
    about: &'static str,
}

const fn field(name: &'static str, column_type: ColumnType, about: &'static str) -> ConnectorField {
    ConnectorField { name, column_type, about }
}

/// The fields of every event, in declaration order.
#[rustfmt::skip]
const EVENT_FIELDS: &[ConnectorField] = &[
    field("eventtype", Text, "The log, as in CISCO_DUO_LOG_TYPES"),
    field("host", Text, "The API hostname of the account"),
    field("event_uid", Text, "Identity of the event, 40 hexadecimal digits; unchanged when the event is sent again"),
    field("event_content", Text, "Fingerprint of the record's content, 8 hexadecimal digits: rows equal in event_uid and event_content are one event"),
    field("event_replaces", Text, "In an update: the event_content of the row that this row replaces"),
    field("event_time", DateTime, "Time of the event"),
    field("ingest_kind", Text, "Why the row was sent: live, late (first seen after its window was closed), update (Duo changed a delivered event) or backfill (older than 48 hours, or sent by the command backfill)"),
    field("ingest_batch", Text, "Batch that the row was sent in"),
    field("truncated_fields", Text, "Fields with truncated or omitted values, comma-separated; the dead letter has the whole record"),
    field("raw_record", Text, "The text of the record, if it cannot be converted to columns"),
    field(ADDITIONAL_FIELDS, Dynamic, "Unmapped fields, by path; with the Data Collector API as JSON text in AdditionalFields_s, if they have no column"),
];

/// The fields of a health row, in declaration order.
#[rustfmt::skip]
pub(crate) const HEALTH_FIELDS: &[ConnectorField] = &[
    field("record_type", Text, "Type of the row: run (the runs since the previous row) or hour (a closed hour)"),
    field("eventtype", Text, "The log, as in CISCO_DUO_LOG_TYPES"),
    field("host", Text, "The API hostname of the account"),
    field("version", Text, "Version of the connector"),
    field("sha256", Text, "SHA-256 of the connector's program, listed as handler in SHA256SUMS of the release"),
    field("ingestion_api", Text, "Ingestion API: data_collector or logs_ingestion"),
    field("outcome", Text, "run: outcome of the last run: caught_up, more_to_fetch, backing_off, unavailable or failed"),
    field("error", Text, "run: error code; docs/operate.md lists the codes"),
    field("error_message", Text, "run: error message and what to do"),
    field("http_status", Real, "run: HTTP status of the response that caused the error"),
    field("status_since", DateTime, "run: start of the current outcome and error"),
    field("succeeded_at", DateTime, "run: end of the last successful run"),
    field("collected_to", DateTime, "run: events before this time are delivered"),
    field("lag_seconds", Real, "run: time from collected_to to the end of the run, in seconds"),
    field("retry_at", DateTime, "run: end of the backoff"),
    field("runs", Real, "run: number of runs since the previous row"),
    field("pages", Real, "run: pages that Duo returned"),
    field("requests", Real, "run: requests to Duo"),
    field("throttled", Real, "run: responses with HTTP 429 (too many requests)"),
    field("retries", Real, "run: requests retried after a transient error"),
    field("events", Real, "run: rows that Azure Monitor accepted"),
    field("late", Real, "run: accepted rows of late events; hour: events found by reconciliation"),
    field("deduplicated", Real, "run: records not sent because they were delivered before"),
    field("dead_letters", Real, "run: dead-lettered records"),
    field("hour", DateTime, "hour: start of the hour"),
    field("state", Text, "hour: verified, verified_late, count_matched, gap or unknown; docs/completeness.md explains them"),
    field("span_from", DateTime, "hour: start of the collected part"),
    field("span_to", DateTime, "hour: end of the collected part, exclusive"),
    field("duo_count", Real, "hour: Duo's record count, if Duo returned an exact one"),
    field("delivered", Real, "hour: events in the delivery ledger: accepted by Azure Monitor, or refused and dead-lettered"),
    field("gap_from", DateTime, "hour: start of the gap"),
    field("gap_to", DateTime, "hour: end of the gap, exclusive"),
    field("stages", Real, "hour: reconciliation stages passed, of six"),
    field("reconciled_at", DateTime, "hour: time of the last reconciliation"),
    field("is_settled", Real, "hour: 1 after the last reconciliation stage, otherwise 0"),
];

/// The connector's columns of `CiscoDuo_CL`, `TimeGenerated` first.
pub(super) fn event_columns() -> impl Iterator<Item = Column> {
    let time = "Time at which the row was sent; for live rows with CISCO_DUO_TIME_GENERATED=event, the time of the event";
    columns(time, EVENT_FIELDS)
}

/// Every column of the health table, `TimeGenerated` first.
pub fn health_columns() -> Vec<Column> {
    columns("Time at which the row was sent", HEALTH_FIELDS).collect()
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
