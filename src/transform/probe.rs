//! The few fields of a record that are read.

use std::borrow::Cow;

use chrono::DateTime;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Parts;
use super::device::{AccessDevice, SurfacedAuth, Wavering};
use crate::model::{LogType, RowShape};

/// What was read of a record.
pub(super) struct Probe<'a> {
    /// Duo's id, where the log has one and the record carries it.
    pub(super) id: Option<Cow<'a, str>>,
    /// Event time in microseconds since 1970.
    pub(super) time_micros: Option<i64>,
    /// What the record says of an event without an id: action, username, object, description, as they are spelt.
    pub(super) action: [Option<&'a str>; 4],
    pub(super) shape: RowShape,
}

/// Every field is left raw: one of an unknown type must not cost the others. Only the devices are read in the same
/// pass, as `A` and `S`: they are long, and reading them again is what a record's time would go to.
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each notes a name that is taken"
)]
pub struct Fields<'a, A, S> {
    #[serde(borrow)]
    txid: Option<&'a RawValue>,
    #[serde(borrow)]
    activity_id: Option<&'a RawValue>,
    #[serde(borrow)]
    telephony_id: Option<&'a RawValue>,
    #[serde(borrow)]
    sekey: Option<&'a RawValue>,
    #[serde(borrow)]
    isotimestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    surfaced_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    username: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    access_device: Option<A>,
    surfaced_auth: Option<S>,
    // Names that the row adds, and names that the service refuses.
    #[serde(default, deserialize_with = "present")]
    eventtype: bool,
    #[serde(default, deserialize_with = "present")]
    host: bool,
    #[serde(default, deserialize_with = "present")]
    event_uid: bool,
    #[serde(default, deserialize_with = "present")]
    event_content: bool,
    #[serde(default, deserialize_with = "present")]
    event_replaces: bool,
    #[serde(default, deserialize_with = "present")]
    event_time: bool,
    #[serde(default, deserialize_with = "present")]
    ingest_kind: bool,
    #[serde(default, deserialize_with = "present")]
    ingest_batch: bool,
    #[serde(rename = "truncated_fields", default, deserialize_with = "present")]
    truncated: bool,
    #[serde(default, deserialize_with = "present")]
    tenant: bool,
    #[serde(rename = "TimeGenerated", default, deserialize_with = "present")]
    time_generated: bool,
    #[serde(rename = "RawData", default, deserialize_with = "present")]
    raw_data: bool,
}

/// Makes of a record what identity, time and form need. `fields` is what was read of it with its page.
pub(super) fn probe<'a>(
    log_type: LogType,
    text: &'a str,
    fields: Option<Fields<'a, AccessDevice<'a>, SurfacedAuth<'a>>>,
) -> Probe<'a> {
    let wrapped = Probe {
        id: None,
        time_micros: None,
        action: [None; 4],
        shape: RowShape::Wrapped,
    };
    // serde would take an array, too, for the fields of a record, by their order.
    if !text.starts_with('{') {
        return wrapped;
    }
    if let Some(fields) = fields {
        return fields.probe(log_type, text);
    }
    // A device that is no object, or has a key twice: the rest of the record is read without it.
    match serde_json::from_str::<Fields<'_, IgnoredAny, IgnoredAny>>(text) {
        Ok(fields) => fields.probe(log_type, text),
        // A key stands in the record twice.
        Err(_) => wrapped,
    }
}

impl<'a, A: Wavering, S: Wavering> Fields<'a, A, S> {
    fn probe(self, log_type: LogType, text: &'a str) -> Probe<'a> {
        let iso_time = iso(self.isotimestamp);
        let id = match log_type.spec().id_field {
            // One transaction may have two records, told apart by their time only: whole seconds are too coarse for that.
            Some("txid") if iso_time.is_none() => None,
            Some("txid") => self.txid,
            Some("activity_id") => self.activity_id,
            Some("telephony_id") => self.telephony_id,
            Some("sekey") => self.sekey,
            _ => None,
        };
        // The finest time first. The v1 logs' `isotimestamp` is only a copy of `timestamp`, and was seen malformed.
        let time_micros = match log_type {
            LogType::Administrator | LogType::OfflineEnrollment => {
                seconds(self.timestamp).or(iso_time)
            }
            LogType::TrustMonitor => milliseconds(self.surfaced_timestamp),
            LogType::Activity | LogType::Telephony => iso(self.ts),
            LogType::Authentication => iso_time.or_else(|| seconds(self.timestamp)),
        };
        let shape = if self.has_reserved_name() {
            RowShape::Wrapped
        } else {
            let mut parts = Parts::new();
            if let Some(device) = &self.access_device {
                device.add_to(&mut parts, text);
            }
            if let Some(surfaced) = &self.surfaced_auth {
                surfaced.add_to(&mut parts, text);
            }
            parts.sort_unstable_by_key(|part| part.start);
            RowShape::Object(parts)
        };
        Probe {
            id: id.and_then(|id| scalar(id.get())),
            time_micros,
            action: [self.action, self.username, self.object, self.description]
                .map(|raw| raw.map(RawValue::get)),
            shape,
        }
    }
}

impl<A, S> Fields<'_, A, S> {
    fn has_reserved_name(&self) -> bool {
        self.eventtype
            || self.host
            || self.event_uid
            || self.event_content
            || self.event_replaces
            || self.event_time
            || self.ingest_kind
            || self.ingest_batch
            || self.truncated
            || self.tenant
            || self.time_generated
            || self.raw_data
    }
}

/// Notes that a field is there, whatever its value: null, too, takes the name.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A text or number as text; an empty text is no id.
fn scalar(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => {
            #[derive(Deserialize)]
            struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
            let Borrowed(text) = serde_json::from_str(raw).ok()?;
            (!text.is_empty()).then_some(text)
        }
        b'0'..=b'9' | b'-' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

fn iso(raw: Option<&RawValue>) -> Option<i64> {
    let text = scalar(raw?.get())?;
    DateTime::parse_from_rfc3339(text.trim())
        .ok()
        .map(|time| time.timestamp_micros())
}

fn seconds(raw: Option<&RawValue>) -> Option<i64> {
    number(raw)?.checked_mul(1_000_000)
}

fn milliseconds(raw: Option<&RawValue>) -> Option<i64> {
    number(raw)?.checked_mul(1000)
}

/// A whole number, also in quotation marks or with a fraction, which is cut.
fn number(raw: Option<&RawValue>) -> Option<i64> {
    let text = scalar(raw?.get())?;
    text.parse()
        .ok()
        .or_else(|| text.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::Probe;
    use crate::model::{LogType, RowShape};

    fn probe(log_type: LogType, text: &str) -> Probe<'_> {
        super::probe(log_type, text, serde_json::from_str(text).ok())
    }

    fn time(log_type: LogType, text: &str) -> Option<i64> {
        probe(log_type, text).time_micros
    }

    #[test]
    fn each_log_has_its_own_time() {
        let iso = r#"{"isotimestamp":"2026-11-22T11:55:01.234567+00:00","timestamp":1795348501}"#;
        assert_eq!(
            time(LogType::Authentication, iso),
            Some(1_795_348_501_234_567)
        );
        let seconds = r#"{"isotimestamp":"2026-11-22T11: 55: 01+00: 00","timestamp":1795348501}"#;
        assert_eq!(
            time(LogType::Authentication, seconds),
            Some(1_795_348_501_000_000)
        );
        assert_eq!(
            time(LogType::Administrator, seconds),
            Some(1_795_348_501_000_000)
        );
        let ts = r#"{"ts":"2026-11-22T11:55:01.234567+00:00"}"#;
        assert_eq!(time(LogType::Activity, ts), Some(1_795_348_501_234_567));
        assert_eq!(time(LogType::Telephony, ts), Some(1_795_348_501_234_567));
        let surfaced = r#"{"surfaced_timestamp":1795348501680}"#;
        assert_eq!(
            time(LogType::TrustMonitor, surfaced),
            Some(1_795_348_501_680_000)
        );
    }

    #[test]
    fn times_of_another_type_are_read_where_they_can_be() {
        for timestamp in ["\"1795348501\"", "1795348501.9", "1795348501"] {
            let text = format!("{{\"timestamp\":{timestamp}}}");
            assert_eq!(
                time(LogType::Administrator, &text),
                Some(1_795_348_501_000_000),
                "{text}"
            );
        }
        for timestamp in [
            "null",
            "[]",
            "{}",
            "true",
            "\"\"",
            "1e999",
            "99999999999999999999",
        ] {
            let text = format!("{{\"timestamp\":{timestamp}}}");
            assert_eq!(time(LogType::Administrator, &text), None, "{text}");
        }
    }

    #[test]
    fn only_true_and_false_are_put_in_quotation_marks() {
        let text = r#"{"access_device":{"is_encryption_enabled":true,"is_firewall_enabled":"unknown","is_password_set": false},
            "surfaced_auth":{"access_device":{"is_password_set":false}},"is_password_set":true}"#;
        let RowShape::Object(parts) = probe(LogType::TrustMonitor, text).shape else {
            panic!()
        };
        let parts: Vec<&str> = parts.into_iter().map(|part| &text[part]).collect();
        assert_eq!(parts, ["true", "false", "false"]);
    }

    #[test]
    fn an_access_device_of_another_type_is_left_alone() {
        for device in [
            "null",
            "\"unknown\"",
            "\"\\ud800\"",
            "[1]",
            "{\"is_password_set\":1}",
            "{\"is_password_set\":true,\"is_password_set\":true}",
            "{\"\\ud800\":1,\"is_password_set\":true}",
        ] {
            let text = format!("{{\"activity_id\":\"a\",\"access_device\":{device}}}");
            let probe = probe(LogType::Activity, &text);
            assert_eq!(probe.id.as_deref(), Some("a"), "{text}");
            assert!(
                matches!(probe.shape, RowShape::Object(parts) if parts.is_empty()),
                "{text}"
            );
        }
    }

    #[test]
    fn records_that_cannot_be_rows_are_wrapped() {
        for text in [
            "\"text\"",
            "[{}]",
            "null",
            // As many members as there are fields.
            "[null,null,null,null,null,null,null,null,null,null,1,1,1,1,1,1,1,1,1,1]",
            "[null,null,null,null,null,null,null,null,null,null]",
            r#"{"a":1,"tenant":2}"#,
            r#"{"event_uid":1}"#,
            r#"{"host":1}"#,
            r#"{"TimeGenerated":null}"#,
        ] {
            assert!(
                matches!(probe(LogType::Activity, text).shape, RowShape::Wrapped),
                "{text}"
            );
        }
    }
}
