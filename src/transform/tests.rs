//! The identity of a record.

use crate::model::{IngestionApi, LogType, RecordKey};
use crate::transform::{read_record, read_records};

fn ids(log_type: LogType, texts: &[&str]) -> Vec<RecordKey> {
    let records = read_records(
        log_type,
        "api-x.duosecurity.com",
        IngestionApi::DataCollector,
        texts.iter().copied(),
    );
    records.into_iter().map(|record| record.key).collect()
}

/// Pairs of records with equal or different uids; their contents always differ.
#[test]
fn a_uid_is_derived_from_id_and_time_or_from_time_and_action() {
    let administrator = |description: &str, time: &str| {
        format!(
            r#"{{"action":"a","timestamp":1795347000,"username":"u","object":"o","description":"{description}","isotimestamp":"{time}"}}"#
        )
    };
    let txid = |time: &str| format!(r#"{{"txid":"a","isotimestamp":"{time}+00:00"}}"#);
    let denied =
        r#"{"result":"denied","isotimestamp":"2026-11-22T11:55:01.234567+00:00","txid":"a"}"#;
    let one_second = |result: &str| {
        format!(r#"{{"txid":"a","result":"{result}","isotimestamp":null,"timestamp":1795348501}}"#)
    };
    let (one, later) = (txid("2026-11-22T11:55:01.234567"), txid("2026-11-22T11:55:01.234568"));
    let whole = administrator("d", "x");
    for (why, log_type, one, other, is_one_uid) in [
        ("two times", LogType::Authentication, &one, &later, false),
        ("another content", LogType::Authentication, &one, &denied.to_owned(), true),
        (
            "no fine time",
            LogType::Authentication,
            &one_second("denied"),
            &one_second("success"),
            true,
        ),
        ("without an id", LogType::Administrator, &whole, &administrator("d", "y"), true),
        ("another action", LogType::Administrator, &whole, &administrator("e", "x"), false),
    ] {
        let ids = ids(log_type, &[one, other]);
        assert_eq!(ids[0].uid == ids[1].uid, is_one_uid, "{why}");
        assert_ne!(ids[0].content, ids[1].content, "{why}");
    }
}

#[test]
fn equal_ids_in_two_accounts_or_logs_are_two_events() {
    let text = r#"{"txid":"a","activity_id":"a","ts":"2026-11-22T11:55:01Z","isotimestamp":"2026-11-22T11:55:01Z"}"#;
    let key = |log_type, host| read_record(log_type, host, IngestionApi::DataCollector, text).key;
    let one = key(LogType::Activity, "api-1.duosecurity.com");
    for other in [
        key(LogType::Activity, "api-2.duosecurity.com"),
        key(LogType::Authentication, "api-1.duosecurity.com"),
    ] {
        assert_ne!(one.uid, other.uid);
        assert_eq!(one.content, other.content);
    }
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
fn key_order_does_not_matter_with_values_that_serde_json_cannot_represent() {
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
fn records_other_than_objects_have_an_identity() {
    let page = ids(LogType::Activity, &["null", "\"\\ud800\"", "[1]", "null"]);
    let distinct: std::collections::HashSet<_> = page.iter().collect();
    assert_eq!(distinct.len(), 4);
}
