//! Compares a row with its record, with a parser that the product does not use.

use duo_sentinel::model::{LogType, Record, RowShape};
use duo_sentinel::schema::{ADDITIONAL_FIELDS, columns};
use serde_json::value::RawValue;
use simulator::RawMembers;

type Members<'a> = RawMembers<'a, String>;

/// The fields of a device that are always sent as text.
const AS_TEXT: [&str; 3] = ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"];

/// A row as text, and its members.
fn members_of(row: &[u8]) -> (&str, Vec<(String, &RawValue)>) {
    let row = std::str::from_utf8(row).expect("a row is UTF-8");
    let members = serde_json::from_str(row);
    let RawMembers(members) = members.unwrap_or_else(|error| panic!("{error}: {row:.2000}"));
    (row, members)
}

/// Asserts that a row is valid JSON with every field of its record, followed by the added fields.
pub(crate) fn assert_holds(row: &[u8], record_text: &str, log_type: LogType, record: &Record) {
    let (row, members) = members_of(row);
    let has_time = members.last().is_some_and(|(name, _)| name == "event_time");
    let added = if has_time { 7 } else { 6 };
    let (own, added) = members.split_at(members.len() - added);
    let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "eventtype",
        "host",
        "event_uid",
        "event_content",
        "ingest_kind",
        "ingest_batch",
        "event_time",
    ];
    assert_eq!(names, expected[..added.len()], "{row:.2000}");
    assert_eq!(added[0].1.get(), format!("\"{log_type}\""));
    assert_eq!(added[2].1.get().len(), 42, "{row:.2000}");
    assert_eq!(added[3].1.get().len(), 10, "{row:.2000}");
    assert!(has_time <= record.time_micros.is_some(), "{row:.2000}");
    for (name, _) in own {
        assert!(!expected.contains(&name.as_str()), "{name} twice: {row:.2000}");
    }
    if let [(name, raw)] = own
        && name == "raw_record"
        && let Ok(text) = serde_json::from_str::<String>(raw.get())
        && text == record_text
    {
        return;
    }
    if matches!(record.shape, RowShape::Rewritten(_)) {
        return assert_moved(own, record_text, record);
    }
    let RawMembers(fields) =
        serde_json::from_str(record_text).unwrap_or_else(|error| panic!("{error}: {row:.2000}"));
    assert_eq!(own.len(), fields.len(), "{row:.2000}");
    for (own, field) in own.iter().zip(&fields) {
        assert_same(own, field, false);
    }
}

/// Asserts that every value of a record is in its field or in the text `AdditionalFields`.
fn assert_moved(own: &[(String, &RawValue)], record_text: &str, record: &Record) {
    let (additional, kept): (Vec<_>, Vec<_>) =
        own.iter().partition(|(name, _)| name == ADDITIONAL_FIELDS);
    let moved = additional.first().map_or(Some(0), |(_, value)| {
        let text: String = serde_json::from_str(value.get()).ok()?;
        serde_json::from_str::<Members<'_>>(&text).map(|RawMembers(moved)| moved.len()).ok()
    });
    let kept: Option<usize> = kept.iter().map(|(_, value)| values(value.get(), 1)).sum();
    // Invalid Unicode names cannot be counted here.
    if !record.is_truncated()
        && let (Some(kept), Some(moved), Some(all)) = (kept, moved, values(record_text, 0))
    {
        assert_eq!(kept + moved, all, "{record_text:.2000}");
    }
}

/// Columns that the connector adds.
const ADDED: [&str; 10] = [
    "TimeGenerated",
    "eventtype_s",
    "host_s",
    "event_uid_s",
    "event_content_s",
    "event_time_t",
    "ingest_kind_s",
    "ingest_batch_s",
    "truncated_fields_s",
    "raw_record_s",
];

/// Asserts that a row for the Logs Ingestion API has only declared columns, each once, and that
/// every value of the record is in a column or unmapped.
pub(crate) fn assert_laid_out(row: &[u8], record_text: &str, record: &Record) {
    let (row, members) = members_of(row);
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    for name in &names {
        let is_declared = columns().iter().any(|column| column.name == *name);
        assert!(is_declared, "{name} is not a column: {row:.2000}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), members.len(), "a duplicate column: {row:.2000}");
    if names.contains(&"raw_record_s") {
        return;
    }
    names.retain(|name| !ADDED.contains(name) && *name != ADDITIONAL_FIELDS);
    let additional = members.iter().find(|(name, _)| name == ADDITIONAL_FIELDS);
    let additional = additional.map_or("{}", |(_, value)| value.get());
    let inside = serde_json::from_str::<Members<'_>>(additional);
    let laid_out = names.len() + inside.map_or(0, |RawMembers(inside)| inside.len());
    // Truncated values are reported elsewhere; invalid Unicode names cannot be counted here.
    if !record.is_truncated()
        && let Some(values) = values(record_text, 0)
    {
        assert_eq!(laid_out, values, "{record_text:.2000}\n{row:.2000}");
    }
}

/// Number of values of an object at any depth that are not empty or null.
fn values(text: &str, depth: usize) -> Option<usize> {
    match text.as_bytes().first()? {
        b'{' if depth < 16 => {
            let RawMembers(members): Members<'_> = serde_json::from_str(text).ok()?;
            members.iter().map(|(_, value)| values(value.get(), depth + 1)).sum()
        }
        b'n' => Some(0),
        _ => Some(usize::from(text != "\"\"")),
    }
}

/// Asserts that two members are equal, except for device fields that became text.
fn assert_same(row: &(String, &RawValue), record: &(String, &RawValue), of_device: bool) {
    let (row_text, record_text) = (row.1.get(), record.1.get());
    assert_eq!(row.0, record.0);
    let is_truth = matches!(record_text, "true" | "false");
    if of_device && is_truth && AS_TEXT.contains(&record.0.as_str()) {
        let quoted = format!("\"{record_text}\"");
        assert!(row_text == quoted || row_text == record_text, "{row_text}");
        return;
    }
    let holds_device = record.0 == "access_device";
    if row_text != record_text && (holds_device || record.0 == "surfaced_auth") {
        let inside = |text| serde_json::from_str::<Members<'_>>(text);
        let (row, record) = (inside(row_text), inside(record_text));
        let (Ok(RawMembers(row)), Ok(RawMembers(record))) = (row, record) else {
            // Neither parser reads a name that is invalid Unicode.
            let bare = |text: &str| text.replace("\"true\"", "true").replace("\"false\"", "false");
            assert_eq!(bare(row_text), bare(record_text));
            return;
        };
        assert_eq!(row.len(), record.len());
        for (row, record) in row.iter().zip(&record) {
            assert_same(row, record, holds_device);
        }
        return;
    }
    assert_eq!(row_text, record_text, "{}", record.0);
}
