//! Equality of values of a column.

use serde_json::Value;

/// A form in which equal values are equal texts; `None` for no value.
///
/// An empty text is no value: a text column has no null, and whether the Data Collector API keeps
/// empty texts is not documented. Numbers are compared by value, and JSON arrays in texts by
/// content, because their format is not documented.
pub(crate) fn canonical(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(truth) => Some(format!("b{truth}")),
        Value::Number(number) => Some(format!("d{:?}", number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if text.starts_with('[') => {
            let array = serde_json::from_str::<Value>(text).ok();
            Some(array.as_ref().map_or_else(|| format!("s{text}"), json))
        }
        Value::String(text) => Some(format!("s{text}")),
        Value::Array(_) | Value::Object(_) => Some(json(value)),
    }
}

fn json(value: &Value) -> String {
    // Members are sorted by name here.
    format!("j{value}")
}
