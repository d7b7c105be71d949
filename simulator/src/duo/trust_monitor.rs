//! Trust Monitor: milliseconds although v1, and a cursor that comes back as `offset`.

use super::parameters::{Parameters, whole_number};
use super::records::{self, Page};
use super::response::Refusal;
use crate::{FaultKind, LogType, Shared};

const LOG: LogType = LogType::TrustMonitor;

/// Not documented; one client assumes this value.
const DEFAULT_LIMIT: usize = 50;

/// Added to a position, so that a cursor does not look like a number of records to skip.
const CURSOR_BASE: usize = 31_000;

/// The page for a request of Trust Monitor events. `next_offset` is ignored, as by Duo.
pub(super) fn page(
    shared: &Shared,
    parameters: &Parameters,
    now: i64,
    fault: Option<&FaultKind>,
) -> Result<Page, Refusal> {
    let window = parameters.window(now)?;
    let limit = parameters.limit(DEFAULT_LIMIT, shared.config.trust_monitor_limit)?;
    let events = shared.world.events(LOG);
    let all = events.settled(&events.positions(window.mintime, window.maxtime), now);
    let offset = parameters.one("offset")?;
    let first = match offset {
        None => all.start,
        Some(text) => position(text)
            .filter(|position| (all.start..=all.end).contains(position))
            .ok_or_else(|| Refusal::parameter("offset"))?,
    };
    let visible = |position: &usize| events.is_visible(events.index_at(*position), now);
    // One more than requested shows whether this is the last page.
    let mut positions: Vec<usize> = (first..all.end).filter(visible).take(limit + 1).collect();
    let more = positions.len() > limit;
    positions.truncate(limit);
    let next = match (offset, positions.last()) {
        (Some(same), _) if fault == Some(&FaultKind::RepeatCursor) => position(same),
        (_, Some(last)) if more && fault != Some(&FaultKind::NoMetadata) => Some(last + 1),
        _ => None,
    };
    let indexes: Vec<u32> = positions.iter().map(|position| events.index_at(*position)).collect();
    let mut response = String::with_capacity(indexes.len() * 1_700 + 100);
    response.push_str("{\"events\":");
    records::array(&shared.world, LOG, &indexes, fault, &mut response);
    response.extend([",\"metadata\":{", &next.map(metadata).unwrap_or_default(), "}}"]);
    Ok(Page { response, records: indexes.len() })
}

/// Samples have both a string and a number, so both occur.
fn metadata(position: usize) -> String {
    let cursor = CURSOR_BASE + position;
    let quote = if position.is_multiple_of(2) { "\"" } else { "" };
    format!("\"next_offset\":{quote}{cursor}{quote}")
}

fn position(cursor: &str) -> Option<usize> {
    usize::try_from(whole_number(cursor)?).ok()?.checked_sub(CURSOR_BASE)
}
