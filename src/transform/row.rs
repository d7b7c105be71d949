//! Writing rows: Duo's text, and behind it the fields that are added.

use bytes::{BufMut as _, BytesMut};
use chrono::{DateTime, SecondsFormat};

use super::cut::Cut;
use super::{Form, Record, cut};
use crate::model::{IngestionApi, LogType, Millis};
use crate::schema::ColumnType;
use crate::sync::{IngestKind, RowId};

/// Longest text of the added fields apart from host and batch, in bytes.
const ADDED_FIELDS: usize = 320;

/// What the rows of a call have in common.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The log.
    pub log_type: LogType,
    /// The API hostname of the account.
    pub host: &'a str,
    /// How the rows came to be sent.
    pub kind: IngestKind,
    /// Names the call.
    pub batch: &'a str,
    /// When it is sent.
    pub sent_at: Millis,
    /// Whether the time of an event becomes `TimeGenerated`, and not that of sending.
    pub is_dated_by_event: bool,
}

/// Writes the rows of one call.
#[derive(Debug)]
pub struct RowWriter {
    /// The added fields that stand before the digits of `event_uid`, and what stands behind them: the same in every row.
    around_uid: [String; 2],
    /// Suffixes of the names of added fields: of texts, and of times.
    suffixes: [&'static str; 2],
    /// The time of rows without one, where rows carry it.
    time_generated: Option<String>,
    is_dated_by_event: bool,
}

impl RowWriter {
    /// Rows of a call to this API.
    pub fn new(api: IngestionApi, call: &Call<'_>) -> Self {
        let Call {
            log_type,
            host,
            batch,
            ..
        } = call;
        let kind = call.kind.as_str();
        let suffixes = match api {
            IngestionApi::DataCollector => ["", ""],
            IngestionApi::LogsIngestion => {
                [ColumnType::Text.suffix(), ColumnType::DateTime.suffix()]
            }
        };
        let [s, _] = suffixes;
        // The Data Collector is told by a header, and forbids a field of that name.
        let time_generated = (api == IngestionApi::LogsIngestion).then(|| call.sent_at.to_string());
        Self {
            around_uid: [
                format!(r#""eventtype{s}":"{log_type}","host{s}":"{host}","event_uid{s}":""#),
                format!(r#"","ingest_kind{s}":"{kind}","ingest_batch{s}":"{batch}""#),
            ],
            suffixes,
            time_generated,
            is_dated_by_event: call.is_dated_by_event,
        }
    }

    /// Writes one row; `text` is the record's own.
    pub fn write(&self, out: &mut BytesMut, text: &str, record: &Record) {
        let [text_suffix, time_suffix] = self.suffixes;
        match &record.form {
            Form::Object(parts) => {
                let mut copied = 0;
                let mut cuts = record.cuts.iter().peekable();
                for part in parts {
                    while let Some(cut) = cuts.next_if(|cut| cut.place.start < part.start) {
                        out.extend_from_slice(&text.as_bytes()[copied..cut.place.start]);
                        cut.write(out, text);
                        copied = cut.place.end;
                    }
                    out.extend_from_slice(&text.as_bytes()[copied..part.start]);
                    out.put_u8(b'"');
                    out.extend_from_slice(&text.as_bytes()[part.clone()]);
                    out.put_u8(b'"');
                    copied = part.end;
                }
                for cut in cuts {
                    out.extend_from_slice(&text.as_bytes()[copied..cut.place.start]);
                    cut.write(out, text);
                    copied = cut.place.end;
                }
                // Without the closing brace; an object's text ends with it.
                let inside = &text.as_bytes()[copied..text.len() - 1];
                out.extend_from_slice(inside);
                if text[1..text.len() - 1]
                    .bytes()
                    .any(|byte| !byte.is_ascii_whitespace())
                {
                    out.put_u8(b',');
                }
            }
            Form::Flattened(flat) => {
                out.put_u8(b'{');
                out.extend_from_slice(&flat.members);
            }
            Form::Wrapped => {
                put(out, &["{\"raw_record", text_suffix, "\":"]);
                let kept = record.cuts.first().map_or(text, |cut| cut.kept_of(text));
                serde_json::to_writer(out.writer(), kept).expect("a text can be written to memory");
                out.put_u8(b',');
            }
        }
        if record.is_cut() {
            put(out, &["\"truncated_fields", text_suffix, "\":"]);
            let list = cut::list(record.cut_fields());
            serde_json::to_writer(out.writer(), &list).expect("a text can be written to memory");
            out.put_u8(b',');
        }
        // 40 digits: a text of 32 would be stored as a GUID, in a column of another name.
        let mut uid = [0; 2 * size_of::<RowId>()];
        hex::encode_to_slice(record.id, &mut uid).expect("two digits for each byte");
        let [before_uid, after_uid] = &self.around_uid;
        out.extend_from_slice(before_uid.as_bytes());
        out.extend_from_slice(&uid);
        out.extend_from_slice(after_uid.as_bytes());
        let time = record.time_micros.and_then(DateTime::from_timestamp_micros);
        let time = time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        if let Some(time) = &time {
            put(out, &[",\"event_time", time_suffix, "\":\"", time, "\""]);
        }
        if let Some(sent_at) = &self.time_generated {
            let event = time.as_ref().filter(|_| self.is_dated_by_event);
            let time = event.unwrap_or(sent_at);
            put(out, &[",\"TimeGenerated\":\"", time, "\""]);
        }
        out.put_u8(b'}');
    }
}

fn put(out: &mut BytesMut, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

impl Record {
    /// Upper bound of the bytes of its row; `text` is the record's own, `host` the API hostname.
    pub fn longest_row(&self, text: &str, host: &str) -> usize {
        let own = match &self.form {
            Form::Object(parts) => {
                let growth: usize = self.cuts.iter().map(Cut::longest_growth).sum();
                text.len() + 2 * parts.len() + growth
            }
            Form::Flattened(flat) => flat.members.len(),
            // Each byte is at most escaped.
            Form::Wrapped => {
                let kept = self.cuts.first().map_or(text, |cut| cut.kept_of(text));
                2 * kept.len() + kept.bytes().filter(u8::is_ascii_control).count() * 4
            }
        };
        own + cut::longest_list(self.cut_fields()) + ADDED_FIELDS + host.len()
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use serde_json::Value;

    use super::{Call, RowWriter};
    use crate::model::{IngestionApi, LogType, Millis};
    use crate::sync::IngestKind;
    use crate::transform::read_records;

    fn row(log_type: LogType, text: &str) -> String {
        const HOST: &str = "api-x.duosecurity.com";
        const API: IngestionApi = IngestionApi::DataCollector;
        let call = Call {
            log_type,
            host: HOST,
            kind: IngestKind::Live,
            batch: "00000000000000000001",
            sent_at: Millis(1_795_348_800_000),
            is_dated_by_event: false,
        };
        let writer = RowWriter::new(API, &call);
        let record = read_records(log_type, HOST, API, [text]).pop().unwrap();
        let mut out = BytesMut::new();
        writer.write(&mut out, text, &record);
        let longest = record.longest_row(text, HOST);
        assert!(out.len() <= longest, "{} bytes", out.len());
        String::from_utf8(out.into()).unwrap()
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
                r#""ingest_kind":"live","ingest_batch":"00000000000000000001","#,
                r#""event_time":"2026-11-22T11:55:01.234567Z"}"#
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
