//! Short constructors of durations.

use chrono::TimeDelta;

pub(in crate::sync) const fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

pub(in crate::sync) const fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub(in crate::sync) const fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

pub(in crate::sync) const fn millis(count: i64) -> TimeDelta {
    TimeDelta::milliseconds(count)
}
