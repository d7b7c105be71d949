//! What is known of closed hours: the proof that nothing is missing, or what is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::stored::{self, Unreadable};
use super::sweep::{CHECKS, Span};
use crate::model::{Hour, Millis};

/// Version of the form that this release writes.
const VERSION: u32 = 1;
/// Days that results are kept.
pub const KEPT_DAYS: i64 = 400;

/// What the last look at an hour found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HourState {
    /// As many records were delivered as Duo counts.
    Counted,
    /// A full reading found nothing that was not delivered, or what it found was delivered then.
    Proved,
    /// First looked at more than 24 hours after its end.
    LateRead,
    /// A part was never collected, or is counted by Duo and never shown.
    Gap,
    /// It cannot be told: Duo does not keep it any more, or the ids of what was delivered are damaged.
    Unknown,
}

impl HourState {
    /// Whether everything that Duo shows of the hour was delivered.
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Counted | Self::Proved | Self::LateRead)
    }
}

/// What is known of one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourResult {
    /// What was found.
    pub state: HourState,
    /// The part of the hour that was looked at.
    #[serde(flatten)]
    pub span: Span,
    /// Records that Duo counts, where it gave an exact number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// Events of the hour that Azure Monitor accepted, and those that were set aside because it refused them.
    pub delivered: u64,
    /// Events among them that were found by checks.
    #[serde(default)]
    pub late: u64,
    /// The part that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Span>,
    /// When it was last looked at.
    pub checked_at: Millis,
    /// Checks it got, from 1 to 4.
    pub checks: usize,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl HourResult {
    /// Whether the hour got its last check.
    pub const fn is_settled(&self) -> bool {
        self.checks >= CHECKS
    }
}

/// The results of the hours of one UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayResults {
    version: u32,
    min_reader: u32,
    /// By the hour's number, `00` to `23`.
    pub hours: BTreeMap<String, HourResult>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for DayResults {
    fn default() -> Self {
        Self {
            version: VERSION,
            min_reader: VERSION,
            hours: BTreeMap::new(),
            unknown: Map::new(),
        }
    }
}

impl DayResults {
    /// Reads stored results.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        stored::from_json(bytes, VERSION)
    }

    /// The stored form.
    pub fn to_json(&self) -> Vec<u8> {
        stored::to_json(self)
    }

    /// Adds what a look at an hour found to what is known of it.
    pub fn add(&mut self, hour: Hour, mut result: HourResult) {
        let name = hour.number_in_day();
        if let Some(before) = self.hours.remove(&name) {
            if before.state.is_complete() {
                if result.state == HourState::Unknown && before.is_settled() {
                    // A look that nobody needed, and that failed, takes no proof away.
                    result.state = before.state;
                }
                // What was proved before of a part that was not looked at now stays proved.
                result.span.from = result.span.from.min(before.span.from);
                result.span.to = result.span.to.max(before.span.to);
            }
            result.late = result.late.saturating_add(before.late);
            // Ids are forgotten once an hour is settled: what was delivered does not become less.
            result.delivered = result.delivered.max(before.delivered);
            result.checks = result.checks.max(before.checks);
            let still_agrees = before.counted == Some(result.delivered);
            result.counted = result.counted.or(before.counted.filter(|_| still_agrees));
            result.state = match (before.state, result.state) {
                // A count says less than a full reading, and nothing about when the hour was first looked at.
                (HourState::Proved | HourState::LateRead, HourState::Counted) => before.state,
                // It was looked at before: by another look, which a backfill does not know of.
                (
                    HourState::Counted | HourState::Proved | HourState::Gap | HourState::Unknown,
                    HourState::LateRead,
                ) => HourState::Proved,
                (_, state) => state,
            };
            result.unknown = before.unknown;
        }
        self.hours.insert(name, result);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::{DayResults, HourResult, HourState};
    use crate::model::{Hour, Millis};
    use crate::sync::sweep::Span;

    const HOUR: Hour = Hour::of(Millis(1_795_348_800_000));

    fn result(state: HourState, late: u64, delivered: u64) -> HourResult {
        HourResult {
            state,
            span: Span::of(HOUR),
            counted: Some(delivered),
            delivered,
            late,
            gap: None,
            checked_at: HOUR.end(),
            checks: 1,
            unknown: Map::new(),
        }
    }

    #[test]
    fn results_add_up_and_come_back_as_they_were_stored() {
        let mut day = DayResults::default();
        day.add(HOUR, result(HourState::Proved, 2, 12));
        day.add(HOUR, result(HourState::Counted, 0, 12));
        day.add(HOUR.after(1), result(HourState::Gap, 0, 0));
        let hour = &day.hours["12"];
        assert_eq!(
            (hour.state, hour.late, hour.delivered),
            (HourState::Proved, 2, 12)
        );
        day.add(HOUR, result(HourState::Proved, 1, 13));
        assert_eq!((day.hours["12"].late, day.hours["12"].delivered), (3, 13));
        assert_eq!(DayResults::from_json(&day.to_json()).unwrap(), day);
    }

    #[test]
    fn a_look_that_failed_takes_no_settled_proof_away() {
        let settled = HourResult {
            checks: 4,
            ..result(HourState::Counted, 0, 5)
        };
        let failed = HourResult {
            counted: None,
            ..result(HourState::Unknown, 0, 0)
        };
        let mut day = DayResults::default();
        day.add(HOUR, settled.clone());
        day.add(HOUR, failed.clone());
        assert_eq!(
            (day.hours["12"].state, day.hours["12"].counted),
            (HourState::Counted, Some(5))
        );
        // One that is not settled is looked at again, and what that says counts.
        let mut day = DayResults::default();
        day.add(
            HOUR,
            HourResult {
                checks: 2,
                ..settled
            },
        );
        day.add(HOUR, failed);
        assert_eq!(day.hours["12"].state, HourState::Unknown);
    }

    #[test]
    fn what_was_proved_of_a_part_of_an_hour_stays_proved() {
        let part = |state, from, to| HourResult {
            span: Span {
                from: HOUR.start() + from,
                to: HOUR.start() + to,
            },
            ..result(state, 0, 5)
        };
        let mut day = DayResults::default();
        day.add(HOUR, part(HourState::Proved, 0, 3_600_000));
        day.add(HOUR, part(HourState::Proved, 1_800_000, 3_600_000));
        assert_eq!(day.hours["12"].span, Span::of(HOUR));
        let mut day = DayResults::default();
        day.add(HOUR, part(HourState::Unknown, 0, 3_600_000));
        day.add(HOUR, part(HourState::Proved, 1_800_000, 3_600_000));
        assert_eq!(day.hours["12"].span.from, HOUR.start() + 1_800_000);
    }

    #[test]
    fn an_hour_that_was_looked_at_before_is_not_read_late_by_a_backfill() {
        for (before, after) in [
            (HourState::Gap, HourState::Proved),
            (HourState::Counted, HourState::Proved),
            (HourState::LateRead, HourState::LateRead),
        ] {
            let mut day = DayResults::default();
            day.add(HOUR, result(before, 0, 12));
            day.add(HOUR, result(HourState::LateRead, 2, 14));
            assert_eq!(day.hours["12"].state, after);
        }
    }

    #[test]
    fn what_a_later_release_stored_is_kept() {
        let text = r#"{"version":2,"min_reader":1,"hours":{"12":{"state":"proved","from":"2026-11-22T12:00:00.000Z","to":"2026-11-22T13:00:00.000Z","delivered":1,"checked_at":"2026-11-22T13:15:00.000Z","checks":1,"seal":"x"}},"day":7}"#;
        let mut day = DayResults::from_json(text.as_bytes()).unwrap();
        day.add(HOUR, result(HourState::Counted, 0, 1));
        let json: serde_json::Value = serde_json::from_slice(&day.to_json()).unwrap();
        assert_eq!(json["day"], 7);
        assert_eq!(json["hours"]["12"]["seal"], "x");
        assert!(DayResults::from_json(b"{\"min_reader\":9}").is_err());
    }
}
