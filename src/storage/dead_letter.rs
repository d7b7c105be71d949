//! The stored form of a dead letter: the original record, and why its row is incomplete or missing.

use serde::{Deserialize, Serialize};

use super::{Document, Header};
use crate::model::{LogType, Millis, Record};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeadLetter {
    #[serde(flatten)]
    header: Header,
    pub log_type: LogType,
    /// `event_uid` of its row, in hexadecimal digits.
    pub event_uid: String,
    pub event_content: String,
    /// Event time; `None` if the record has no valid time.
    pub event_time: Option<Millis>,
    pub when: Millis,
    pub why: Why,
    /// Duo's text.
    pub original: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub(crate) enum Why {
    /// Values exceed the limits of the ingestion API; the row was delivered with truncated values.
    Oversized {
        /// The fields, named like their columns, without the suffix.
        fields: Vec<String>,
    },
    /// Azure Monitor refused the record even alone, and accepted another one.
    Refused {
        status: Option<u16>,
        /// The error code, if known; never the message, which may quote the record.
        code: Option<String>,
    },
}

impl DeadLetter {
    pub(crate) fn new(log_type: LogType, record: &Record, when: Millis, why: Why) -> Self {
        Self {
            header: Header::default(),
            log_type,
            event_uid: hex::encode(record.key.uid),
            event_content: hex::encode(record.key.content),
            event_time: record.time(),
            when,
            why,
            original: record.text().to_owned(),
        }
    }

    /// Whether both have the same record and reason, regardless of when they were stored.
    pub(crate) fn has_content_of(&self, other: &Self) -> bool {
        (self.log_type, &self.event_uid, &self.why, &self.original)
            == (other.log_type, &other.event_uid, &other.why, &other.original)
    }
}

impl Document for DeadLetter {}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DeadLetter, Why};
    use crate::model::{LogType, Millis, Record};
    use crate::storage::Document as _;

    fn letter(why: Why) -> DeadLetter {
        let original = "{\"name\":\"\\ud800 \\u0001é\", \"n\":1.0e2}".to_owned();
        let when = Millis(1_795_348_800_000);
        let record = Record {
            range: 0..original.len(),
            page: std::sync::Arc::new(original),
            ..Record::default()
        };
        DeadLetter::new(LogType::Activity, &record, when, why)
    }

    #[test]
    fn a_dead_letter_keeps_duos_text_in_a_round_trip() {
        for why in [
            Why::Oversized { fields: vec!["action_details".to_owned()] },
            Why::Refused { status: Some(400), code: Some("InvalidDataFormat".to_owned()) },
            Why::Refused { status: None, code: None },
        ] {
            let letter = letter(why);
            assert_eq!(DeadLetter::from_json(&letter.to_json()).unwrap(), letter);
        }
    }

    #[test]
    fn dead_letters_are_compared_without_the_time_of_storing() {
        let truncated = || Why::Oversized { fields: vec!["action_details".to_owned()] };
        let first = letter(truncated());
        let changed = |change: fn(&mut DeadLetter)| {
            let mut other = letter(truncated());
            change(&mut other);
            first.has_content_of(&other)
        };
        assert!(changed(|letter| letter.when = Millis(0)));
        assert!(!changed(|letter| letter.log_type = LogType::Telephony));
        assert!(!changed(|letter| letter.event_uid.push('c')));
        assert!(!changed(|letter| letter.original.push(' ')));
        let refused = letter(Why::Refused { status: None, code: None });
        assert!(!first.has_content_of(&refused));
    }

    #[test]
    fn the_stored_form_is_the_documented_one() {
        let stored = letter(Why::Refused { status: Some(400), code: None });
        let stored: Value = serde_json::from_slice(&stored.to_json()).unwrap();
        let expected = json!({
            "version": 1, "min_reader": 1, "log_type": "activity", "event_uid": "00".repeat(20), "event_content": "00000000", "event_time": null,
            "when": "2026-11-22T12:00:00.000Z", "why": {"reason": "refused", "status": 400, "code": null},
            "original": "{\"name\":\"\\ud800 \\u0001é\", \"n\":1.0e2}",
        });
        assert_eq!(stored, expected);
    }
}
