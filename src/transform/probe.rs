//! The parsed fields of a record.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _};
use serde::Deserialize;

use super::content::Reading;
use super::fields::Fields;
use crate::model::{LogType, RowShape};

/// Identity, time and shape of a record.
#[derive(Default)]
pub(super) struct Probe<'a> {
    /// Duo's id, if the record has one.
    pub(super) id: Option<Cow<'a, str>>,
    /// Event time in microseconds since 1970.
    pub(super) time_micros: Option<i64>,
    /// Action, username, object and description, unparsed: the identity of an event without an id.
    pub(super) action: [Option<&'a str>; 4],
    pub(super) shape: RowShape,
}

impl<'a> Probe<'a> {
    /// Parses a record; wraps it if it is not an object, or has a reserved, duplicate or
    /// non-Unicode field name.
    pub(super) fn new(log_type: LogType, reading: &Reading<'a>) -> Self {
        Self::of_object(log_type, reading).unwrap_or_default()
    }

    fn of_object(log_type: LogType, reading: &Reading<'a>) -> Option<Self> {
        let &Fields {
            id_field,
            id,
            isotimestamp,
            ts,
            timestamp,
            surfaced_timestamp,
            action,
            has_reserved,
            is_ambiguous,
        } = reading.fields.as_ref()?;
        if is_ambiguous {
            return None;
        }
        let iso_time = iso(isotimestamp);
        // Records of one transaction differ only in time; whole seconds are too coarse.
        let id = id.filter(|_| id_field != Some("txid") || iso_time.is_some());
        // The most precise time first; the v1 logs' `isotimestamp` is sometimes malformed.
        let time_micros = match log_type {
            LogType::Administrator | LogType::OfflineEnrollment => seconds(timestamp).or(iso_time),
            LogType::TrustMonitor => milliseconds(surfaced_timestamp),
            LogType::Activity | LogType::Telephony => iso(ts),
            LogType::Authentication => iso_time.or_else(|| seconds(timestamp)),
        };
        // A stored time has a year of four digits, and so must the hours next to it.
        let year = |micros| DateTime::from_timestamp_micros(micros).map(|time| time.year());
        let time_micros = time_micros.filter(|micros| matches!(year(*micros), Some(1..=9998)));
        let shape =
            if has_reserved { RowShape::Wrapped } else { RowShape::Object(reading.truths.clone()) };
        Some(Self { id: id.and_then(scalar), time_micros, action: action.map(not_null), shape })
    }
}

fn not_null(value: Option<&str>) -> Option<&str> {
    value.filter(|value| *value != "null")
}

/// A string or number as text; `None` if empty.
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

fn iso(raw: Option<&str>) -> Option<i64> {
    let text = scalar(raw?)?;
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| time.timestamp_micros())
}

fn seconds(raw: Option<&str>) -> Option<i64> {
    number(raw)?.checked_mul(1_000_000)
}

fn milliseconds(raw: Option<&str>) -> Option<i64> {
    number(raw)?.checked_mul(1000)
}

/// A whole number, possibly in quotation marks; a fraction is dropped.
fn number(raw: Option<&str>) -> Option<i64> {
    let text = scalar(raw?)?;
    text.parse().ok().or_else(|| text.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{Fields, Probe};
    use crate::json::Scanner;
    use crate::model::{LogType, RowShape};
    use crate::schema::Node;
    use crate::transform::content::read;

    fn probe(log_type: LogType, text: &str) -> Probe<'_> {
        let fields = Fields::of(log_type);
        Probe::new(log_type, &read(&mut Scanner::new(text), fields, Some(Node::root())).unwrap())
    }

    fn time(log_type: LogType, text: &str) -> Option<i64> {
        probe(log_type, text).time_micros
    }

    #[test]
    fn each_log_has_its_own_time() {
        let iso = r#"{"isotimestamp":"2026-11-22T11:55:01.234567+00:00","timestamp":1795348501}"#;
        assert_eq!(time(LogType::Authentication, iso), Some(1_795_348_501_234_567));
        let seconds = r#"{"isotimestamp":"2026-11-22T11: 55: 01+00: 00","timestamp":1795348501}"#;
        assert_eq!(time(LogType::Authentication, seconds), Some(1_795_348_501_000_000));
        assert_eq!(time(LogType::Administrator, seconds), Some(1_795_348_501_000_000));
        let ts = r#"{"ts":"2026-11-22T11:55:01.234567+00:00"}"#;
        assert_eq!(time(LogType::Activity, ts), Some(1_795_348_501_234_567));
        assert_eq!(time(LogType::Telephony, ts), Some(1_795_348_501_234_567));
        let surfaced = r#"{"surfaced_timestamp":1795348501680}"#;
        assert_eq!(time(LogType::TrustMonitor, surfaced), Some(1_795_348_501_680_000));
    }

    #[test]
    fn times_of_another_type_are_parsed_if_possible() {
        for timestamp in ["\"1795348501\"", "1795348501.9", "1795348501"] {
            let text = format!("{{\"timestamp\":{timestamp}}}");
            assert_eq!(time(LogType::Administrator, &text), Some(1_795_348_501_000_000), "{text}");
        }
        // The years 9999 and 0 are out of range.
        for timestamp in ["null", "[]", "{}", "\"\"", "1e999", "253370764800", "-62135596801"] {
            let text = format!("{{\"timestamp\":{timestamp}}}");
            assert_eq!(time(LogType::Administrator, &text), None, "{text}");
        }
    }

    #[test]
    fn only_true_and_false_are_quoted() {
        let text = r#"{"access_device":{"is_encryption_enabled":true,"is_firewall_enabled":"unknown","is_password_set": false},
            "surfaced_auth":{"access_device":{"is_password_set":false}},"is_password_set":true}"#;
        let RowShape::Object(parts) = probe(LogType::TrustMonitor, text).shape else { panic!() };
        let parts: Vec<&str> = parts.into_iter().map(|part| &text[part]).collect();
        assert_eq!(parts, ["true", "false", "false"]);
    }

    #[test]
    fn an_access_device_of_another_type_is_not_changed() {
        for device in [
            "null",
            "\"unknown\"",
            "\"\\ud800\"",
            "[1]",
            "[true,false,true]",
            "{\"is_password_set\":1}",
            "{\"access_device\":{\"is_password_set\":true}}",
            "[{\"is_password_set\":true}]",
        ] {
            let text = format!("{{\"activity_id\":\"a\",\"access_device\":{device}}}");
            let probe = probe(LogType::Activity, &text);
            assert_eq!(probe.id.as_deref(), Some("a"), "{text}");
            assert!(matches!(probe.shape, RowShape::Object(parts) if parts.is_empty()), "{text}");
        }
    }

    #[test]
    fn records_that_cannot_be_converted_to_columns_are_wrapped() {
        for text in [
            "\"text\"",
            "[{}]",
            "null",
            r#"{"a":1,"tenant":2}"#,
            r#"{"event_uid":1}"#,
            r#"{"host":1}"#,
            r#"{"TimeGenerated":null}"#,
            r#"{"ts":null,"a":1,"t\u0073":1}"#,
            r#"{"\ud800":1}"#,
        ] {
            assert!(matches!(probe(LogType::Activity, text).shape, RowShape::Wrapped), "{text}");
        }
    }
}
