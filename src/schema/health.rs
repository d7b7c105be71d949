//! The table `CiscoDuoHealth_CL`: rows about the connector itself, each about one log and some runs, or one closed hour.

use super::column::{Column, ColumnType};

/// The table's name.
pub const HEALTH_TABLE: &str = "CiscoDuoHealth_CL";

/// A field of a row, as the Data Collector API gets it; its column has the suffix of its type.
#[derive(Debug)]
pub(crate) struct HealthField {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) column_type: ColumnType,
    about: &'static str,
}

const fn field(name: &'static str, column_type: ColumnType, about: &'static str) -> HealthField {
    HealthField {
        name,
        column_type,
        about,
    }
}

/// Every field, in the order in which they are declared.
pub(crate) const HEALTH_FIELDS: [HealthField; 35] = {
    use ColumnType::{DateTime, Real, Text};
    [
        field(
            "row_kind",
            Text,
            "What the row is about: run (what was done since the row before) or hour (a closed hour)",
        ),
        field("eventtype", Text, "The log, as in CISCO_DUO_LOG_TYPES"),
        field("host", Text, "The API hostname of the account"),
        field("version", Text, "Version of the connector"),
        field(
            "sha256",
            Text,
            "SHA-256 of its program, which a release lists as handler",
        ),
        field(
            "ingestion_api",
            Text,
            "The API that rows go to: data_collector or logs_ingestion",
        ),
        field(
            "outcome",
            Text,
            "run: how the last run ended: caught_up, more_to_fetch, parked, unavailable or failed",
        ),
        field(
            "error",
            Text,
            "run: what is wrong, as a code; docs/operate.md lists them",
        ),
        field(
            "error_about",
            Text,
            "run: the same in plain words, and what to do",
        ),
        field(
            "http_status",
            Real,
            "run: HTTP status of the answer behind it",
        ),
        field(
            "standing_since",
            DateTime,
            "run: since when the log stands so",
        ),
        field(
            "succeeded_at",
            DateTime,
            "run: end of the last run that moved on, or had nothing to move",
        ),
        field(
            "collected_to",
            DateTime,
            "run: everything before this moment was delivered",
        ),
        field("lag_seconds", Real, "run: how far that was behind"),
        field(
            "parked_until",
            DateTime,
            "run: when a log that waits goes on",
        ),
        field("runs", Real, "run: runs since the row before"),
        field("pages", Real, "run: pages that Duo gave"),
        field("requests", Real, "run: calls to Duo"),
        field("throttled", Real, "run: answers that asked for fewer calls"),
        field(
            "retries",
            Real,
            "run: calls made again after a passing fault",
        ),
        field("events", Real, "run: rows that Azure Monitor accepted"),
        field(
            "late",
            Real,
            "Rows among them that were seen only after their time was closed; hour: found by reconciliation",
        ),
        field(
            "duplicates_dropped",
            Real,
            "run: records that had been delivered before and were not sent again",
        ),
        field(
            "dead_letters",
            Real,
            "run: records whose originals were set aside",
        ),
        field("hour", DateTime, "hour: when it began"),
        field(
            "state",
            Text,
            "hour: verified, verified_late, count_matched, gap or unknown; docs/completeness.md says what each means",
        ),
        field(
            "span_from",
            DateTime,
            "hour: begin of the part of it that was collected",
        ),
        field("span_to", DateTime, "hour: first moment after that part"),
        field(
            "counted",
            Real,
            "hour: records that Duo counts, where it counts",
        ),
        field(
            "delivered",
            Real,
            "hour: its events that Azure Monitor accepted",
        ),
        field("gap_from", DateTime, "hour: begin of what is missing"),
        field(
            "gap_to",
            DateTime,
            "hour: first moment after what is missing",
        ),
        field(
            "checks",
            Real,
            "hour: stages of reconciliation that it has passed, of six",
        ),
        field("checked_at", DateTime, "hour: when it was last reconciled"),
        field(
            "is_settled",
            Real,
            "hour: 1 once it has passed the last stage, else 0",
        ),
    ]
};

/// Every column, `TimeGenerated` first.
pub fn health_columns() -> Vec<Column> {
    let time = Column::added(
        "TimeGenerated",
        ColumnType::DateTime,
        "When the row was sent",
    );
    let fields = HEALTH_FIELDS.iter().map(|field| {
        let name = format!("{}{}", field.name, field.column_type.suffix());
        Column::added(&name, field.column_type, field.about)
    });
    std::iter::once(time).chain(fields).collect()
}
