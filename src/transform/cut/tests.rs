use serde_json::Value;

use super::{LONGEST_LIST, of_object};
use crate::model::{IngestionApi, LogType, Record};
use crate::transform::row::tests::written;
use crate::transform::{Records, RowLimits};

const HOST: &str = "api-x.duosecurity.com";
/// Maximum value in these tests, in bytes.
const LARGEST: usize = 100;

/// The limits of the Data Collector API with another maximum value.
fn limits(largest_value: usize) -> RowLimits {
    RowLimits { largest_value, ..RowLimits::from(IngestionApi::DataCollector) }
}

fn record(text: &str) -> Record {
    record_within(LARGEST, text)
}

/// The record, with a column for every field of these tests.
fn record_within(largest_value: usize, text: &str) -> Record {
    let columns = "a_s b_d a_b_c_s a_b_d_b a_e_s x_f_s x_\u{fffd}\u{fffd}\u{fffd}_s groups_s few_s";
    let columns = columns.split(' ').map(str::to_owned).collect();
    Records::new(LogType::Activity, HOST, limits(largest_value))
        .with_columns(&columns)
        .read_alone(text)
}

/// The row of a record, checked for valid JSON and size.
fn row(text: &str) -> Value {
    let out = written(IngestionApi::DataCollector, LogType::Activity, false, &record(text));
    serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

/// The kept part of a JSON string, and whether the field was named.
fn kept(json: &str) -> (String, bool) {
    let row = row(&format!("{{\"a\":{json},\"b\":1}}"));
    assert_eq!(row["b"], 1);
    let named = row.get("truncated_fields");
    assert!(named.is_none_or(|named| named == "a"), "{row}");
    (row["a"].as_str().unwrap().to_owned(), named.is_some())
}

#[test]
fn a_text_is_truncated_only_above_the_limit() {
    let whole = "x".repeat(LARGEST);
    assert_eq!(kept(&format!("\"{whole}\"")), (whole.clone(), false));
    assert_eq!(kept(&format!("\"{whole}y\"")), (whole, true));
}

#[test]
fn a_text_is_truncated_between_characters() {
    for (character, bytes) in [("é", 2), ("李", 3), ("😀", 4)] {
        for before in 0..4 {
            let text = format!("{}{}", "x".repeat(before), character.repeat(60));
            let (kept, named) = kept(&format!("\"{text}\""));
            let most = LARGEST - (LARGEST - before) % bytes;
            assert_eq!((kept.as_str(), named), (&text[..most], true));
        }
    }
}

#[test]
fn the_limit_applies_to_the_decoded_text() {
    // 50 characters of 2 bytes in 300 bytes of JSON.
    assert_eq!(kept(&format!("\"{}\"", r"\u00e9".repeat(50))), ("é".repeat(50), false));
    assert_eq!(kept(&format!("\"{}\"", r"\u00e9".repeat(51))), ("é".repeat(50), true));
    // A pair of surrogates is one character.
    let pairs = format!("\"x{}\"", r"\ud83d\ude00".repeat(30));
    assert_eq!(kept(&pairs), (format!("x{}", "😀".repeat(24)), true));
    for escape in [r#"\""#, r"\\", r"\n", r"\u0001", r"\/"] {
        let (kept, named) = kept(&format!("\"{}\"", escape.repeat(101)));
        let meant: String = serde_json::from_str(&format!("\"{escape}\"")).unwrap();
        assert_eq!((kept, named), (meant.repeat(100), true));
    }
}

#[test]
fn a_truncated_text_ends_before_a_lone_surrogate() {
    let late = format!("\"{}\\ud800\"", "x".repeat(150));
    assert_eq!(kept(&late), ("x".repeat(100), true));
    let early = format!("\"abc\\ud800{}\"", "x".repeat(150));
    assert_eq!(kept(&early), ("abc".to_owned(), true));
}

#[test]
fn values_of_any_depth_are_truncated_and_named_like_their_columns() {
    let long = "x".repeat(150);
    let text = format!(
        r#"{{"a":{{"b":{{"c":"{long}","d":true}},"e":"short"}}, "access_device":{{"is_password_set":true,"hostname":"{long}","is_firewall_enabled":false}},"x":{{"\ud800":"{long}"}}}}"#
    );
    // The test cannot parse a row with the surrogate, which is written nevertheless.
    let record = record(&text);
    let fields: Vec<&str> = record.truncated_fields().collect();
    assert_eq!(fields, ["a_b_c", "access_device_hostname", "x_\u{fffd}\u{fffd}\u{fffd}"]);
    let row = row(&text.replace("\\ud800", "f"));
    assert_eq!(row["a"]["b"]["c"], "x".repeat(100));
    assert_eq!((&row["a"]["b"]["d"], &row["a"]["e"]), (&true.into(), &"short".into()));
    let device = &row["access_device"];
    assert_eq!(device["hostname"], "x".repeat(100));
    assert_eq!(device["is_password_set"], "true");
    assert_eq!(device["is_firewall_enabled"], "false");
    assert_eq!(row["truncated_fields"], "a_b_c,access_device_hostname,x_f");
    assert_eq!(row["eventtype"], "activity");
}

#[test]
fn an_array_is_one_value_and_is_truncated_as_text() {
    let array = format!("[{}\"\\\\é\"]", "\"a\",\n".repeat(30));
    let row = row(&format!("{{\"groups\":{array},\"few\":[1,2]}}"));
    assert_eq!(row["groups"], array[..LARGEST]);
    assert_eq!(row["few"], serde_json::json!([1, 2]));
    assert_eq!(row["truncated_fields"], "groups");
    // Each text is below the limit, but not the array.
    let quotes = format!("{{\"a\":[{}]}}", vec![r#""\"\"\"""#; 40].join(","));
    assert_eq!(self::row(&quotes)["a"].as_str().unwrap().len(), LARGEST);
}

#[test]
fn an_array_that_doubles_when_quoted_stays_within_row_bytes() {
    let text = format!("{{\"a\":[{}]}}", vec![r#""\"\"\"\"""#; 2000].join(","));
    let largest = text.len() - 100;
    let record = record_within(largest, &text);
    let out = written(IngestionApi::DataCollector, LogType::Activity, false, &record);
    assert!(out.len() > text.len() + 10_000, "the row is too small for this test");
    assert!(serde_json::from_slice::<Value>(&out).is_ok());
}

#[test]
fn objects_beyond_the_maximum_depth_are_treated_like_arrays() {
    let deep = format!("{}1{}", "{\"a\":".repeat(3000), "}".repeat(3000));
    let record = record(&deep);
    let fields: Vec<&str> = record.truncated_fields().collect();
    assert_eq!(
        fields,
        ["a".repeat(16).split("").filter(|name| !name.is_empty()).collect::<Vec<_>>().join("_")]
    );
    row(&deep);
}

#[test]
fn a_wrapped_record_is_truncated_as_text() {
    let text = format!("\"{}é{}\"", "x".repeat(98), "y".repeat(50));
    let row = row(&text);
    assert_eq!(row["raw_record"], text[..99]);
    assert_eq!(row["truncated_fields"], "raw_record");
    let reserved = format!("{{\"tenant\":\"{}\"}}", "\\n".repeat(120));
    let row = self::row(&reserved);
    assert_eq!(row["raw_record"], reserved[..LARGEST]);
    // A Duo field with the name of an added one.
    let reserved_name = self::row(r#"{"truncated_fields":"mine"}"#);
    assert_eq!(reserved_name["raw_record"], r#"{"truncated_fields":"mine"}"#);
}

#[test]
fn numbers_and_small_values_are_not_truncated() {
    let many: Vec<String> = (0..100).map(|number| format!("\"n{number}\":\"{number}\"")).collect();
    let number = "1".repeat(300);
    let text = format!("{{{},\"n\":{number}}}", many.join(","));
    assert_eq!(of_object(&text, LARGEST).len(), 0);
}

#[test]
fn a_list_of_names_that_is_too_long_is_marked() {
    let long = "x".repeat(150);
    let fields: Vec<String> =
        (0..80).map(|number| format!("\"{}{number}\":\"{long}\"", "n".repeat(60))).collect();
    let row = row(&format!("{{{}}}", fields.join(",")));
    let list = row["truncated_fields"].as_str().unwrap();
    assert!(list.ends_with(",…") && list.len() < LONGEST_LIST + 10, "{list}");
}
