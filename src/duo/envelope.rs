//! Parses Duo's response. The envelope must be valid; the content of records is not validated.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::json::{NotJson, Scanner};
use crate::model::{LogSpec, PageResponse, Record};

#[derive(Default)]
struct Envelope<'a> {
    stat: Option<&'a str>,
    records: Option<Vec<Record>>,
    /// Inside `response`, as most endpoints return it.
    metadata: Option<&'a str>,
    /// Beside `response`, as some of Duo's list endpoints return it.
    outer_metadata: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    next_offset: Value,
    #[serde(default)]
    total_objects: Value,
}

enum EnvelopeError {
    NotJson,
    Unexpected(String),
}

impl From<NotJson> for EnvelopeError {
    fn from(_: NotJson) -> Self {
        Self::NotJson
    }
}

/// Parses a page. `read` consumes the next JSON value; an invalid record affects no other.
///
/// # Errors
///
/// Describes the error in the envelope, never its content.
pub fn parse_page(
    spec: &LogSpec,
    body: Vec<u8>,
    mut read: impl FnMut(&Arc<String>, &mut Scanner<'_>) -> Result<Option<Record>, NotJson>,
) -> Result<PageResponse, String> {
    // An invalid UTF-8 byte affects one character, not a thousand records.
    let body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let page = Arc::new(body);
    let envelope =
        envelope(spec, &page, |scanner| read(&page, scanner)).map_err(|error| match error {
            EnvelopeError::NotJson => not_json(&page),
            EnvelopeError::Unexpected(reason) => reason,
        })?;
    if envelope.stat != Some("\"OK\"") {
        return Err("\"stat\" is not \"OK\"".to_owned());
    }
    let records = envelope.records.ok_or_else(|| match spec.records_key {
        Some(key) => format!("\"response\" has no \"{key}\""),
        None => "there is no \"response\"".to_owned(),
    })?;
    let [metadata, outer] = [metadata(envelope.metadata)?, metadata(envelope.outer_metadata)?];
    let first = |inner: Value, outer| if inner.is_null() { outer } else { inner };
    Ok(PageResponse {
        records,
        cursor: cursor(first(metadata.next_offset, outer.next_offset))?,
        total: exact(&first(metadata.total_objects, outer.total_objects)),
        server_time: None,
        limit: None,
    })
}

fn envelope<'a>(
    spec: &LogSpec,
    body: &'a str,
    mut read: impl FnMut(&mut Scanner<'a>) -> Result<Option<Record>, NotJson>,
) -> Result<Envelope<'a>, EnvelopeError> {
    let mut found = Envelope::default();
    let mut scanner = Scanner::new(body);
    scanner.object(|scanner, name| match name {
        "stat" => once(&mut found.stat, name, scanner.value()?),
        "metadata" => once(&mut found.outer_metadata, name, scanner.value()?),
        "response" => match spec.records_key {
            None => once(&mut found.records, name, records(scanner, &mut read)?),
            Some(key) => scanner.object(|scanner, name| match name {
                "metadata" => once(&mut found.metadata, name, scanner.value()?),
                _ if name == key && scanner.peek()? == b'[' => {
                    once(&mut found.records, name, records(scanner, &mut read)?)
                }
                _ => Ok(scanner.value().map(drop)?),
            }),
        },
        _ => Ok(scanner.value().map(drop)?),
    })?;
    scanner.end()?;
    Ok(found)
}

fn records<'a>(
    scanner: &mut Scanner<'a>,
    mut read: impl FnMut(&mut Scanner<'a>) -> Result<Option<Record>, NotJson>,
) -> Result<Vec<Record>, NotJson> {
    let mut records = Vec::new();
    scanner.array(|scanner| {
        records.extend(read(scanner)?);
        Ok::<_, NotJson>(())
    })?;
    Ok(records)
}

/// Stores a member that may occur only once.
fn once<T>(member: &mut Option<T>, name: &str, value: T) -> Result<(), EnvelopeError> {
    match member.replace(value) {
        None => Ok(()),
        Some(_) => Err(EnvelopeError::Unexpected(format!("\"{name}\" occurs twice"))),
    }
}

/// The error for a body that is not JSON, with line and column.
fn not_json(body: &str) -> String {
    let bytes = body.len();
    match serde_json::from_str::<IgnoredAny>(body) {
        Ok(_) => format!("not the expected envelope (JSON of another structure, {bytes} bytes)"),
        Err(error) => format!(
            "not the expected envelope ({:?} at line {}, column {} of {bytes} bytes)",
            error.classify(),
            error.line(),
            error.column(),
        ),
    }
}

fn metadata(text: Option<&str>) -> Result<Metadata, String> {
    let Some(text) = text else {
        return Ok(Metadata::default());
    };
    let metadata: Option<Metadata> = serde_json::from_str(text)
        .map_err(|_| "\"metadata\" has an unexpected format".to_owned())?;
    Ok(metadata.unwrap_or_default())
}

/// The cursor as sent back: authentication returns an array whose members are joined by a comma,
/// trust monitor a text or a number, the others a text.
fn cursor(value: Value) -> Result<Option<String>, String> {
    let scalar = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("\"next_offset\" has an unexpected format".to_owned()),
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

/// An exact count: a number, or an object with the relation `eq`.
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
