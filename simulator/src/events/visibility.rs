//! Order and visibility of events.

use std::ops::Range;

use super::{Events, Stream};

impl Events {
    /// Whether the event appears only after the late delay.
    ///
    /// Identical v1 records appear together, because a missing one could not be identified.
    pub(crate) fn is_late(&self, index: u32) -> bool {
        let index = if self.log.is_v1() { self.twin(index) } else { index };
        self.late_per_mille > 0
            && self.random(Stream::Late, index.into()).chance(self.late_per_mille)
    }

    /// Whether the event is visible at `now` (milliseconds).
    pub(crate) fn is_visible(&self, index: u32, now: i64) -> bool {
        let time = self.millisecond(index);
        time <= now - self.hidden_milliseconds
            && (time <= now.saturating_sub(self.late_milliseconds) || !self.is_late(index))
    }

    /// The positions of all events with `from` <= millisecond <= `through`, visible or not.
    pub(crate) fn positions(&self, from: i64, through: i64) -> Range<usize> {
        let start = self.order.partition_point(|index| self.millisecond(*index) < from);
        let end = self.order.partition_point(|index| self.millisecond(*index) <= through);
        start..end.max(start)
    }

    /// The part of `range` that is old enough to be visible at `now` (ms), with late events.
    pub(crate) fn settled(&self, range: &Range<usize>, now: i64) -> Range<usize> {
        let end = self.positions(i64::MIN, now - self.hidden_milliseconds).end;
        range.start.min(end)..range.end.min(end)
    }

    /// The first position after the event with this millisecond and identifier.
    pub(crate) fn position_after(&self, millisecond: i64, id: u128) -> usize {
        self.order.partition_point(|index| {
            (self.millisecond(*index), id_key(self, *index, millisecond)) <= (millisecond, id)
        })
    }

    /// The first position not before the event with this millisecond and identifier.
    pub(crate) fn position_of(&self, millisecond: i64, id: u128) -> usize {
        self.order.partition_point(|index| {
            (self.millisecond(*index), id_key(self, *index, millisecond)) < (millisecond, id)
        })
    }

    /// Number of events in this range of positions that are visible at `now` (milliseconds).
    pub(crate) fn count_visible(&self, range: &Range<usize>, now: i64) -> usize {
        let settled = self.positions(i64::MIN, now - self.hidden_milliseconds).end;
        let end = range.end.min(settled).max(range.start);
        // Below that, only late events that are younger than their delay are still missing.
        let appeared = self.positions(i64::MIN, now.saturating_sub(self.late_milliseconds)).end;
        let young = range.start.max(appeared)..end;
        let first = self.late_positions.partition_point(|at| (*at as usize) < young.start);
        let last = self.late_positions.partition_point(|at| (*at as usize) < young.end);
        (end - range.start) - last.saturating_sub(first)
    }
}

/// The identifier within `millisecond`, where it matters; 0 elsewhere.
fn id_key(events: &Events, index: u32, millisecond: i64) -> u128 {
    if events.millisecond(index) == millisecond { events.id(index) } else { 0 }
}
