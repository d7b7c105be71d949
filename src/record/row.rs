//! Writing rows: Duo's text, and behind it the fields that are added.

use std::io::Write as _;

use chrono::{DateTime, SecondsFormat};

use super::{Form, Record};
use crate::model::LogType;
use crate::plan::{IngestKind, RowId};

/// Longest text of the added fields apart from host and batch, in bytes.
const ADDED_FIELDS: usize = 256;

/// Writes the rows of one log.
#[derive(Clone, Copy, Debug)]
pub struct RowWriter<'a> {
    /// Value of `eventtype`.
    pub log_type: LogType,
    /// Value of `host`: the API hostname.
    pub host: &'a str,
}

impl RowWriter<'_> {
    /// Upper bound of the bytes of a row.
    pub fn longest_row(&self, text: &str, record: &Record) -> usize {
        let own = match &record.form {
            Form::Object(parts) => text.len() + 2 * parts.len(),
            // Each byte is at most escaped.
            Form::Wrapped => 2 * text.len() + text.bytes().filter(u8::is_ascii_control).count() * 4,
        };
        own + ADDED_FIELDS + self.host.len()
    }

    /// Writes one row. `batch` names the call it goes out in.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        text: &str,
        record: &Record,
        kind: IngestKind,
        batch: &str,
    ) {
        match &record.form {
            Form::Object(parts) => {
                let mut copied = 0;
                for part in parts {
                    out.extend_from_slice(&text.as_bytes()[copied..part.start]);
                    out.push(b'"');
                    out.extend_from_slice(&text.as_bytes()[part.clone()]);
                    out.push(b'"');
                    copied = part.end;
                }
                // Without the closing brace; an object's text ends with it.
                let inside = &text.as_bytes()[copied..text.len() - 1];
                out.extend_from_slice(inside);
                if text[1..text.len() - 1]
                    .bytes()
                    .any(|byte| !byte.is_ascii_whitespace())
                {
                    out.push(b',');
                }
            }
            Form::Wrapped => {
                out.extend_from_slice(b"{\"raw_record\":");
                serde_json::to_writer(&mut *out, text).expect("a text can be written to memory");
                out.push(b',');
            }
        }
        // 40 digits: a text of 32 would be stored as a GUID, in a column of another name.
        let mut uid = [0; 2 * size_of::<RowId>()];
        hex::encode_to_slice(record.id, &mut uid).expect("two digits for each byte");
        let (log_type, host) = (self.log_type.as_str().as_bytes(), self.host.as_bytes());
        // Copied, not formatted: this is done for every row.
        for part in [
            b"\"eventtype\":\"".as_slice(),
            log_type,
            b"\",\"host\":\"",
            host,
            b"\",\"event_uid\":\"",
            &uid,
            b"\",",
        ] {
            out.extend_from_slice(part);
        }
        if let Some(time) = record.time_micros.and_then(DateTime::from_timestamp_micros) {
            let time = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            write!(out, "\"event_time\":\"{time}\",").expect("memory takes every write");
        }
        write!(
            out,
            "\"ingest_kind\":\"{}\",\"ingest_batch\":\"{batch}\"}}",
            kind.as_str()
        )
        .expect("memory takes every write");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::RowWriter;
    use crate::model::LogType;
    use crate::plan::IngestKind;
    use crate::record::read_records;

    fn row(log_type: LogType, text: &str) -> String {
        let writer = RowWriter {
            log_type,
            host: "api-x.duosecurity.com",
        };
        let record = read_records(log_type, writer.host, [text]).pop().unwrap();
        let mut out = Vec::new();
        writer.write(
            &mut out,
            text,
            &record,
            IngestKind::Live,
            "00000000000000000001",
        );
        assert!(
            out.len() <= writer.longest_row(text, &record),
            "{} bytes",
            out.len()
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_is_duos_text_and_behind_it_the_added_fields() {
        let text = r#"{"txid":"a", "isotimestamp":"2026-11-22T11:55:01.234567+00:00","n":1.0e2,"access_device":{"is_password_set":true}}"#;
        assert_eq!(
            row(LogType::Authentication, text),
            concat!(
                r#"{"txid":"a", "isotimestamp":"2026-11-22T11:55:01.234567+00:00","n":1.0e2,"#,
                r#""access_device":{"is_password_set":"true"},"eventtype":"authentication","#,
                r#""host":"api-x.duosecurity.com","event_uid":"78014a01ad54f0541f65c8ed4aa9cb5686150eea","#,
                r#""event_time":"2026-11-22T11:55:01.234567Z","ingest_kind":"live","#,
                r#""ingest_batch":"00000000000000000001"}"#
            )
        );
    }

    #[test]
    fn an_empty_object_and_a_text_become_rows_too() {
        for text in ["{}", "{ }"] {
            let row: Value = serde_json::from_str(&row(LogType::Activity, text)).unwrap();
            assert_eq!(row["eventtype"], "activity");
        }
        let text = "\"not an \\\"event\\\" \\u0001 \\ud800\"";
        let row: Value = serde_json::from_str(&row(LogType::Activity, text)).unwrap();
        assert_eq!(row["raw_record"], text);
        assert_eq!(row.get("event_time"), None);
    }

    #[test]
    fn a_record_with_a_reserved_name_loses_nothing() {
        let text = r#"{"host":"mine","activity_id":"a","ts":"2026-11-22T11:55:01Z"}"#;
        let row: Value = serde_json::from_str(&row(LogType::Activity, text)).unwrap();
        assert_eq!(row["host"], "api-x.duosecurity.com");
        assert_eq!(row["raw_record"], text);
        assert_eq!(row["event_time"], "2026-11-22T11:55:01Z");
    }
}
