//! The records of a page, with what a fault does to them.

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
        } else {
            events.write_record(*index, out);
        }
    }
    out.push(']');
}
