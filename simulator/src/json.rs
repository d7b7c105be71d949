//! A lossless JSON parser: numbers keep their spelling, strings may contain lone surrogates.
//!
//! `serde_json` parses one level at a time: raw values keep the spelling of numbers and arrays, and
//! bytes hold what no `String` can.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Maximum nesting, which bounds the use of the stack.
const DEEPEST: usize = 500;

/// A JSON value; strings are WTF-8, that is UTF-8 that may contain a lone surrogate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json<'a> {
    Null,
    Truth(bool),
    Number(&'a str),
    Text(Cow<'a, [u8]>),
    Array(Array<'a>),
    Object(Members<'a>),
}

/// An array with its JSON text.
#[derive(Clone, Debug, Eq)]
pub(crate) struct Array<'a> {
    pub(crate) values: Vec<Json<'a>>,
    pub(crate) text: &'a str,
}

impl PartialEq for Array<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

/// The members of an object in order.
pub(crate) type Members<'a> = Vec<(Cow<'a, [u8]>, Json<'a>)>;

impl<'a> Json<'a> {
    /// Parses one JSON value; `None` if the text is not one, or is nested too deeply.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Self::of(serde_json::from_str(text).ok()?, 0)
    }

    /// Parses a value at this nesting depth.
    fn of(raw: &'a RawValue, depth: usize) -> Option<Self> {
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            _ if depth > DEEPEST => return None,
            b'n' => Self::Null,
            b't' => Self::Truth(true),
            b'f' => Self::Truth(false),
            b'"' => Self::Text(serde_json::from_str::<Text<'_>>(text).ok()?.0),
            b'[' => {
                let values: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let values = values.into_iter().map(|value| Self::of(value, depth + 1));
                Self::Array(Array { values: values.collect::<Option<_>>()?, text })
            }
            b'{' => {
                let RawMembers::<Text<'_>>(members) = serde_json::from_str(text).ok()?;
                let members = members.into_iter();
                let members = members.map(|(name, raw)| Some((name.0, Self::of(raw, depth + 1)?)));
                Self::Object(members.collect::<Option<_>>()?)
            }
            _ => Self::Number(text),
        })
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        std::str::from_utf8(text).ok()
    }
}

/// The member of this name.
pub(crate) fn member<'j, 'a>(members: &'j Members<'a>, name: &str) -> Option<&'j Json<'a>> {
    members.iter().find(|(key, _)| key.as_ref() == name.as_bytes()).map(|(_, value)| value)
}

/// Calls `each` with the text and members of every row of a body, which is an array of objects or
/// one object. Returns whether the body contains nothing else.
pub(crate) fn each_row<'a>(body: &'a str, mut each: impl FnMut(&'a str, Members<'a>)) -> bool {
    let Ok(whole) = serde_json::from_str::<&RawValue>(body) else {
        return false;
    };
    let several = serde_json::from_str(body);
    for row in several.unwrap_or_else(|_| vec![whole]) {
        let Some(Json::Object(members)) = Json::of(row, 0) else {
            return false;
        };
        each(row.get(), members);
    }
    true
}

/// A string, borrowed if it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, [u8]>);

/// The members of an object in order, with duplicates and unparsed values.
pub struct RawMembers<'a, N>(pub Vec<(N, &'a RawValue)>);

impl<'de, N: Deserialize<'de>> Deserialize<'de> for RawMembers<'de, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<N>(PhantomData<N>);
        impl<'de, N: Deserialize<'de>> Visitor<'de> for InOrder<N> {
            type Value = RawMembers<'de, N>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_equal_their_characters_but_numbers_keep_their_spelling() {
        let parse = |text| Json::parse(text).unwrap();
        assert_eq!(
            parse(r#" {"\u0061" : ["\ud83d\ude00","\/"] } "#),
            parse("{\"a\":[\"\u{1f600}\",\"/\"]}")
        );
        assert_ne!(parse("1.50"), parse("1.5"));
        assert_eq!(parse("90071992547409931230"), Json::Number("90071992547409931230"));
        assert_ne!(parse(r#""\ud800x""#), parse("\"\u{fffd}x\""));
        assert_eq!(parse(r#""\ud800\n""#), parse("\"\\uD800\\u000a\""));
    }

    #[test]
    fn rows_are_returned_with_their_text() {
        let mut rows = Vec::new();
        each_row(" [ {\"a\":1}, {\"b\" : [{}]} ] ", |text, members| {
            rows.push((text, members.len()));
        });
        assert_eq!(rows, [("{\"a\":1}", 1), ("{\"b\" : [{}]}", 1)]);
        let mut rows = 0;
        each_row("{\"a\":1}", |_, _| rows += 1);
        each_row("[]", |_, _| rows += 1);
        assert_eq!(rows, 1);
    }
}
