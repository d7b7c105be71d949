//! Parsing of a request body as far as the service does: JSON, objects, allowed property names.

use chrono::DateTime;
use serde::de::IgnoredAny;

use crate::json::{Json, Members, each_row, member};
use crate::log_analytics::tables::LARGEST_COLLECTED;

/// Names reserved by the service.
const RESERVED: [&str; 3] = ["tenant", "TimeGenerated", "RawData"];

/// The rows of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) count: u64,
    /// Values that exceed the limit of the service.
    pub(super) values_cut: u64,
}

/// Counts the rows of a body, one object or an array of objects. The error describes the problem.
///
/// With `time_field`, each row must have that field with an ISO 8601 time.
pub(super) fn count(body: &str, time_field: Option<&str>) -> Result<Rows, String> {
    serde_json::from_str::<IgnoredAny>(body).map_err(|error| error.to_string())?;
    let (mut rows, mut error) = (Rows::default(), None);
    let is_whole = each_row(body, |_, members| {
        rows.count += 1;
        rows.values_cut += values_cut(&members);
        let bad = members.iter().find(|(name, _)| !is_allowed(name));
        if let Some((name, _)) = bad {
            let name = String::from_utf8_lossy(name);
            error.get_or_insert(format!("the property name {name} is not allowed"));
        }
        let time = time_field.map(|name| member(&members, name).and_then(Json::as_text));
        if time.is_some_and(|time| !time.is_some_and(is_time)) {
            error.get_or_insert("the time-generated-field is not a time".to_owned());
        }
    });
    match error {
        Some(error) => Err(error),
        None if is_whole => Ok(rows),
        None => Err("the body is neither an array of objects nor an object".to_owned()),
    }
}

/// Number of values of a row that the service truncates, by column.
fn values_cut(members: &Members<'_>) -> u64 {
    let of_value = |value: &Json<'_>| match value {
        Json::Object(members) => values_cut(members),
        Json::Text(text) => u64::from(text.len() > LARGEST_COLLECTED),
        Json::Array(array) => u64::from(array.text.len() > LARGEST_COLLECTED),
        Json::Null | Json::Truth(_) | Json::Number(_) => 0,
    };
    members.iter().map(|(_, value)| of_value(value)).sum()
}

/// Property names may contain only letters, digits and underscores.
fn is_allowed(name: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_reserved = RESERVED.iter().any(|reserved| reserved.as_bytes() == name);
    !name.is_empty() && name.iter().all(allowed) && !is_reserved
}

fn is_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_bad_bodies_refused() {
        let rows = |body| super::count(body, None).unwrap().count;
        assert_eq!(rows("[]"), 0);
        assert_eq!(rows("{\"a\":1}"), 1);
        assert_eq!(rows("[{\"a\":\"\\ud800\"},{\"\\u0061\":{\"x y\":[]}}]"), 2);
        for bad in [
            "",
            "[1]",
            "\"x\"",
            "[{}",
            "[{}] x",
            "[{\"TimeGenerated\":1}]",
            "[{\"a b\":1}]",
            "[null]",
            "[{},1]",
        ] {
            assert!(count(bad, None).is_err(), "{bad}");
        }
        assert!(count("[{\"t\":\"2026-11-22T11:55:01.234567Z\"}]", Some("t")).is_ok());
        assert!(count("[{\"t\":\"2026-11-22T11:55:01Z\"},{}]", Some("t")).is_err());
        assert!(count("[{\"t\":5}]", Some("t")).is_err());
    }
}
