//! Duo's response around the records: strict about the envelope, silent about what is inside a record.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::spanned::{Spanned, spans};
use crate::model::{LogSpec, PageResponse, Record, position};

/// Reads records while a page is parsed, so that its text is walked once.
pub trait RecordReader {
    /// The fields that are read of a record, as serde finds them in the page.
    type Fields<'a>: Deserialize<'a>;

    /// Reads one record, whose page and place are filled in afterwards; `None` leaves it out. `fields` is `None` where they
    /// could not be read with the page: the text is any JSON value.
    fn read<'a>(&mut self, text: &'a str, fields: Option<Self::Fields<'a>>) -> Option<Record>;
}

/// Leaves every record out: only the envelope matters.
#[derive(Clone, Copy, Debug)]
pub struct Unread;

impl RecordReader for Unread {
    type Fields<'a> = IgnoredAny;

    fn read(&mut self, _text: &str, _fields: Option<IgnoredAny>) -> Option<Record> {
        None
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
struct Keyed<E> {
    authlogs: Option<Vec<E>>,
    items: Option<Vec<E>>,
    events: Option<Vec<E>>,
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    next_offset: Value,
    #[serde(default)]
    total_objects: Value,
}

/// Reads a page. Its records share the memory of the body.
///
/// # Errors
///
/// What is wrong with the envelope, never what is in it.
pub fn parse_page<R: RecordReader>(
    spec: &LogSpec,
    body: Vec<u8>,
    reader: &mut R,
) -> Result<PageResponse, String> {
    // One byte that is no UTF-8 condemns a character, not a thousand records.
    let body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let (mut records, metadata) = match in_one_pass(spec, &body, reader) {
        Some(read) => read,
        None => record_by_record(spec, &body, reader)?,
    };
    let cursor = cursor(metadata.next_offset)?;
    let total = exact(&metadata.total_objects);
    let page = Arc::new(body);
    for record in &mut records {
        record.page = Arc::clone(&page);
    }
    Ok(PageResponse {
        records,
        cursor,
        total,
        server_time: None,
    })
}

/// The records, each with its place in the page, and the metadata.
type Read = (Vec<Record>, Metadata);

/// Reads the fields of all records with the page; `None` where one of them is not what is expected.
fn in_one_pass<R: RecordReader>(spec: &LogSpec, body: &str, reader: &mut R) -> Option<Read> {
    let (members, metadata) = members::<Spanned<'_, R::Fields<'_>>>(spec, body).ok()?;
    let places = spans(body, &members)?;
    let mut records = Vec::with_capacity(members.len());
    for (member, place) in members.into_iter().zip(places) {
        let record = reader.read(&body[place.clone()], Some(member.value));
        records.extend(record.map(|record| Record { place, ..record }));
    }
    Some((records, metadata))
}

/// Splits the records first, so that whatever is wrong with one condemns that one only.
fn record_by_record<R: RecordReader>(
    spec: &LogSpec,
    body: &str,
    reader: &mut R,
) -> Result<Read, String> {
    let (members, metadata) = members::<&RawValue>(spec, body)?;
    let mut records = Vec::with_capacity(members.len());
    for member in members {
        let text = member.get();
        let record = reader.read(text, serde_json::from_str(text).ok());
        records.extend(record.map(|record| Record {
            place: position(body, text),
            ..record
        }));
    }
    Ok((records, metadata))
}

/// The records of a page, each as `E`, and the metadata.
fn members<'a, E: Deserialize<'a>>(
    spec: &LogSpec,
    body: &'a str,
) -> Result<(Vec<E>, Metadata), String> {
    let Some(key) = spec.records_key else {
        let envelope: Envelope<'_, Vec<E>> = read(body)?;
        return Ok((envelope.response, Metadata::default()));
    };
    let envelope: Envelope<'_, Keyed<E>> = read(body)?;
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
mod tests;
