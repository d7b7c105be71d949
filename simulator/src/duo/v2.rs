//! Authentication, activity and telephony: milliseconds, `next_offset`, `sort`.

use super::parameters::{Parameters, Window, whole_number};
use super::records::{self, Page};
use super::response::Refusal;
use crate::events::{Events, parse_uuid, uuid};
use crate::{FaultKind, LogType, Shared};

const DEFAULT_LIMIT: usize = 100;

/// The position after one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    millisecond: i64,
    id: u128,
}

/// The page for a request of one of the three logs.
pub(super) fn page(
    shared: &Shared,
    log: LogType,
    parameters: &Parameters,
    now: i64,
    fault: Option<&FaultKind>,
) -> Result<Page, Refusal> {
    let window = parameters.window(now)?;
    let limit = parameters.limit(DEFAULT_LIMIT, shared.config.max_limit)?;
    let ascending = match parameters.one("sort")? {
        Some("ts:asc") => true,
        None | Some("ts:desc") => false,
        Some(_) => return Err(Refusal::parameter("sort")),
    };
    let cursor = Cursor::of(log, &parameters.all("next_offset"), window)?;
    let events = shared.world.events(log);
    let all = events.positions(window.mintime, window.maxtime);
    let mut rest = events.settled(&all, now);
    match cursor {
        Some(Cursor { millisecond, id }) if ascending => {
            rest.start = events.position_after(millisecond, id).clamp(rest.start, rest.end);
        }
        Some(Cursor { millisecond, id }) => {
            rest.end = events.position_of(millisecond, id).clamp(rest.start, rest.end);
        }
        None => {}
    }
    let visible = |index: &u32| events.is_visible(*index, now);
    // One more than requested shows whether this is the last page.
    let mut indexes: Vec<u32> = if ascending {
        rest.map(|at| events.index_at(at)).filter(visible).take(limit + 1).collect()
    } else {
        rest.rev().map(|at| events.index_at(at)).filter(visible).take(limit + 1).collect()
    };
    let more = indexes.len() > limit;
    indexes.truncate(limit);
    let next = match (indexes.last(), cursor) {
        (_, Some(cursor)) if fault == Some(&FaultKind::RepeatCursor) => cursor.json(log),
        // The last page of telephony has null, the others a cursor that leads to an empty page.
        (Some(last), _) if more || log != LogType::Telephony => {
            Cursor::behind(events, *last).json(log)
        }
        _ => "null".to_owned(),
    };
    // Observed at Duo: the total of an empty page is 0, not that of the window.
    let total = if indexes.is_empty() { 0 } else { events.count_visible(&all, now) };
    let total = match fault {
        Some(FaultKind::WrongCount(wrong_by)) => {
            total.saturating_add_signed(isize::try_from(*wrong_by).unwrap_or_default())
        }
        _ => total,
    };
    let total = match log {
        LogType::Authentication => total.to_string(),
        _ => format!("{{\"relation\":\"eq\",\"value\":{total}}}"),
    };
    let metadata = match fault {
        Some(FaultKind::NoMetadata) => String::new(),
        _ => format!("\"next_offset\":{next},\"total_objects\":{total}"),
    };
    let mut response = String::with_capacity(indexes.len() * 1_800 + 200);
    let list = if log == LogType::Authentication { "authlogs" } else { "items" };
    response.extend(["{\"", list, "\":"]);
    records::array(&shared.world, log, &indexes, fault, &mut response);
    response.extend([",\"metadata\":{", &metadata, "}}"]);
    Ok(Page { response, records: indexes.len() })
}

impl Cursor {
    fn behind(events: &Events, index: u32) -> Self {
        Self { millisecond: events.millisecond(index), id: events.id(index) }
    }

    /// Parses `next_offset`: "ms,id", for authentication also as two parameters.
    /// The time must be in the window.
    fn of(log: LogType, values: &[&str], window: Window) -> Result<Option<Self>, Refusal> {
        let (millisecond, id) = match values {
            [] => return Ok(None),
            [one] => one.split_once(',').ok_or_else(refused)?,
            [millisecond, id] if log == LogType::Authentication => (*millisecond, *id),
            _ => return Err(refused()),
        };
        let inside = |time: &i64| (window.mintime..=window.maxtime).contains(time);
        let millisecond = whole_number(millisecond).filter(inside).ok_or_else(refused)?;
        let id = parse_uuid(id).ok_or_else(refused)?;
        Ok(Some(Self { millisecond, id }))
    }

    fn json(self, log: LogType) -> String {
        let (millisecond, id) = (self.millisecond, uuid(self.id));
        if log == LogType::Authentication {
            format!("[\"{millisecond}\",\"{id}\"]")
        } else {
            format!("\"{millisecond},{id}\"")
        }
    }
}

fn refused() -> Refusal {
    Refusal::parameter("next_offset")
}
