//! Row against event: which field differs?

use super::json::{Json, Members, member};

/// The fields a row has beyond its event.
pub(super) const ADDED: [&str; 6] = [
    "eventtype",
    "host",
    "event_uid",
    "event_time",
    "ingest_kind",
    "ingest_batch",
];

/// Present only in a row with values that were too large for the service.
pub(super) const TRUNCATED: &str = "truncated_fields";

/// Fields of `access_device` whose type wavers, which rows therefore hold as texts.
const AS_TEXT: [&str; 3] = [
    "is_encryption_enabled",
    "is_firewall_enabled",
    "is_password_set",
];

/// Whether the row's own fields are set aside, and so are no part of the event.
pub(super) fn is_added(name: &[u8]) -> bool {
    name == TRUNCATED.as_bytes() || ADDED.iter().any(|added| added.as_bytes() == name)
}

/// The path of the first field in which `row` differs from `event`.
///
/// With `cut`, a text of the row may be the beginning of the event's.
pub(super) fn difference(event: &Members<'_>, row: &Members<'_>, cut: bool) -> Option<String> {
    let mut path = Vec::new();
    members_differ(event, row, cut, &mut path).then(|| path.join("."))
}

fn members_differ(
    event: &Members<'_>,
    row: &Members<'_>,
    cut: bool,
    path: &mut Vec<String>,
) -> bool {
    for (place, (name, value)) in event.iter().enumerate() {
        let name = String::from_utf8_lossy(name);
        path.push(name.clone().into_owned());
        // Usually the order was kept, which saves the search.
        let same_place = row
            .get(place)
            .filter(|(other, _)| **other == *name.as_bytes());
        let found = same_place
            .map(|(_, value)| value)
            .or_else(|| member(row, &name));
        let Some(found) = found else { return true };
        if values_differ(value, found, cut, path) {
            return true;
        }
        path.pop();
    }
    if row.len() == event.len() {
        return false;
    }
    let extra = row.iter().map(|(name, _)| String::from_utf8_lossy(name));
    let extra = extra.into_iter().find(|name| member(event, name).is_none());
    path.push(
        extra.map_or("(a name that occurs twice)".to_owned(), |name| {
            format!("{name} (added)")
        }),
    );
    true
}

fn values_differ(event: &Json<'_>, row: &Json<'_>, cut: bool, path: &mut Vec<String>) -> bool {
    match (event, row) {
        (Json::Object(event), Json::Object(row)) => members_differ(event, row, cut, path),
        (Json::Array(event), Json::Array(row)) => {
            let pairs = event.iter().zip(row);
            event.len() != row.len()
                || pairs
                    .into_iter()
                    .any(|(event, row)| values_differ(event, row, cut, path))
        }
        (Json::Truth(truth), row) if is_sent_as_text(path) => {
            row.as_text() != Some(if *truth { "true" } else { "false" })
        }
        (Json::Text(event), Json::Text(row)) if cut => !event.starts_with(row),
        _ => event != row,
    }
}

fn is_sent_as_text(path: &[String]) -> bool {
    let (parents, name) = match path {
        [parents @ .., name] => (parents, name.as_str()),
        [] => return false,
    };
    let of_device = parents == ["access_device"] || parents == ["surfaced_auth", "access_device"];
    of_device && AS_TEXT.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(event: &str, row: &str) -> Option<String> {
        let members = |text| match Json::parse(text) {
            Some(Json::Object(members)) => members,
            other => panic!("{other:?}"),
        };
        difference(&members(event), &members(row), false)
    }

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(
            compare(r#"{"a":1,"b":{"c":"x"}}"#, r#"{"b":{"c":"\u0078"},"a":1}"#),
            None
        );
        let cases = [
            (r#"{"a":{"b":1}}"#, r#"{"a":{"b":1.0}}"#, "a.b"),
            (r#"{"a":{"b":null}}"#, r#"{"a":{}}"#, "a.b"),
            (r#"{"a":1}"#, r#"{"a":1,"x":2}"#, "x (added)"),
            (
                r#"{"a":1}"#,
                r#"{"a":1,"a":1}"#,
                "(a name that occurs twice)",
            ),
            (
                r#"{"a":[1,{"b":true}]}"#,
                r#"{"a":[1,{"b":"true"}]}"#,
                "a.b",
            ),
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
        assert_eq!(
            compare(event, event).as_deref(),
            Some("access_device.is_password_set")
        );
        let event = r#"{"surfaced_auth":{"access_device":{"is_password_set":false}}}"#;
        let row = r#"{"surfaced_auth":{"access_device":{"is_password_set":"false"}}}"#;
        assert_eq!(compare(event, row), None);
        let elsewhere = r#"{"is_password_set":true}"#;
        assert_eq!(compare(elsewhere, elsewhere), None);
    }
}
