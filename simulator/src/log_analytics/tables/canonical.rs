//! When are two values of a column the same?

use serde_json::Value;

/// A form in which equal values are equal texts; `None` for nothing.
///
/// An empty text is nothing: a column of texts knows no null, and whether the Data Collector API keeps
/// empty texts is not documented. Numbers are equal by value. Texts that are JSON arrays are equal by
/// what they say, for no document fixes their spelling.
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
    // Members are in the order of their names here.
    format!("j{value}")
}
