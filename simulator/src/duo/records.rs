//! The records of a page, with what a fault does to them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::events::World;
use crate::{FaultKind, LogType};

/// A page in the making.
pub(super) struct Page {
    /// What stands behind `"response":`.
    pub(super) response: String,
    /// How many records it holds.
    pub(super) records: usize,
}

/// Writes the records at `indexes` as a JSON array.
pub(super) fn array(
    world: &World,
    log: LogType,
    indexes: &[u32],
    fault: Option<&FaultKind>,
    out: &mut String,
) {
    let events = world.events(log);
    let middle = indexes.len() / 2;
    let mut separator = "";
    out.push('[');
    for (place, index) in indexes.iter().enumerate() {
        if place == middle && fault == Some(&FaultKind::ShortCount) {
            continue;
        }
        out.push_str(separator);
        separator = ",";
        if place == middle && fault == Some(&FaultKind::NotAnObject) {
            out.push_str("\"not an event\",");
        }
        if place == middle && fault == Some(&FaultKind::LoneSurrogate) {
            out.push_str(&world.spoil(log, *index));
        } else if fault == Some(&FaultKind::KeyOrder) {
            out.push_str(&in_other_order(&events.record(*index)));
        } else {
            events.write_record(*index, out);
        }
    }
    out.push(']');
}

/// The same JSON value with the keys of its objects in another order.
fn in_other_order(json: &str) -> String {
    let Ok(members) = serde_json::from_str::<BTreeMap<&str, &RawValue>>(json) else {
        return json.to_owned();
    };
    let backwards = members.into_iter().rev();
    let members: Vec<String> = backwards
        .map(|(key, value)| format!("\"{key}\" : {}", in_other_order(value.get())))
        .collect();
    format!("{{ {} }}", members.join(" , "))
}
