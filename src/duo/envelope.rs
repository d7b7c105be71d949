//! Duo's answer around the records: strict about the envelope, silent about what is inside a record.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::spanned::{Spanned, spans};
use crate::model::{LogSpec, position};

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

    /// The memory of the page, for the next one.
    pub fn into_buffer(self) -> Vec<u8> {
        self.body.into_bytes()
    }

    /// The JSON text of one record.
    pub fn record(&self, index: usize) -> &str {
        &self.body[self.records[index].clone()]
    }
}

/// Reads records while a page is parsed, so that its text is walked once.
pub trait RecordReader {
    /// The fields that are read of a record, as serde finds them in the page.
    type Fields<'a>: Deserialize<'a>;
    /// What is made of a record.
    type Record;

    /// Takes one record. `fields` is `None` where they could not be read with the page: the text is any JSON value.
    fn read<'a>(&mut self, text: &'a str, fields: Option<Self::Fields<'a>>) -> Self::Record;
}

/// Reads nothing of the records.
#[derive(Clone, Copy, Debug)]
pub struct Unread;

impl RecordReader for Unread {
    type Fields<'a> = IgnoredAny;
    type Record = ();

    fn read(&mut self, _text: &str, _fields: Option<IgnoredAny>) {}
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

/// Reads a page; the error says what is wrong with the envelope, never what is in it.
pub fn parse_page<R: RecordReader>(
    spec: &LogSpec,
    body: Vec<u8>,
    reader: &mut R,
) -> Result<(Page, Vec<R::Record>), String> {
    // One byte that is no UTF-8 condemns a character, not a thousand records.
    let body = String::from_utf8(body)
        .unwrap_or_else(|fault| String::from_utf8_lossy(fault.as_bytes()).into_owned());
    let (ranges, records, metadata) = match in_one_pass(spec, &body, reader) {
        Some(read) => read,
        None => record_by_record(spec, &body, reader)?,
    };
    let cursor = cursor(metadata.next_offset)?;
    let total = exact(&metadata.total_objects);
    Ok((
        Page {
            records: ranges,
            body,
            cursor,
            total,
        },
        records,
    ))
}

/// The places of the records, what was made of them, and the metadata.
type Read<T> = (Vec<Range<usize>>, Vec<T>, Metadata);

/// Reads the fields of all records with the page; `None` where one of them is not what is expected.
fn in_one_pass<R: RecordReader>(
    spec: &LogSpec,
    body: &str,
    reader: &mut R,
) -> Option<Read<R::Record>> {
    let (members, metadata) = members::<Spanned<'_, R::Fields<'_>>>(spec, body).ok()?;
    let ranges = spans(body, &members)?;
    let read = members.into_iter().zip(&ranges);
    let records = read
        .map(|(member, range)| reader.read(&body[range.clone()], Some(member.value)))
        .collect();
    Some((ranges, records, metadata))
}

/// Splits the records first, so that whatever is wrong with one condemns that one only.
fn record_by_record<R: RecordReader>(
    spec: &LogSpec,
    body: &str,
    reader: &mut R,
) -> Result<Read<R::Record>, String> {
    let (members, metadata) = members::<&RawValue>(spec, body)?;
    let ranges = members
        .iter()
        .map(|member| position(body, member.get()))
        .collect();
    let records = members
        .into_iter()
        .map(|member| reader.read(member.get(), serde_json::from_str(member.get()).ok()))
        .collect();
    Ok((ranges, records, metadata))
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
