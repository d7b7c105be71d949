//! What is known of each hour, in five words.

use serde::Serialize;

use crate::model::{Hour, Millis, Span};
use crate::sync::{DayResults, HourState};

/// What is known of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Nothing was collected then, or it did not come yet.
    None,
    /// Not compared with Duo yet.
    Pending,
    /// Duo's count agrees; not read in full yet.
    CountMatched,
    /// Read in full: everything was delivered in time.
    Verified,
    /// Read in full: a part was delivered late, or it was read late.
    VerifiedLate,
    /// A part is missing.
    Gap,
    /// It cannot be told.
    Unknown,
}

impl Mark {
    /// Every mark that says something, from the best to the worst.
    pub const ALL: [Self; 6] = [
        Self::Verified,
        Self::VerifiedLate,
        Self::CountMatched,
        Self::Pending,
        Self::Unknown,
        Self::Gap,
    ];

    /// The mark in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "not collected",
            Self::Pending => "pending",
            Self::CountMatched => "count matched",
            Self::Verified => "verified",
            Self::VerifiedLate => "verified late",
            Self::Gap => "gap",
            Self::Unknown => "unknown",
        }
    }
}

/// The hours of one UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Its date, `2026-11-22`.
    pub date: String,
    /// What is known of its hours, from 00 to 23.
    pub hours: [Mark; 24],
}

impl Day {
    /// What is known of each day; `collected` is the span of event time that was collected.
    pub(super) fn all(
        results: &[(Hour, DayResults)],
        collected: Option<Span>,
        now: Millis,
    ) -> Vec<Self> {
        let day = |(day, results): &(Hour, DayResults)| Self {
            date: day.date(),
            hours: std::array::from_fn(|number| {
                let hour = day.after(i64::try_from(number).expect("it is below 24"));
                mark(hour, results, collected, now)
            }),
        };
        let mut days: Vec<Self> = results.iter().map(day).collect();
        // Days before collection began say nothing.
        let is_empty = |day: &Self| day.hours.iter().all(|mark| *mark == Mark::None);
        while days.last().is_some_and(is_empty) {
            days.pop();
        }
        days
    }
}

fn mark(hour: Hour, results: &DayResults, collected: Option<Span>, now: Millis) -> Mark {
    if let Some(result) = results.hours.get(&hour.number_in_day()) {
        return match result.state {
            HourState::CountMatched => Mark::CountMatched,
            HourState::Verified if result.late == 0 => Mark::Verified,
            HourState::Verified | HourState::VerifiedLate => Mark::VerifiedLate,
            HourState::Gap => Mark::Gap,
            HourState::Unknown => Mark::Unknown,
        };
    }
    let is_begun = hour.start() <= now;
    let is_wanted = collected.is_some_and(|span| hour.end() > span.from);
    if is_begun && is_wanted {
        Mark::Pending
    } else {
        Mark::None
    }
}

/// Hours by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Marks {
    /// Read in full: everything was delivered in time.
    pub verified: u32,
    /// Read in full: a part was delivered late, or it was read late.
    pub verified_late: u32,
    /// Duo's count agrees; not read in full yet.
    pub count_matched: u32,
    /// Not compared with Duo yet.
    pub pending: u32,
    /// It cannot be told.
    pub unknown: u32,
    /// A part is missing.
    pub gap: u32,
}

impl Marks {
    pub(super) fn of(days: &[Day]) -> Self {
        let mut marks = Self::default();
        for mark in days.iter().flat_map(|day| day.hours) {
            match mark {
                Mark::None => {}
                Mark::Pending => marks.pending += 1,
                Mark::Verified => marks.verified += 1,
                Mark::VerifiedLate => marks.verified_late += 1,
                Mark::CountMatched => marks.count_matched += 1,
                Mark::Unknown => marks.unknown += 1,
                Mark::Gap => marks.gap += 1,
            }
        }
        marks
    }

    /// Hours with a mark.
    pub const fn count(&self) -> u32 {
        self.verified
            + self.verified_late
            + self.count_matched
            + self.pending
            + self.unknown
            + self.gap
    }
}
