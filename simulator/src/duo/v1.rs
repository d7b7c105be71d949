//! Administrator and offline enrollment: seconds, no end, no cursor, a bare array.

use super::parameters::{Parameters, whole_number};
use super::records::{self, Page};
use super::response::Refusal;
use crate::events::Stream;
use crate::{FaultKind, LogType, Shared};

/// The page for a request of one of the two logs.
///
/// A page holds about [`crate::Config::v1_page`] of the earliest records, within one percent, in no
/// particular order. `mintime` in milliseconds is far in the future and finds nothing.
pub(super) fn page(
    shared: &Shared,
    log: LogType,
    parameters: &Parameters,
    now: i64,
    fault: Option<&FaultKind>,
) -> Result<Page, Refusal> {
    let mintime = parameters.one("mintime")?.and_then(whole_number);
    let mintime = mintime.ok_or_else(|| Refusal::parameter("mintime"))?;
    let events = shared.world.events(log);
    let mut random = events.random(Stream::Pages, mintime.unsigned_abs());
    let most = shared.config.v1_page.max(1);
    let spread = most / 100;
    let fewer = usize::try_from(random.below(2 * spread as u64 + 1)).unwrap_or(0);
    let size = most + spread - fewer;
    let all = events.positions(mintime.saturating_mul(1_000), i64::MAX);
    let mut indexes: Vec<u32> = events
        .settled(&all, now)
        .map(|at| events.index_at(at))
        .filter(|index| events.is_visible(*index, now))
        .take(size)
        .collect();
    for left in (1..indexes.len()).rev() {
        let other = usize::try_from(random.below(left as u64 + 1)).unwrap_or(0);
        indexes.swap(left, other);
    }
    let mut response = String::with_capacity(indexes.len() * 350 + 2);
    records::array(&shared.world, log, &indexes, fault, &mut response);
    Ok(Page { response, records: indexes.len() })
}
