//! The identity of a record: the same for the same event whenever and wherever it is read.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::content::{Content, content};
use super::probe::Probe;
use crate::model::{LogType, RecordKey};

/// Gives the records of one response their keys.
#[derive(Debug)]
pub(super) struct Identities<'a> {
    log_type: LogType,
    /// The account: its API hostname.
    host: &'a str,
    /// How often each record without an id was met: two identical records in one second are two events.
    met: HashMap<Content, u32>,
}

impl<'a> Identities<'a> {
    pub(super) fn new(log_type: LogType, host: &'a str) -> Self {
        Self { log_type, host, met: HashMap::new() }
    }

    /// The key of a record: account, log, Duo's id and the event's time, the pair Duo itself pages by; without an id the time,
    /// action, user, object and description, with the number of the record among identical ones.
    pub(super) fn of(&mut self, record: Content, probe: &Probe<'_>) -> RecordKey {
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
            let count = self.met.entry(record).or_insert(0);
            hash.update("\naction\n");
            hash.update(time.unwrap_or_default());
            for part in probe.action {
                hash.update(content(part.unwrap_or_default()).to_be_bytes());
            }
            hash.update(count.to_be_bytes());
            *count += 1;
        }
        let uid = hash.finalize();
        RecordKey {
            uid: *uid.first_chunk().expect("a SHA-256 has 32 bytes"),
            content: *record.to_be_bytes().first_chunk().expect("a hash has 8 bytes"),
        }
    }
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
        assert_ne!(ids(LogType::Authentication, &text), ids(LogType::Telephony, &text));
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
