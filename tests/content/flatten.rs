//! What the Data Collector API makes of a record: objects flattened, names with a suffix for the type of the value.

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::tools::Row;

/// The columns of a record.
pub(crate) fn flatten(record: &Map<String, Value>) -> Row {
    let mut row = Row::new();
    add("", record, &mut row);
    row
}

fn add(before: &str, object: &Map<String, Value>, row: &mut Row) {
    for (name, value) in object {
        let name = format!("{before}{name}");
        let (suffix, value) = match value {
            // A null is no value: it brings no column.
            Value::Null => continue,
            Value::Object(inner) => {
                add(&format!("{name}_"), inner, row);
                continue;
            }
            Value::Bool(_) => ('b', value.clone()),
            Value::Number(_) => ('d', value.clone()),
            Value::Array(_) => ('s', Value::String(value.to_string())),
            Value::String(text) if is_guid(text) => ('g', value.clone()),
            Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => {
                ('t', value.clone())
            }
            Value::String(_) => ('s', value.clone()),
        };
        row.insert(format!("{name}_{suffix}"), value);
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

#[test]
fn a_value_chooses_its_column() {
    let record = serde_json::json!({
        "txid": "00000000-1111-2222-3333-444444444444", "event_uid": "78014a01ad54f0541f65c8ed4aa9cb5686150eea",
        "ts": "2026-11-22T11:50:22.591015+00:00", "credits": 2, "old_target": null,
        "access_device": {"is_password_set": "unknown", "location": {"city": "Oslo"}, "security_agents": [{"a": 1}]},
        "passport_assessment": {"is_supported": false},
    });
    let row = flatten(record.as_object().unwrap());
    let expected = serde_json::json!({
        "txid_g": "00000000-1111-2222-3333-444444444444", "event_uid_s": "78014a01ad54f0541f65c8ed4aa9cb5686150eea",
        "ts_t": "2026-11-22T11:50:22.591015+00:00", "credits_d": 2,
        "access_device_is_password_set_s": "unknown", "access_device_location_city_s": "Oslo",
        "access_device_security_agents_s": "[{\"a\":1}]", "passport_assessment_is_supported_b": false,
    });
    assert_eq!(Value::Object(row), expected);
}
