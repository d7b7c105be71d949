//! The records of a page, with the effects of a fault.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::events::World;
use crate::{FaultKind, LogType};

/// A page being built.
pub(super) struct Page {
    /// The value of `"response":`.
    pub(super) response: String,
    /// Number of records.
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
    for (position, index) in indexes.iter().enumerate() {
        let is_repeated = position == middle && position > 0;
        let index = match fault {
            Some(FaultKind::RepeatedRecord) if is_repeated => &indexes[middle - 1],
            _ => index,
        };
        if position == middle && fault == Some(&FaultKind::ShortCount) {
            continue;
        }
        out.push_str(separator);
        separator = ",";
        if position == middle && fault == Some(&FaultKind::NotAnObject) {
            out.push_str("\"not an event\",");
        }
        if position == middle && fault == Some(&FaultKind::LoneSurrogate) {
            out.push_str(&world.corrupt(log, *index));
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
