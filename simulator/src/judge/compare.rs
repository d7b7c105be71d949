//! Row against event: which field differs?

use crate::json::{Json, Members, member};
use crate::log_analytics::tables::LARGEST_COLLECTED;

/// The fields a row has beyond its event.
pub(super) const ADDED: [&str; 7] = [
    "eventtype",
    "host",
    "event_uid",
    "event_content",
    "event_time",
    "ingest_kind",
    "ingest_batch",
];

/// Present only in a row with values that were too large for the service.
pub(super) const TRUNCATED: &str = "truncated_fields";

/// Fields of `access_device` whose type wavers, which rows therefore hold as texts.
const AS_TEXT: [&str; 3] = ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"];

/// Whether the row's own fields are set aside, and so are no part of the event.
pub(super) fn is_added(name: &[u8]) -> bool {
    name == TRUNCATED.as_bytes() || ADDED.iter().any(|added| added.as_bytes() == name)
}

/// The path of the first field in which `row` differs from `event`.
///
/// `cut` is the row's list of fields of which it has the beginning only, named like their columns: each of them must be
/// one that the service would have cut, and no other may be shorter than the event's.
pub(super) fn difference(event: &Members<'_>, row: &Members<'_>, cut: &str) -> Option<String> {
    let mut comparison = Comparison {
        cut: cut.split(',').filter(|name| !name.is_empty()).collect(),
        path: Vec::new(),
    };
    if comparison.members_differ(event, row) {
        return Some(comparison.path.join("."));
    }
    let in_vain = comparison.cut.first();
    in_vain.map(|name| format!("{TRUNCATED} names {name}, which"))
}

struct Comparison<'c> {
    /// Names of cut fields that were not met yet.
    cut: Vec<&'c str>,
    path: Vec<String>,
}

impl Comparison<'_> {
    fn members_differ(&mut self, event: &Members<'_>, row: &Members<'_>) -> bool {
        for (place, (name, value)) in event.iter().enumerate() {
            let name = String::from_utf8_lossy(name);
            self.path.push(name.clone().into_owned());
            // Usually the order was kept, which saves the search.
            let same_place = row.get(place).filter(|(other, _)| **other == *name.as_bytes());
            let found = same_place.map(|(_, value)| value).or_else(|| member(row, &name));
            let Some(found) = found else { return true };
            if self.values_differ(value, found) {
                return true;
            }
            self.path.pop();
        }
        if row.len() == event.len() {
            return false;
        }
        let extra = row.iter().map(|(name, _)| String::from_utf8_lossy(name));
        let extra = extra.into_iter().find(|name| member(event, name).is_none());
        self.path.push(
            extra.map_or("(a name that occurs twice)".to_owned(), |name| format!("{name} (added)")),
        );
        true
    }

    fn values_differ(&mut self, event: &Json<'_>, row: &Json<'_>) -> bool {
        match (event, row) {
            (Json::Object(event), Json::Object(row)) => self.members_differ(event, row),
            (Json::Array(event), Json::Array(row)) => {
                let pairs = event.values.iter().zip(&row.values);
                event.values.len() != row.values.len()
                    || pairs.into_iter().any(|(event, row)| self.values_differ(event, row))
            }
            (Json::Truth(truth), row) if is_sent_as_text(&self.path) => {
                row.as_text() != Some(if *truth { "true" } else { "false" })
            }
            (Json::Text(event), Json::Text(row)) if self.is_cut() => {
                !is_beginning(event, row, LARGEST_COLLECTED)
            }
            (Json::Array(event), Json::Text(row)) if self.is_cut() => {
                !is_beginning(event.text.as_bytes(), row, LARGEST_COLLECTED)
            }
            _ => event != row,
        }
    }

    /// Whether the field at hand is named as cut; each name stands for one field.
    fn is_cut(&mut self) -> bool {
        let column = self.path.join("_");
        let found = self.cut.iter().position(|name| *name == column);
        found.map(|place| self.cut.remove(place)).is_some()
    }
}

/// Whether a row has as much of a value as the service keeps, and not more. A character has up to four bytes.
pub(super) fn is_beginning(event: &[u8], row: &[u8], largest: usize) -> bool {
    event.len() > largest && event.starts_with(row) && (largest - 3..=largest).contains(&row.len())
}

fn is_sent_as_text(path: &[String]) -> bool {
    let (parents, name) = match path {
        [parents @ .., name] => (parents, name.as_str()),
        [] => return false,
    };
    let of_device = parents == ["access_device"] || parents == ["surfaced_auth", "access_device"];
    of_device && AS_TEXT.contains(&name)
}

/// The same of a path that is joined with `_`.
pub(super) fn is_sent_as_text_flat(path: &str) -> bool {
    let path = path.strip_prefix("surfaced_auth_").unwrap_or(path);
    let name = path.strip_prefix("access_device_");
    name.is_some_and(|name| AS_TEXT.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(event: &str, row: &str) -> Option<String> {
        let members = |text| match Json::parse(text) {
            Some(Json::Object(members)) => members,
            other => panic!("{other:?}"),
        };
        difference(&members(event), &members(row), "")
    }

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(compare(r#"{"a":1,"b":{"c":"x"}}"#, r#"{"b":{"c":"\u0078"},"a":1}"#), None);
        let cases = [
            (r#"{"a":{"b":1}}"#, r#"{"a":{"b":1.0}}"#, "a.b"),
            (r#"{"a":{"b":null}}"#, r#"{"a":{}}"#, "a.b"),
            (r#"{"a":1}"#, r#"{"a":1,"x":2}"#, "x (added)"),
            (r#"{"a":1}"#, r#"{"a":1,"a":1}"#, "(a name that occurs twice)"),
            (r#"{"a":[1,{"b":true}]}"#, r#"{"a":[1,{"b":"true"}]}"#, "a.b"),
        ];
        for (event, row, path) in cases {
            assert_eq!(compare(event, row).as_deref(), Some(path), "{row}");
        }
    }

    #[test]
    fn three_fields_of_a_device_are_texts() {
        let event = r#"{"access_device":{"is_password_set":true,"is_firewall_enabled":"unknown"}}"#;
        let row = r#"{"access_device":{"is_password_set":"true","is_firewall_enabled":"unknown"}}"#;
        assert_eq!(compare(event, row), None);
        assert_eq!(compare(event, event).as_deref(), Some("access_device.is_password_set"));
        let event = r#"{"surfaced_auth":{"access_device":{"is_password_set":false}}}"#;
        let row = r#"{"surfaced_auth":{"access_device":{"is_password_set":"false"}}}"#;
        assert_eq!(compare(event, row), None);
        let elsewhere = r#"{"is_password_set":true}"#;
        assert_eq!(compare(elsewhere, elsewhere), None);
    }

    #[test]
    fn a_value_may_be_cut_where_the_service_would_cut_it_and_where_that_is_said() {
        let long = "\u{e9}".repeat(20_000);
        let event = format!(r#"{{"a":{{"b":"{long}"}},"c":["{long}"],"d":"short"}}"#);
        let row = |b: &str, c: &str, d: &str| {
            let array = serde_json::to_string(c).expect("a text");
            format!(r#"{{"a":{{"b":"{b}"}},"c":{array},"d":"{d}"}}"#)
        };
        let array = format!("[\"{long}\"]");
        let (b, c) = (&long[..32_000], &array[..32_000]);
        let difference = |row: &str, cut: &str| {
            let (event, row) = (Json::parse(&event), Json::parse(row));
            let (Some(Json::Object(event)), Some(Json::Object(row))) = (event, row) else {
                panic!("no objects");
            };
            super::difference(&event, &row, cut)
        };
        assert_eq!(difference(&row(b, c, "short"), "a_b,c"), None);
        let cases = [
            (row(b, c, "short"), "c", "a.b"),
            (row(b, c, "short"), "a_b", "c"),
            (row(b, c, "short"), "a.b,c", "a.b"),
            (row(&long[..30_000], c, "short"), "a_b,c", "a.b"),
            (row(&long[2..32_002].replacen('\u{e9}', "xx", 1), c, "short"), "a_b,c", "a.b"),
            (row(b, c, "sho"), "a_b,c,d", "d"),
            (row(b, c, "short"), "a_b,c,e", "truncated_fields names e, which"),
        ];
        for (row, cut, path) in cases {
            assert_eq!(difference(&row, cut).as_deref(), Some(path), "{cut}");
        }
    }
}
