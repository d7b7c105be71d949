use std::sync::Arc;

use super::parse_page;
use crate::json::{NotJson, Scanner};
use crate::model::{LogType, PageResponse, Record};

/// Keeps only the texts.
fn read(page: &Arc<String>, scanner: &mut Scanner<'_>) -> Result<Option<Record>, NotJson> {
    let (page, begin) = (Arc::clone(page), scanner.at());
    scanner.value()?;
    Ok(Some(Record { page, range: begin..scanner.at(), ..Record::default() }))
}

fn page(log_type: LogType, body: &str) -> Result<PageResponse, String> {
    parse_page(&log_type.spec(), body.as_bytes().to_vec(), read)
}

fn texts(page: &PageResponse) -> Vec<&str> {
    page.records.iter().map(Record::text).collect()
}

fn metadata(next_offset: &str, total: &str) -> PageResponse {
    let body = format!(
        "{{\"stat\":\"OK\",\"response\":{{\"items\":[],\"metadata\":{{\"next_offset\":{next_offset},\"total_objects\":{total}}}}}}}"
    );
    page(LogType::Activity, &body).unwrap()
}

#[test]
fn records_keep_duos_text() {
    let body =
        r#"{"response": {"metadata": {}, "authlogs": [ {"a" : 1.0e2} , "x", null]}, "stat": "OK"}"#;
    let page = page(LogType::Authentication, body).unwrap();
    assert_eq!(texts(&page), [r#"{"a" : 1.0e2}"#, "\"x\"", "null"]);
    assert_eq!((page.cursor, page.total), (None, None));
}

#[test]
fn records_of_every_form_are_split() {
    let plain = [r#"{"a":1}"#, r#"{ "a" : {"b":[{"c":"},{"}]} }"#, r#"{"a":"\u007d, \"{"}"#];
    let unusual = ["{}", "7", "\"{\"", r#"{"\u0061":1}"#, "[{}]"];
    for unusual in [None].into_iter().chain(unusual.map(Some)) {
        let members: Vec<&str> = plain.into_iter().chain(unusual).collect();
        for separator in [",", " ,\n "] {
            let body = format!("{{\"stat\":\"OK\",\"response\":[ {} ]}}", members.join(separator));
            let page = page(LogType::Administrator, &body).unwrap();
            assert_eq!(texts(&page), members, "{body}");
        }
    }
}

#[test]
fn cursors_of_every_form_become_one_text() {
    let cursor = |form| metadata(form, "null").cursor;
    assert_eq!(cursor(r#"["1795348861234","txid"]"#).unwrap(), "1795348861234,txid");
    assert_eq!(cursor(r#"[1795348861234,"txid"]"#).unwrap(), "1795348861234,txid");
    assert_eq!(cursor("\"31229\"").unwrap(), "31229");
    assert_eq!(cursor("2").unwrap(), "2");
    assert_eq!(cursor("null"), None);
    assert_eq!(cursor("\"\""), None);
    assert_eq!(cursor("[]"), None);
}

#[test]
fn metadata_may_be_null_or_beside_the_response() {
    let null = r#"{"stat":"OK","response":{"events":[],"metadata":null}}"#;
    assert_eq!(page(LogType::TrustMonitor, null).unwrap().cursor, None);
    let beside = r#"{"stat":"OK","response":{"events":[]},"metadata":{"next_offset":7}}"#;
    assert_eq!(page(LogType::TrustMonitor, beside).unwrap().cursor.unwrap(), "7");
}

#[test]
fn only_an_exact_count_is_a_count() {
    let total = |form| metadata("null", form).total;
    assert_eq!(total("12"), Some(12));
    assert_eq!(total(r#"{"relation":"eq","value":12}"#), Some(12));
    assert_eq!(total(r#"{"relation":"gte","value":10000}"#), None);
    assert_eq!(total("null"), None);
    assert_eq!(total("\"12\""), None);
}

#[test]
fn a_lone_surrogate_and_a_huge_number_do_not_fail_the_page() {
    let body = r#"{"stat":"OK","response":[{"username":"\ud800"},{"n":1e999},{"n":123456789012345678901234567890}]}"#;
    assert_eq!(page(LogType::Administrator, body).unwrap().records.len(), 3);
}

#[test]
fn invalid_utf8_affects_one_character_only() {
    let body = b"{\"stat\":\"OK\",\"response\":[{\"username\":\"a\xffb\"}]}".to_vec();
    let page = parse_page(&LogType::Administrator.spec(), body, read).unwrap();
    assert_eq!(page.records[0].text(), "{\"username\":\"a\u{fffd}b\"}");
}

#[test]
fn the_error_for_a_wrong_envelope_says_what_is_wrong() {
    let structure = "JSON of another structure";
    for (log_type, body, expected) in [
        (LogType::Administrator, r#"{"stat":"OK"}"#, "there is no \"response\""),
        (LogType::Administrator, r#"{"stat":"OK","response":{}}"#, structure),
        (LogType::Administrator, r#"{"stat":"OK","response":null}"#, structure),
        (LogType::Activity, r#"{"stat":"OK"}"#, "\"response\" has no \"items\""),
        (LogType::Activity, r#"{"stat":"OK","response":{}}"#, "\"response\" has no \"items\""),
        (
            LogType::Activity,
            r#"{"stat":"OK","response":{"items":{}}}"#,
            "\"response\" has no \"items\"",
        ),
        (LogType::Activity, r#"{"stat":"OK","response":"items"}"#, structure),
        (LogType::Activity, r#"{"stat":"OK","response":7}"#, structure),
        (LogType::Activity, r#"{"response":{"items":[]}}"#, "\"stat\" is not \"OK\""),
        (LogType::Activity, "[]", structure),
        (LogType::Activity, "access denied", "Syntax at line 1, column 1 of 13 bytes"),
    ] {
        let error = page(log_type, body).unwrap_err();
        assert!(error.contains(expected), "{body}: {error}");
    }
}

#[test]
fn the_error_for_a_wrong_envelope_does_not_quote_it() {
    let wrong = [
        (LogType::Authentication, r#"{"stat":"OK","response":[{"user":"hunter2"}]}"#),
        (LogType::Authentication, r#"{"stat":"OK","response":{"items":["hunter2"]}}"#),
        (LogType::Administrator, r#"{"stat":"OK","response":{"authlogs":["hunter2"]}}"#),
        (LogType::Administrator, r#"{"stat":"FAIL","response":["hunter2"]}"#),
        (LogType::Activity, r#"{"stat":"OK","response":{"items":[{"hunter2":1}"#),
        (
            LogType::Activity,
            r#"{"stat":"OK","response":{"items":[],"metadata":{"next_offset":{"hunter2":1}}}}"#,
        ),
        (LogType::Activity, r#"{"stat":"OK","response":{"items":[],"metadata":"hunter2"}}"#),
        (LogType::Activity, r#"{"stat":"OK","response":{"items":[],"items":["hunter2"]}}"#),
        (LogType::Activity, r#"{"stat":"OK","response":{"items":[]}} "hunter2""#),
        (LogType::Activity, r#"{"stat":"OK","response":["hunter2"]}"#),
        (LogType::Activity, "<html>hunter2</html>"),
        (LogType::Activity, ""),
    ];
    for (log_type, body) in wrong {
        let error = page(log_type, body).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
