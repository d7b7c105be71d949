//! The identity of a row: the same for the same event whenever and wherever it is read.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::cut::Members;
use super::probe::Probe;
use crate::model::LogType;
use crate::sync::RowId;

/// Objects and arrays in one another that are sorted where the record as a whole cannot be. Each costs a reading of the
/// record; Duo's have four of them.
const DEEPEST: usize = 8;

/// Gives the records of one page their identities.
#[derive(Debug)]
pub(super) struct Identities<'a> {
    log_type: LogType,
    host: &'a str,
    /// How often each content was met: two identical records in one second are two events.
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

    /// Duo's id with the event's time, the pair Duo itself pages by; without an id the content of the record,
    /// with a count.
    pub(super) fn of(&mut self, text: &str, probe: &Probe<'_>) -> RowId {
        let mut hash = Sha256::new();
        hash.update(self.log_type.as_str());
        if let (Some(id), Some(time)) = (&probe.id, probe.time_micros) {
            hash.update("\nid\n");
            hash.update(id.as_bytes());
            hash.update("\n");
            hash.update(time.to_string());
        } else {
            let content = content_hash(text);
            let count = self.met.entry(content).or_insert(0);
            hash.update("\ncontent\n");
            hash.update(self.host);
            hash.update("\n");
            hash.update(content);
            hash.update(count.to_string());
            *count += 1;
        }
        let hash: [u8; 32] = hash.finalize().into();
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _] = hash;
        id
    }
}

/// A hash that does not change when Duo changes the order of keys or the blanks between them.
fn content_hash(text: &str) -> [u8; 32] {
    // Keys of a `Value` are sorted.
    let sorted = serde_json::from_str::<Value>(text).map(|value| value.to_string());
    Sha256::digest(sorted.unwrap_or_else(|_| sorted_text(text, DEEPEST))).into()
}

/// The same for what no `Value` can hold: a lone surrogate, a number without end. Keys are sorted; texts and numbers, and
/// what lies deeper than `depth`, stay as they stand.
fn sorted_text(text: &str, depth: usize) -> String {
    let deeper = |value: &RawValue| sorted_text(value.get(), depth - 1);
    let parts: Option<Vec<String>> = match text.as_bytes().first() {
        Some(b'{') if depth > 0 => {
            let members = serde_json::from_str(text).ok();
            members.map(|Members(mut members)| {
                members.sort_by(|(left, _), (right, _)| left.cmp(right));
                let members = members.into_iter();
                members
                    .map(|(key, value)| format!("{key:?}:{}", deeper(value)))
                    .collect()
            })
        }
        Some(b'[') if depth > 0 => {
            let values = serde_json::from_str::<Vec<&RawValue>>(text).ok();
            values.map(|values| values.into_iter().map(deeper).collect())
        }
        _ => None,
    };
    parts.map_or_else(
        || text.to_owned(),
        // With both brackets: nesting is a part of what a record says.
        |parts| {
            format!(
                "{}{}{}",
                &text[..1],
                parts.join(","),
                &text[text.len() - 1..]
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::model::LogType;
    use crate::sync::RowId;
    use crate::transform::read_records;

    fn ids(log_type: LogType, texts: &[&str]) -> Vec<RowId> {
        let records = read_records(
            log_type,
            "api-x.duosecurity.com",
            crate::model::IngestionApi::DataCollector,
            texts.iter().copied(),
        );
        records.into_iter().map(|record| record.id).collect()
    }

    #[test]
    fn one_txid_at_two_times_is_two_events_and_the_rest_of_the_record_does_not_matter() {
        let ids = ids(
            LogType::Authentication,
            &[
                r#"{"txid":"a","isotimestamp":"2026-11-22T11:55:01.234567+00:00"}"#,
                r#"{"txid":"a","isotimestamp":"2026-11-22T11:55:01.234568+00:00"}"#,
                r#"{"result":"denied","isotimestamp":"2026-11-22T11:55:01.234567+00:00","txid":"a"}"#,
            ],
        );
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[0], ids[2]);
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
