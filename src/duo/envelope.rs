//! Duo's answer around the records: strict about the envelope, silent about what is inside a record.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{LogSpec, Paging, position};

/// A page of records, each left as the text that Duo sent.
#[derive(Debug, Default)]
pub struct Page {
    body: String,
    records: Vec<Range<usize>>,
    /// Cursor of the next page, in the form in which it goes back.
    pub cursor: Option<String>,
    /// How many records the whole question has, where Duo gave an exact number.
    pub total: Option<u64>,
}

impl Page {
    /// The JSON text of each record.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &str> {
        self.records.iter().map(|range| &self.body[range.clone()])
    }

    /// The JSON text of one record.
    pub fn record(&self, index: usize) -> &str {
        &self.body[self.records[index].clone()]
    }
}

#[derive(Deserialize)]
struct Envelope<'a, R> {
    #[serde(borrow)]
    stat: Cow<'a, str>,
    response: R,
    metadata: Option<Metadata>,
}

/// The newer endpoints; the key of the records tells which one answered.
#[derive(Deserialize)]
struct Keyed<'a> {
    #[serde(borrow)]
    authlogs: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    events: Option<Vec<&'a RawValue>>,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    next_offset: Value,
    #[serde(default)]
    total_objects: Value,
}

/// Reads a page; the error says what is wrong with the envelope, never what is in it.
pub fn parse_page(spec: &LogSpec, body: Vec<u8>) -> Result<Page, String> {
    // One byte that is no UTF-8 condemns a character, not a thousand records.
    let body = String::from_utf8(body)
        .unwrap_or_else(|fault| String::from_utf8_lossy(fault.as_bytes()).into_owned());
    let (ranges, cursor, total) = match spec.paging {
        Paging::LastSecond => {
            let envelope: Envelope<'_, Vec<&RawValue>> = read(&body)?;
            (ranges(&body, &envelope.response), None, None)
        }
        Paging::Cursor { .. } => {
            let envelope: Envelope<'_, Keyed<'_>> = read(&body)?;
            let response = envelope.response;
            let key = spec.records_key.unwrap_or_default();
            let records = match key {
                "authlogs" => response.authlogs,
                "items" => response.items,
                _ => response.events,
            };
            let records = records.ok_or_else(|| format!("\"response\" has no \"{key}\""))?;
            // Some of Duo's list endpoints put the metadata beside the response instead of inside it.
            let [inner, outer] =
                [response.metadata, envelope.metadata].map(Option::unwrap_or_default);
            let next = if inner.next_offset.is_null() {
                outer.next_offset
            } else {
                inner.next_offset
            };
            let total = if inner.total_objects.is_null() {
                outer.total_objects
            } else {
                inner.total_objects
            };
            (ranges(&body, &records), cursor(next)?, exact(&total))
        }
    };
    Ok(Page {
        records: ranges,
        body,
        cursor,
        total,
    })
}

fn read<'a, R: Deserialize<'a>>(body: &'a str) -> Result<Envelope<'a, R>, String> {
    let envelope: Envelope<'a, R> = serde_json::from_str(body).map_err(|fault| {
        format!(
            "not the expected envelope ({:?} at line {}, column {} of {} bytes)",
            fault.classify(),
            fault.line(),
            fault.column(),
            body.len()
        )
    })?;
    if envelope.stat == "OK" {
        Ok(envelope)
    } else {
        Err("\"stat\" is not \"OK\"".to_owned())
    }
}

/// Where each record stands in the body.
fn ranges(body: &str, records: &[&RawValue]) -> Vec<Range<usize>> {
    records
        .iter()
        .map(|record| position(body, record.get()))
        .collect()
}

/// The cursor as it goes back: authentication gives an array whose members are joined by a comma, trust monitor
/// a text or a number, the others a text.
fn cursor(value: Value) -> Result<Option<String>, String> {
    let scalar = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("\"next_offset\" is of an unknown form".to_owned()),
    };
    let text = match value {
        Value::Null => return Ok(None),
        Value::Array(parts) => parts
            .into_iter()
            .map(scalar)
            .collect::<Result<Vec<_>, _>>()?
            .join(","),
        value => scalar(value)?,
    };
    Ok((!text.is_empty()).then_some(text))
}

/// An exact count: a bare number, or an object that says so.
fn exact(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::Object(object) if object.get("relation").and_then(Value::as_str) == Some("eq") => {
            object.get("value").and_then(Value::as_u64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, parse_page};
    use crate::model::LogType;

    fn page(log_type: LogType, body: &str) -> Result<Page, String> {
        parse_page(&log_type.spec(), body.as_bytes().to_vec())
    }

    fn metadata(next_offset: &str, total: &str) -> Page {
        let body = format!(
            "{{\"stat\":\"OK\",\"response\":{{\"items\":[],\"metadata\":{{\"next_offset\":{next_offset},\"total_objects\":{total}}}}}}}"
        );
        page(LogType::Activity, &body).unwrap()
    }

    #[test]
    fn records_stay_the_text_that_duo_sent() {
        let body = r#"{"response": {"metadata": {}, "authlogs": [ {"a" : 1.0e2} , "x", null]}, "stat": "OK"}"#;
        let page = page(LogType::Authentication, body).unwrap();
        assert_eq!(
            page.records().collect::<Vec<_>>(),
            [r#"{"a" : 1.0e2}"#, "\"x\"", "null"]
        );
        assert_eq!((page.cursor, page.total), (None, None));
    }

    #[test]
    fn cursors_of_every_form_go_back_as_one_text() {
        let cursor = |form| metadata(form, "null").cursor;
        assert_eq!(
            cursor(r#"["1795348861234","txid"]"#).unwrap(),
            "1795348861234,txid"
        );
        assert_eq!(
            cursor(r#"[1795348861234,"txid"]"#).unwrap(),
            "1795348861234,txid"
        );
        assert_eq!(cursor("\"31229\"").unwrap(), "31229");
        assert_eq!(cursor("2").unwrap(), "2");
        assert_eq!(cursor("null"), None);
        assert_eq!(cursor("\"\""), None);
        assert_eq!(cursor("[]"), None);
    }

    #[test]
    fn metadata_may_be_null_or_stand_beside_the_response() {
        let null = r#"{"stat":"OK","response":{"events":[],"metadata":null}}"#;
        assert_eq!(page(LogType::TrustMonitor, null).unwrap().cursor, None);
        let beside = r#"{"stat":"OK","response":{"events":[]},"metadata":{"next_offset":7}}"#;
        assert_eq!(
            page(LogType::TrustMonitor, beside).unwrap().cursor.unwrap(),
            "7"
        );
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
    fn a_lone_surrogate_and_a_strange_number_condemn_no_page() {
        let body = r#"{"stat":"OK","response":[{"username":"\ud800"},{"n":1e999},{"n":123456789012345678901234567890}]}"#;
        assert_eq!(
            page(LogType::Administrator, body).unwrap().records().len(),
            3
        );
    }

    #[test]
    fn bytes_that_are_no_text_condemn_a_character_only() {
        let body = b"{\"stat\":\"OK\",\"response\":[{\"username\":\"a\xffb\"}]}".to_vec();
        let page = parse_page(&LogType::Administrator.spec(), body).unwrap();
        assert_eq!(page.record(0), "{\"username\":\"a\u{fffd}b\"}");
    }

    #[test]
    fn a_wrong_envelope_is_refused_without_showing_what_was_in_it() {
        let wrong = [
            (
                LogType::Authentication,
                r#"{"stat":"OK","response":[{"user":"hunter2"}]}"#,
            ),
            (
                LogType::Authentication,
                r#"{"stat":"OK","response":{"items":["hunter2"]}}"#,
            ),
            (
                LogType::Administrator,
                r#"{"stat":"OK","response":{"authlogs":["hunter2"]}}"#,
            ),
            (
                LogType::Administrator,
                r#"{"stat":"FAIL","response":["hunter2"]}"#,
            ),
            (
                LogType::Activity,
                r#"{"stat":"OK","response":{"items":[{"hunter2":1}"#,
            ),
            (
                LogType::Activity,
                r#"{"stat":"OK","response":{"items":[],"metadata":{"next_offset":{"hunter2":1}}}}"#,
            ),
            (LogType::Activity, "<html>hunter2</html>"),
            (LogType::Activity, ""),
        ];
        for (log_type, body) in wrong {
            let fault = page(log_type, body).unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
