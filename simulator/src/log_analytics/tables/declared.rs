//! Conversion of a value to the type of its column.

use serde_json::{Number, Value};

use super::column::ColumnType;
use super::forms::{moment, spelled};
use crate::json::Json;

/// A converted value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fitted {
    /// The stored value; null if there was none or it did not fit.
    pub(crate) value: Value,
    /// Whether the value could not be converted to the column's type.
    pub(crate) misfit: bool,
    /// Whether the value exceeded the limit of a column.
    pub(crate) truncated: bool,
}

/// Converts a value for a column of this type that stores at most `largest` bytes.
///
/// Only the declaration of types is documented. Conversions are those of KQL's `tostring`,
/// `toreal`, `tobool` and `todatetime`: text that spells a number, boolean or time is converted.
pub(crate) fn fit(value: &Json<'_>, column_type: ColumnType, largest: usize) -> Fitted {
    let plain = |value: Option<Value>| Fitted {
        misfit: value.is_none(),
        value: value.unwrap_or(Value::Null),
        truncated: false,
    };
    if *value == Json::Null {
        return plain(Some(Value::Null));
    }
    match column_type {
        ColumnType::String | ColumnType::Guid => {
            let text = as_text(value);
            let (kept, truncated) = truncate(&text, largest);
            Fitted { value: kept.into(), misfit: false, truncated }
        }
        ColumnType::Dynamic => dynamic(value, largest),
        ColumnType::Real => plain(real(value).map(Value::Number)),
        ColumnType::Boolean => plain(truth(value).map(Value::Bool)),
        ColumnType::DateTime => {
            let time = value.as_text().and_then(moment);
            plain(time.map(|time| spelled(time).into()))
        }
    }
}

/// The text of a value: text as it is, anything else as JSON.
pub(super) fn as_text(value: &Json<'_>) -> String {
    match value {
        Json::Text(text) => readable(text),
        other => written(other).to_string(),
    }
}

/// A value as `serde_json` value; lone surrogates are replaced.
pub(crate) fn written(value: &Json<'_>) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Truth(truth) => (*truth).into(),
        Json::Number(number) => {
            number.parse::<Number>().map_or_else(|_| Value::from(*number), Value::Number)
        }
        Json::Text(text) => readable(text).into(),
        Json::Array(array) => array.values.iter().map(written).collect(),
        Json::Object(members) => {
            let member = |(name, value): &(_, Json<'_>)| {
                let name: &std::borrow::Cow<'_, [u8]> = name;
                (readable(name), written(value))
            };
            members.iter().map(member).collect()
        }
    }
}

/// The text, with U+FFFD for each lone surrogate.
pub(crate) fn readable(text: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(text) {
        return text.to_owned();
    }
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        // The only three-byte sequence of WTF-8 that is not UTF-8.
        if let (0xED, [0xA0..=0xBF, _, behind @ ..]) = (first, after) {
            replaced.extend("\u{fffd}".bytes());
            rest = behind;
        } else {
            replaced.push(*first);
        }
    }
    String::from_utf8_lossy(&replaced).into_owned()
}

/// The longest prefix of whole characters within `largest` bytes, and whether it is shorter.
pub(super) fn truncate(text: &str, largest: usize) -> (&str, bool) {
    let mut end = largest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], end < text.len())
}

fn dynamic(value: &Json<'_>, largest: usize) -> Fitted {
    let value = written(value);
    let text = value.to_string();
    let (kept, truncated) = truncate(&text, largest);
    Fitted { value: if truncated { kept.into() } else { value }, misfit: false, truncated }
}

pub(super) fn real(value: &Json<'_>) -> Option<Number> {
    let number: f64 = match value {
        Json::Number(text) => text.parse().ok()?,
        other => other.as_text()?.trim().parse().ok()?,
    };
    Number::from_f64(number)
}

pub(super) fn truth(value: &Json<'_>) -> Option<bool> {
    if let Json::Truth(truth) = value {
        return Some(*truth);
    }
    let text = value.as_text()?;
    let is = |name: &str| text.eq_ignore_ascii_case(name);
    is("true").then_some(true).or(is("false").then_some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_converted_to_the_type_of_their_column() {
        use ColumnType::{Boolean, DateTime, Dynamic, Real, String};
        let cases = [
            ("\"a\"", String, json!("a")),
            ("1.50", String, json!("1.5")),
            ("true", String, json!("true")),
            ("[1, {\"a\":null}]", String, json!("[1,{\"a\":null}]")),
            ("5", Real, json!(5.0)),
            ("\"2.5\"", Real, json!(2.5)),
            ("\"True\"", Boolean, json!(true)),
            ("\"2026-11-22T15:04:05+00:00\"", DateTime, json!("2026-11-22T15:04:05.0000000Z")),
            ("{\"a\":[1]}", Dynamic, json!({"a": [1]})),
            ("null", Boolean, Value::Null),
        ];
        for (text, column_type, expected) in cases {
            let fitted = fit(&Json::parse(text).unwrap(), column_type, 64_000);
            assert_eq!(fitted.value, expected, "{text} as {column_type}");
            assert!(!fitted.misfit && !fitted.truncated, "{text} as {column_type}");
        }
        for (text, column_type) in [
            ("\"unknown\"", Boolean),
            ("1", Boolean),
            ("\"x\"", Real),
            ("1795359845", DateTime),
            ("\"today\"", DateTime),
            ("[]", Real),
        ] {
            let fitted = fit(&Json::parse(text).unwrap(), column_type, 64_000);
            assert!(fitted.misfit && fitted.value.is_null(), "{text}");
        }
    }

    #[test]
    fn long_text_is_truncated_between_characters() {
        let text = format!("\"{}\"", "\u{20ac}".repeat(4));
        let fitted = fit(&Json::parse(&text).unwrap(), ColumnType::String, 11);
        assert_eq!(fitted.value, "\u{20ac}".repeat(3));
        assert!(fitted.truncated);
        let fitted = fit(&Json::parse(&text).unwrap(), ColumnType::String, 12);
        assert!(!fitted.truncated);
    }
}
