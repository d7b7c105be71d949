//! The identity of a record: the same for the same event whenever and wherever it is read.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::probe::Probe;
use super::scan::{Members, members, unescaped};
use crate::model::{LogType, RecordKey};

/// Depth to which the keys of objects are sorted. Duo's records have four levels.
const DEEPEST: usize = 8;

/// Gives the records of one response their keys.
#[derive(Debug)]
pub(super) struct Identities<'a> {
    log_type: LogType,
    /// The account: its API hostname.
    host: &'a str,
    /// How often each record without an id was met: two identical records in one second are two events.
    met: HashMap<[u8; 32], u32>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(log_type: LogType, host: &'a str) -> Self {
        Self {
            log_type,
            host,
            met: HashMap::new(),
        }
    }

    /// The key of a record: account, log, Duo's id and the event's time, the pair Duo itself pages by; without an id the time,
    /// action, user, object and description, with the number of the record among identical ones.
    pub(super) fn of(
        &mut self,
        text: &str,
        members: Option<Members<'_>>,
        probe: &Probe<'_>,
    ) -> RecordKey {
        let content = content_hash(text, members);
        let mut hash = Sha256::new();
        for part in [self.host, "\n", self.log_type.as_str()] {
            hash.update(part);
        }
        let time = probe.time_micros.map(i64::to_be_bytes);
        if let (Some(id), Some(time)) = (&probe.id, time) {
            hash.update("\nid\n");
            hash.update(id.as_bytes());
            hash.update(time);
        } else {
            let count = self.met.entry(content).or_insert(0);
            hash.update("\naction\n");
            hash.update(time.unwrap_or_default());
            for part in probe.action {
                add_value(&mut hash, part.unwrap_or_default(), DEEPEST);
                hash.update("\n");
            }
            hash.update(count.to_be_bytes());
            *count += 1;
        }
        let uid = hash.finalize();
        RecordKey {
            uid: *uid.first_chunk().expect("a SHA-256 has 32 bytes"),
            content: *content.first_chunk().expect("a SHA-256 has 32 bytes"),
        }
    }
}

/// A hash that does not change when Duo changes the order of keys or the white space between them.
fn content_hash(text: &str, members: Option<Members<'_>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    match members {
        Some(members) => add_members(&mut hash, members, DEEPEST),
        None => add_value(&mut hash, text, DEEPEST),
    }
    hash.finalize().into()
}

/// Adds a value: the members of an object by their names, anything else as it is spelled.
fn add_value(hash: &mut Sha256, value: &str, depth: usize) {
    match value.as_bytes().first() {
        Some(b'{') if depth > 0 => {
            add_members(hash, members(value).unwrap_or_default(), depth);
        }
        // Objects in arrays are rare, and so is white space in arrays.
        Some(b'[') if value.contains('{') || value.contains(char::is_whitespace) => {
            hash.update(sorted_text(value, depth));
        }
        _ => hash.update(value),
    }
}

fn add_members(hash: &mut Sha256, mut members: Members<'_>, depth: usize) {
    members.sort_by_key(|(name, _)| *name);
    hash.update("{");
    for (name, value) in members {
        hash.update(name);
        hash.update(":");
        add_value(hash, value, depth - 1);
        hash.update(",");
    }
    hash.update("}");
}

/// The text of an array with the keys of its objects sorted. Texts, numbers and what is deeper than `depth` stay as they are
/// spelled.
fn sorted_text(text: &str, depth: usize) -> String {
    let deeper = |value| sorted_text(value, depth - 1);
    let parts: Vec<String> = match text.as_bytes().first() {
        Some(b'{') if depth > 0 => {
            let members = members(text).unwrap_or_default().into_iter();
            let mut members: Vec<(Bytes, &str)> = members
                .map(|(name, value)| (Bytes::copy_from_slice(&unescaped(name)), value))
                .collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            let members = members.into_iter();
            members
                .map(|(name, value)| format!("{name:?}:{}", deeper(value)))
                .collect()
        }
        Some(b'[') if depth > 0 => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(values) => values
                .into_iter()
                .map(|value| deeper(value.get()))
                .collect(),
            Err(_) => return text.to_owned(),
        },
        _ => return text.to_owned(),
    };
    // With both brackets: nesting is a part of what a record says.
    let (open, close) = (&text[..1], &text[text.len() - 1..]);
    format!("{open}{}{close}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use crate::model::{IngestionApi, LogType, RecordKey};
    use crate::transform::read_records;

    fn ids(log_type: LogType, texts: &[&str]) -> Vec<RecordKey> {
        let records = read_records(
            log_type,
            "api-x.duosecurity.com",
            IngestionApi::DataCollector,
            texts.iter().copied(),
        );
        records.into_iter().map(|record| record.key).collect()
    }

    #[test]
    fn one_txid_at_two_times_is_two_events_and_another_content_is_another_record_of_one() {
        let ids = ids(
            LogType::Authentication,
            &[
                r#"{"txid":"a","isotimestamp":"2026-11-22T11:55:01.234567+00:00"}"#,
                r#"{"txid":"a","isotimestamp":"2026-11-22T11:55:01.234568+00:00"}"#,
                r#"{"result":"denied","isotimestamp":"2026-11-22T11:55:01.234567+00:00","txid":"a"}"#,
            ],
        );
        assert_ne!(ids[0].uid, ids[1].uid);
        assert_eq!(ids[0].uid, ids[2].uid);
        assert_ne!(ids[0].content, ids[2].content);
    }

    #[test]
    fn two_records_of_a_txid_without_a_fine_time_stay_two_events() {
        let ids = ids(
            LogType::Authentication,
            &[
                r#"{"txid":"a","result":"denied","isotimestamp":null,"timestamp":1795348501}"#,
                r#"{"txid":"a","result":"success","isotimestamp":null,"timestamp":1795348501}"#,
            ],
        );
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn the_same_id_in_two_accounts_is_two_events() {
        let text = r#"{"activity_id":"a","ts":"2026-11-22T11:55:01Z"}"#;
        let key = |host| {
            crate::transform::read_record(
                LogType::Activity,
                host,
                IngestionApi::DataCollector,
                text,
            )
            .key
        };
        let keys = ["api-1.duosecurity.com", "api-2.duosecurity.com"].map(key);
        assert_ne!(keys[0].uid, keys[1].uid);
        assert_eq!(keys[0].content, keys[1].content);
    }

    #[test]
    fn a_changed_record_without_an_id_keeps_its_uid_where_action_and_time_stay() {
        let page = ids(
            LogType::Administrator,
            &[
                r#"{"action":"a","timestamp":1795347000,"username":"u","object":"o","description":"d","isotimestamp":"x"}"#,
                r#"{"action":"a","timestamp":1795347000,"username":"u","object":"o","description":"d","isotimestamp":"y"}"#,
                r#"{"action":"a","timestamp":1795347000,"username":"u","object":"o","description":"e","isotimestamp":"x"}"#,
            ],
        );
        assert_eq!(page[0].uid, page[1].uid);
        assert_ne!(page[0].content, page[1].content);
        assert_ne!(page[0].uid, page[2].uid);
    }

    #[test]
    fn the_same_id_in_two_logs_is_two_events() {
        let text = [
            r#"{"txid":"a","telephony_id":"a","ts":"2026-11-22T11:55:01Z","isotimestamp":"2026-11-22T11:55:01Z"}"#,
        ];
        assert_ne!(
            ids(LogType::Authentication, &text),
            ids(LogType::Telephony, &text)
        );
    }

    #[test]
    fn identical_records_without_an_id_are_counted_and_key_order_does_not_matter() {
        let one = r#"{"action":"admin_login","timestamp":1795347000,"object":null}"#;
        let same = r#"{ "timestamp":1795347000, "object":null, "action":"admin_login"}"#;
        let page = ids(LogType::Administrator, &[one, same, one]);
        assert!(page[0] != page[1] && page[1] != page[2] && page[0] != page[2]);
        assert_eq!(page, ids(LogType::Administrator, &[same, one, same]));
    }

    #[test]
    fn key_order_does_not_matter_where_a_record_holds_what_no_value_can() {
        let one = r#"{"action":"admin_login","object":{"name":"\ud800","size":[1e999, {"a":1,"b":2}]},"timestamp":1}"#;
        let same = r#"{"timestamp":1, "object":{"size":[1e999,{ "b":2,"a":1 }],"name":"\ud800"},"action":"admin_login"}"#;
        let other = one.replace("\\ud800", "\\ud801");
        let page = ids(LogType::Administrator, &[one, &other]);
        assert_ne!(page[0], page[1]);
        assert_eq!(page, ids(LogType::Administrator, &[same, &other]));
        for [one, other] in [
            [r#"{"a":{"b":1},"c":1e999}"#, r#"{"a":{"b":1,"c":1e999}}"#],
            [r#"{"a":[[1],1e999]}"#, r#"{"a":[[1,1e999]]}"#],
        ] {
            let ids = |text| ids(LogType::Administrator, &[text]);
            assert_ne!(ids(one), ids(other));
        }
    }

    #[test]
    fn records_that_are_no_objects_have_an_identity_too() {
        let page = ids(LogType::Activity, &["null", "\"\\ud800\"", "[1]", "null"]);
        let distinct: std::collections::HashSet<_> = page.iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
