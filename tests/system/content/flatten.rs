//! What becomes of a record on either road: objects flattened, names with a suffix for the type of the value.

use std::sync::LazyLock;

use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::content::schema::{Columns, Schema};
use crate::content::tools::Row;

/// The way that a record takes into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    /// The service makes a column of every value.
    DataCollector,
    /// What has no declared column is kept in one, by its path.
    LogsIngestion,
}

impl Road {
    pub(crate) const BOTH: [Self; 2] = [Self::DataCollector, Self::LogsIngestion];

    /// Each event by another road than the one before, as in a table whose connector changed roads and changed back.
    pub(crate) const fn in_turn(number: u32) -> Self {
        Self::BOTH[(number % 2) as usize]
    }
}

/// The column for what has none of its own.
pub(crate) const ADDITIONAL_FIELDS: &str = "AdditionalFields";

static DECLARED: LazyLock<Columns> = LazyLock::new(|| Schema::read().declared().clone());

/// The columns of a record.
pub(crate) fn flatten(record: &Map<String, Value>, road: Road) -> Row {
    let mut row = Row::new();
    let mut additional = Map::new();
    leaves("", record, &mut |path, value| {
        let (suffix, written) = written(value);
        let column = format!("{path}_{suffix}");
        if road == Road::DataCollector || DECLARED.contains_key(&column) {
            row.insert(column, written);
        } else {
            additional.insert(path, value.clone());
        }
    });
    if road == Road::LogsIngestion {
        // A text that is empty is left out there.
        row.retain(|_, value| value != "");
        additional.retain(|_, value| value != "");
        if !additional.is_empty() {
            row.insert(ADDITIONAL_FIELDS.to_owned(), Value::Object(additional));
        }
    }
    row
}

/// Hands on every value that is no object, with its path.
fn leaves(before: &str, object: &Map<String, Value>, take: &mut impl FnMut(String, &Value)) {
    for (name, value) in object {
        match value {
            // A null is no value: it brings no column.
            Value::Null => {}
            Value::Object(inner) => leaves(&format!("{before}{name}_"), inner, take),
            _ => take(format!("{before}{name}"), value),
        }
    }
}

/// The suffix for a value, and the value as its column holds it.
fn written(value: &Value) -> (char, Value) {
    match value {
        Value::Bool(_) => ('b', value.clone()),
        Value::Number(_) => ('d', value.clone()),
        Value::String(text) if is_guid(text) => ('g', dashed(text).into()),
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => ('t', value.clone()),
        Value::String(_) => ('s', value.clone()),
        _ => ('s', Value::String(value.to_string())),
    }
}

/// With dashes or without.
fn is_guid(text: &str) -> bool {
    let dashes_stand_right = match text.len() {
        32 => !text.contains('-'),
        36 => text
            .match_indices('-')
            .map(|(place, _)| place)
            .eq([8, 13, 18, 23]),
        _ => false,
    };
    dashes_stand_right
        && text
            .chars()
            .all(|character| character == '-' || character.is_ascii_hexdigit())
}

/// As it is stored, with dashes.
fn dashed(guid: &str) -> String {
    let digits = guid.replace('-', "");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}

#[test]
fn a_value_chooses_its_column() {
    let record = json!({
        "txid": "00000000111122223333444444444444", "event_uid": "78014a01ad54f0541f65c8ed4aa9cb5686150eea",
        "ts": "2026-11-22T11:50:22.591015+00:00", "credits": 2, "old_target": null, "alias": "",
        "access_device": {"is_password_set": "unknown", "location": {"city": "Oslo"}, "security_agents": [{"a": 1}]},
        "passport_assessment": {"is_supported": false},
    });
    let mut expected = json!({
        "txid_g": "00000000-1111-2222-3333-444444444444", "event_uid_s": "78014a01ad54f0541f65c8ed4aa9cb5686150eea",
        "ts_t": "2026-11-22T11:50:22.591015+00:00", "credits_d": 2, "alias_s": "",
        "access_device_is_password_set_s": "unknown", "access_device_location_city_s": "Oslo",
        "access_device_security_agents_s": "[{\"a\":1}]", "passport_assessment_is_supported_b": false,
    });
    let record = record.as_object().unwrap();
    assert_eq!(
        Value::Object(flatten(record, Road::DataCollector)),
        expected
    );
    expected.as_object_mut().unwrap().remove("alias_s");
    assert_eq!(
        Value::Object(flatten(record, Road::LogsIngestion)),
        expected
    );
}

#[test]
fn what_cannot_be_declared_has_its_path_on_one_road_and_a_column_on_the_other() {
    let record = json!({
        "adaptive_trust_assessments": {"more_secure_auth": {"trust_level": "LOW", "policy_enabled": true, "detected_attack_detectors": ["A"]}},
        "nobody_knew": {"of": 1, "it": ""},
    });
    let record = record.as_object().unwrap();
    let declared = flatten(record, Road::LogsIngestion);
    let expected = json!({ADDITIONAL_FIELDS: {
        "adaptive_trust_assessments_more_secure_auth_trust_level": "LOW",
        "adaptive_trust_assessments_more_secure_auth_policy_enabled": true,
        "adaptive_trust_assessments_more_secure_auth_detected_attack_detectors": ["A"],
        "nobody_knew_of": 1,
    }});
    assert_eq!(Value::Object(declared), expected);
    let made = flatten(record, Road::DataCollector);
    let expected = json!({
        "adaptive_trust_assessments_more_secure_auth_trust_level_s": "LOW",
        "adaptive_trust_assessments_more_secure_auth_policy_enabled_b": true,
        "adaptive_trust_assessments_more_secure_auth_detected_attack_detectors_s": "[\"A\"]",
        "nobody_knew_of_d": 1,
        "nobody_knew_it_s": "",
    });
    assert_eq!(Value::Object(made), expected);
}
