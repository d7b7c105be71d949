use serde_json::Value;

use super::{LONGEST_LIST, of_object};
use crate::model::{IngestionApi, LogType, Record};
use crate::transform::row::tests::written;
use crate::transform::{RowLimits, read_records};

const HOST: &str = "api-x.duosecurity.com";
/// What the service of these tests keeps of a value, in bytes.
const LARGEST: usize = 100;

/// The form of the Data Collector with values of at most so many bytes.
fn form(largest_value: usize) -> RowLimits {
    RowLimits { largest_value, ..RowLimits::from(IngestionApi::DataCollector) }
}

fn record(text: &str) -> Record {
    read_records(LogType::Activity, HOST, form(LARGEST), [text]).pop().unwrap()
}

/// The row of a record. It is JSON, and not longer than was said before.
fn row(text: &str) -> Value {
    let out = written(IngestionApi::DataCollector, LogType::Activity, false, &record(text));
    serde_json::from_slice(&out).unwrap_or_else(|fault| panic!("{fault}: {out:?}"))
}

/// What is kept of a text, whose JSON this is, and whether that was named.
fn kept(json: &str) -> (String, bool) {
    let row = row(&format!("{{\"a\":{json},\"b\":1}}"));
    assert_eq!(row["b"], 1);
    let named = row.get("truncated_fields");
    assert!(named.is_none_or(|named| named == "a"), "{row}");
    (row["a"].as_str().unwrap().to_owned(), named.is_some())
}

#[test]
fn a_text_is_cut_when_it_is_too_large_and_not_before() {
    let whole = "x".repeat(LARGEST);
    assert_eq!(kept(&format!("\"{whole}\"")), (whole.clone(), false));
    assert_eq!(kept(&format!("\"{whole}y\"")), (whole, true));
}

#[test]
fn a_text_is_cut_between_characters() {
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
fn what_a_text_means_is_measured_and_not_how_it_is_spelt() {
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
fn a_lone_surrogate_in_a_text_that_is_too_large_ends_it() {
    let late = format!("\"{}\\ud800\"", "x".repeat(150));
    assert_eq!(kept(&late), ("x".repeat(100), true));
    let early = format!("\"abc\\ud800{}\"", "x".repeat(150));
    assert_eq!(kept(&early), ("abc".to_owned(), true));
}

#[test]
fn values_of_any_depth_are_cut_and_named_as_the_service_names_their_columns() {
    let long = "x".repeat(150);
    let text = format!(
        r#"{{"a":{{"b":{{"c":"{long}","d":true}},"e":"short"}}, "access_device":{{"is_password_set":true,"hostname":"{long}","is_firewall_enabled":false}},"x":{{"\ud800":"{long}"}}}}"#
    );
    // The surrogate keeps the row from being read here, not from being written.
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
fn an_array_counts_as_one_value_and_becomes_the_beginning_of_its_text() {
    let array = format!("[{}\"\\\\é\"]", "\"a\",\n".repeat(30));
    let row = row(&format!("{{\"groups\":{array},\"few\":[1,2]}}"));
    assert_eq!(row["groups"], array[..LARGEST]);
    assert_eq!(row["few"], serde_json::json!([1, 2]));
    assert_eq!(row["truncated_fields"], "groups");
    // Not one text in it is too large; together they are.
    let quotes = format!("{{\"a\":[{}]}}", vec![r#""\"\"\"""#; 40].join(","));
    assert_eq!(self::row(&quotes)["a"].as_str().unwrap().len(), LARGEST);
}

#[test]
fn an_array_that_doubles_when_it_becomes_a_text_stays_within_what_was_said() {
    let text = format!("{{\"a\":[{}]}}", vec![r#""\"\"\"\"""#; 2000].join(","));
    let largest = text.len() - 100;
    let record = read_records(LogType::Activity, HOST, form(largest), [text.as_str()]).remove(0);
    let out = written(IngestionApi::DataCollector, LogType::Activity, false, &record);
    assert!(out.len() > text.len() + 10_000, "it does not grow enough to prove anything");
    assert!(serde_json::from_slice::<Value>(&out).is_ok());
}

#[test]
fn objects_too_deep_to_follow_are_treated_like_arrays() {
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
fn a_record_that_goes_out_as_text_is_cut_as_that() {
    let text = format!("\"{}é{}\"", "x".repeat(98), "y".repeat(50));
    let row = row(&text);
    assert_eq!(row["raw_record"], text[..99]);
    assert_eq!(row["truncated_fields"], "raw_record");
    let reserved = format!("{{\"tenant\":\"{}\"}}", "\\n".repeat(120));
    let row = self::row(&reserved);
    assert_eq!(row["raw_record"], reserved[..LARGEST]);
    // A field of Duo's own with the name of ours.
    let own = self::row(r#"{"truncated_fields":"mine"}"#);
    assert_eq!(own["raw_record"], r#"{"truncated_fields":"mine"}"#);
}

#[test]
fn numbers_and_records_of_many_small_values_are_left_alone() {
    let many: Vec<String> = (0..100).map(|number| format!("\"n{number}\":\"{number}\"")).collect();
    let number = "1".repeat(300);
    let text = format!("{{{},\"n\":{number}}}", many.join(","));
    assert_eq!(of_object(&text, LARGEST).len(), 0);
}

#[test]
fn a_list_of_names_that_is_itself_too_long_is_marked() {
    let long = "x".repeat(150);
    let fields: Vec<String> =
        (0..80).map(|number| format!("\"{}{number}\":\"{long}\"", "n".repeat(60))).collect();
    let row = row(&format!("{{{}}}", fields.join(",")));
    let list = row["truncated_fields"].as_str().unwrap();
    assert!(list.ends_with(",…") && list.len() < LONGEST_LIST + 10, "{list}");
}
