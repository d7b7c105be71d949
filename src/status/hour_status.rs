use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use strum::{EnumIter, EnumMessage, EnumProperty, IntoEnumIterator as _, IntoStaticStr};

use crate::model::{Hour, Millis, Span};
use crate::sync::{DayResults, HourState};

/// The status of an hour, from best to worst. The doc comment is shown on the page; the shape is
/// the outline of the mark in its cell, so that marks differ not only in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[derive(EnumIter, EnumMessage, EnumProperty, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HourStatus {
    /// Read in full: every record was accepted by Azure Monitor or dead-lettered.
    #[strum(props(shape = "m1 1h8v8h-8z"))]
    Verified,
    /// Read in full in the same way, but first reconciled more than 24 hours after its end.
    #[strum(props(shape = "m1 1h8l-8 8z"))]
    VerifiedLate,
    /// Duo's count agrees with the number delivered; the hour is read in full a day after its end.
    #[strum(props(shape = "m1 5h8v4h-8z"))]
    CountMatched,
    /// Not reconciled yet: the first stage is due 15 minutes after the end of the hour.
    #[strum(props(shape = "m3 3h4v4h-4z"))]
    Pending,
    /// Completeness is unknown: Duo counts more events than it returns, no longer keeps the hour, or the hour could not be read to its end.
    #[strum(props(shape = "m5 0l5 5l-5 5l-5-5z"))]
    Unknown,
    /// Events are missing: Duo no longer keeps them, or more records share one second than Duo returns.
    #[strum(props(shape = "m0 0h10v10h-10zm3 3v4h4v-4z"))]
    Gap,
    /// Nothing was collected then, or the hour has not begun.
    None,
}

impl HourStatus {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::iter().filter(|status| *status != Self::None)
    }

    pub(super) fn name(self) -> String {
        self.class().replace('_', " ")
    }

    pub(super) fn class(self) -> &'static str {
        self.into()
    }

    fn of(hour: Hour, results: &DayResults, collected: Option<Span>, now: Millis) -> Self {
        if let Some(result) = results.hours.get(&hour.number_in_day()) {
            return match result.state {
                HourState::CountMatched => Self::CountMatched,
                HourState::Verified => Self::Verified,
                HourState::VerifiedLate => Self::VerifiedLate,
                HourState::Gap => Self::Gap,
                HourState::Unknown => Self::Unknown,
            };
        }
        let is_collected = collected.is_some_and(|span| hour.end() > span.from);
        if is_collected && hour.start() <= now { Self::Pending } else { Self::None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Day {
    pub date: String,
    /// Status by hour of day.
    pub hours: [HourStatus; 24],
}

impl Day {
    /// The days since collection began; `collected` is the collected span.
    pub(super) fn all(
        results: &[(Hour, DayResults)],
        collected: Option<Span>,
        now: Millis,
    ) -> Vec<Self> {
        let day = |(day, results): &(Hour, DayResults)| Self {
            date: day.date(),
            hours: std::array::from_fn(|number| {
                let hour = day.after(i64::try_from(number).expect("below 24"));
                HourStatus::of(hour, results, collected, now)
            }),
        };
        let mut days: Vec<Self> = results.iter().map(day).collect();
        let is_empty = |day: &Self| day.hours.iter().all(|status| *status == HourStatus::None);
        while days.last().is_some_and(is_empty) {
            days.pop();
        }
        days
    }
}

/// Number of hours by status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HourCounts(BTreeMap<HourStatus, u32>);

impl HourCounts {
    pub(super) fn of(days: &[Day]) -> Self {
        let mut counts: BTreeMap<HourStatus, u32> =
            HourStatus::all().map(|status| (status, 0)).collect();
        for status in days.iter().flat_map(|day| day.hours) {
            counts.entry(status).and_modify(|count| *count += 1);
        }
        Self(counts)
    }

    pub(crate) fn count(&self, status: HourStatus) -> u32 {
        self.0.get(&status).copied().unwrap_or_default()
    }

    /// Verified hours among the reconciled ones: `190 of 214`.
    pub(crate) fn verified_of_reconciled(&self) -> String {
        let verified = self.count(HourStatus::Verified) + self.count(HourStatus::VerifiedLate);
        let others = [HourStatus::CountMatched, HourStatus::Unknown, HourStatus::Gap]
            .map(|status| self.count(status));
        format!("{verified} of {}", verified + others.iter().sum::<u32>())
    }
}

impl fmt::Display for HourCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().map(|(status, count)| match status {
            HourStatus::Gap => format!("{count} with a gap"),
            status => format!("{count} {}", status.name()),
        });
        formatter.write_str(&counts.collect::<Vec<_>>().join(", "))
    }
}
