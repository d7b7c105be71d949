//! Duo's response around the records: strict about the envelope, silent about what is inside a record.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{LogSpec, PageResponse, Record, position};

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

/// Reads a page. `read` makes a record of the JSON at a place in the page, or leaves it out. Records are split as raw JSON,
/// so that whatever is wrong with one condemns that one only.
///
/// # Errors
///
/// What is wrong with the envelope, never what is in it.
pub fn parse_page(
    spec: &LogSpec,
    body: Vec<u8>,
    mut read: impl FnMut(&Arc<String>, Range<usize>) -> Option<Record>,
) -> Result<PageResponse, String> {
    // One byte that is no UTF-8 condemns a character, not a thousand records.
    let body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let page = Arc::new(body);
    let (records, metadata) = split(spec, &page)?;
    let records = records
        .into_iter()
        .filter_map(|record| read(&page, position(&page, record.get())))
        .collect();
    Ok(PageResponse {
        records,
        cursor: cursor(metadata.next_offset)?,
        total: exact(&metadata.total_objects),
        server_time: None,
    })
}

/// The records of a page and the metadata.
fn split<'a>(spec: &LogSpec, body: &'a str) -> Result<(Vec<&'a RawValue>, Metadata), String> {
    let Some(key) = spec.records_key else {
        let envelope: Envelope<'_, Vec<&RawValue>> = envelope(body)?;
        return Ok((envelope.response, Metadata::default()));
    };
    let envelope: Envelope<'_, Keyed<'_>> = envelope(body)?;
    let response = envelope.response;
    let records = match key {
        "authlogs" => response.authlogs,
        "items" => response.items,
        _ => response.events,
    };
    let records = records.ok_or_else(|| format!("\"response\" has no \"{key}\""))?;
    // Some of Duo's list endpoints put the metadata beside the response instead of inside it.
    let mut metadata = response.metadata.unwrap_or_default();
    let outer = envelope.metadata.unwrap_or_default();
    if metadata.next_offset.is_null() {
        metadata.next_offset = outer.next_offset;
    }
    if metadata.total_objects.is_null() {
        metadata.total_objects = outer.total_objects;
    }
    Ok((records, metadata))
}

fn envelope<'a, R: Deserialize<'a>>(body: &'a str) -> Result<Envelope<'a, R>, String> {
    let envelope: Envelope<'a, R> = serde_json::from_str(body).map_err(|error| {
        format!(
            "not the expected envelope ({:?} at line {}, column {} of {} bytes)",
            error.classify(),
            error.line(),
            error.column(),
            body.len()
        )
    })?;
    if envelope.stat == "OK" { Ok(envelope) } else { Err("\"stat\" is not \"OK\"".to_owned()) }
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
        Value::Array(parts) => {
            parts.into_iter().map(scalar).collect::<Result<Vec<_>, _>>()?.join(",")
        }
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
mod tests;
