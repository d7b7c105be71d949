//! What was found out about closed hours, counted.

use std::ops::AddAssign;

use serde::Serialize;

use crate::sync::HourState;

/// What was found out about closed hours, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HoursFound {
    /// Everything that Duo shows of them was delivered.
    pub complete: u64,
    /// A part is missing.
    pub gap: u64,
    /// It cannot be told.
    pub unknown: u64,
}

impl HoursFound {
    pub(super) fn add(&mut self, state: HourState) {
        let count = match state {
            HourState::Gap => &mut self.gap,
            HourState::Unknown => &mut self.unknown,
            HourState::Counted | HourState::Proved | HourState::LateRead => &mut self.complete,
        };
        *count += 1;
    }
}

impl AddAssign for HoursFound {
    fn add_assign(&mut self, other: Self) {
        self.complete += other.complete;
        self.gap += other.gap;
        self.unknown += other.unknown;
    }
}
