//! Writes rows: Duo's text, followed by the added fields.

use bytes::{BufMut as _, BytesMut};
use chrono::{DateTime, SecondsFormat};
use smallvec::SmallVec;

use super::{cut, quoted};
use crate::model::{
    EventContent, EventUid, IngestKind, IngestionApi, LogType, Millis, Record, RowShape,
};
use crate::schema::ColumnType;

/// Maximum size of the added fields without host and batch, in bytes.
const ADDED_FIELDS: usize = 440;

/// The common fields of the rows of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchFields<'a> {
    /// The log.
    pub log_type: LogType,
    /// The API hostname of the account.
    pub host: &'a str,
    /// The value of `ingest_kind`.
    pub kind: IngestKind,
    /// The name of the batch.
    pub batch: &'a str,
    /// Time at which the batch is sent.
    pub sent_at: Millis,
    /// Whether `TimeGenerated` is the event time instead of `sent_at`.
    pub is_dated_by_event: bool,
}

/// Writes the rows of one batch.
#[derive(Debug)]
pub struct RowWriter {
    /// The constant added fields before, between and after `event_uid` and `event_content`.
    around_key: [String; 3],
    /// Column suffixes of added fields: for texts and for times.
    suffixes: [&'static str; 2],
    /// Default of `TimeGenerated`, if rows have it.
    time_generated: Option<String>,
    is_dated_by_event: bool,
}

impl RowWriter {
    /// Creates a writer for an API.
    pub fn new(api: IngestionApi, fields: &BatchFields<'_>) -> Self {
        let BatchFields { log_type, host, batch, .. } = fields;
        let kind: &str = fields.kind.into();
        let suffixes = match api {
            IngestionApi::DataCollector => ["", ""],
            IngestionApi::LogsIngestion => {
                [ColumnType::Text.suffix(), ColumnType::DateTime.suffix()]
            }
        };
        let [s, _] = suffixes;
        // The Data Collector API uses a header instead and forbids a field of that name.
        let time_generated =
            (api == IngestionApi::LogsIngestion).then(|| fields.sent_at.to_string());
        Self {
            around_key: [
                format!(r#""eventtype{s}":"{log_type}","host{s}":"{host}","event_uid{s}":""#),
                format!(r#"","event_content{s}":""#),
                format!(r#"","ingest_kind{s}":"{kind}","ingest_batch{s}":"{batch}""#),
            ],
            suffixes,
            time_generated,
            is_dated_by_event: fields.is_dated_by_event,
        }
    }

    /// Writes one row.
    pub fn write(&self, out: &mut BytesMut, record: &Record) {
        let text = record.text();
        let [text_suffix, time_suffix] = self.suffixes;
        match &record.shape {
            RowShape::Object(parts) => {
                let quoted = parts.iter().map(|range| (range, None));
                let truncations = record.truncations.iter().map(|one| (&one.range, Some(one)));
                let mut changes: SmallVec<[_; 4]> = quoted.chain(truncations).collect();
                changes.sort_unstable_by_key(|(range, _)| range.start);
                let mut copied = 0;
                for (range, truncation) in changes {
                    put(out, &[&text[copied..range.start]]);
                    match truncation {
                        Some(truncation) => cut::write(truncation, out, text),
                        None => put(out, &["\"", &text[range.clone()], "\""]),
                    }
                    copied = range.end;
                }
                // Without the closing brace of the object.
                put(out, &[&text[copied..text.len() - 1]]);
                if text[1..text.len() - 1].bytes().any(|byte| !byte.is_ascii_whitespace()) {
                    out.put_u8(b',');
                }
            }
            RowShape::Rewritten(flat) => {
                out.put_u8(b'{');
                out.extend_from_slice(&flat.members);
            }
            RowShape::Wrapped => {
                put(out, &["{\"raw_record", text_suffix, "\":"]);
                let kept = record.truncations.first().map_or(text, |one| cut::kept_json(one, text));
                quoted(out, kept);
                out.put_u8(b',');
            }
        }
        if record.is_truncated() {
            put(out, &["\"truncated_fields", text_suffix, "\":"]);
            quoted(out, &cut::list(record.truncated_fields()));
            out.put_u8(b',');
        }
        // 40 digits: 32 would be stored as a GUID, in a column of another name.
        let mut uid = [0; 2 * size_of::<EventUid>()];
        let mut content = [0; 2 * size_of::<EventContent>()];
        hex::encode_to_slice(record.key.uid, &mut uid).expect("two digits for each byte");
        hex::encode_to_slice(record.key.content, &mut content).expect("two digits for each byte");
        let [before_uid, between, after] = &self.around_key;
        for part in [before_uid.as_bytes(), &uid, between.as_bytes(), &content, after.as_bytes()] {
            out.extend_from_slice(part);
        }
        if let Some(replaces) = record.replaces {
            put(out, &[",\"event_replaces", text_suffix, "\":\"", &hex::encode(replaces), "\""]);
        }
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

/// Upper bound of a row in bytes; `text` is the record's text, `host` the API hostname.
pub(super) fn longest_row(record: &Record, text: &str, host: &str) -> usize {
    let text_bytes = match &record.shape {
        RowShape::Object(parts) => {
            let growth: usize = record.truncations.iter().map(cut::longest_growth).sum();
            text.len() + 2 * parts.len() + growth
        }
        RowShape::Rewritten(flat) => flat.members.len(),
        // At most every byte is escaped.
        RowShape::Wrapped => {
            let kept = record.truncations.first().map_or(text, |one| cut::kept_json(one, text));
            2 * kept.len() + kept.bytes().filter(u8::is_ascii_control).count() * 4
        }
    };
    text_bytes + cut::longest_list(record.truncated_fields()) + ADDED_FIELDS + host.len()
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::BytesMut;
    use serde_json::Value;

    use super::{BatchFields, RowWriter};
    use crate::model::{IngestKind, IngestionApi, LogType, Millis, Record};
    use crate::transform::{read_record, read_records};

    const HOST: &str = "api-x.duosecurity.com";

    /// Writes the row of a record, and checks its size against `row_bytes`.
    pub(in crate::transform) fn written(
        api: IngestionApi,
        log_type: LogType,
        is_dated_by_event: bool,
        record: &Record,
    ) -> BytesMut {
        let fields = BatchFields {
            log_type,
            host: HOST,
            kind: IngestKind::Live,
            batch: "00000000000000000001",
            sent_at: Millis(1_795_348_800_000),
            is_dated_by_event,
        };
        let mut out = BytesMut::new();
        RowWriter::new(api, &fields).write(&mut out, record);
        let (bytes, longest) = (out.len(), record.row_bytes);
        assert!(bytes <= longest, "{bytes} bytes, not {longest}: {}", record.text());
        out
    }

    fn row(log_type: LogType, text: &str) -> String {
        const API: IngestionApi = IngestionApi::DataCollector;
        let record = read_records(log_type, HOST, API, [text]).pop().unwrap();
        let out = written(API, log_type, false, &record);
        let alone = written(API, log_type, false, &read_record(log_type, HOST, API, text));
        assert_eq!(alone, out, "read alone");
        String::from_utf8(out.into()).unwrap()
    }

    #[test]
    fn a_row_is_duos_text_followed_by_the_added_fields() {
        let text = r#"{"txid":"a", "isotimestamp":"2026-11-22T11:55:01.234567+00:00","credits":1.0e2,"access_device":{"is_password_set":true}}"#;
        assert_eq!(
            row(LogType::Authentication, text),
            concat!(
                r#"{"txid":"a", "isotimestamp":"2026-11-22T11:55:01.234567+00:00","credits":1.0e2,"#,
                r#""access_device":{"is_password_set":"true"},"eventtype":"authentication","#,
                r#""host":"api-x.duosecurity.com","event_uid":"c2315db258f196a5320874fdbc28f4f023deff31","event_content":"39acfbe0","#,
                r#""ingest_kind":"live","ingest_batch":"00000000000000000001","#,
                r#""event_time":"2026-11-22T11:55:01.234567Z"}"#
            )
        );
    }

    #[test]
    fn an_update_names_the_content_that_it_replaces() {
        let text = r#"{"sekey":"SE1","surfaced_timestamp":1795872024000,"state":"processed"}"#;
        for (api, column) in [
            (IngestionApi::DataCollector, "event_replaces"),
            (IngestionApi::LogsIngestion, "event_replaces_s"),
        ] {
            let mut record = read_record(LogType::TrustMonitor, HOST, api, text);
            record.replaces = Some([0, 1, 0xab, 0xff]);
            let out = written(api, LogType::TrustMonitor, false, &record);
            let row: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(row[column], "0001abff");
        }
    }

    #[test]
    fn an_empty_object_and_a_text_become_rows() {
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
