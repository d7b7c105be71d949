//! Stored reconciliation results of closed hours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::schedule::STAGES;
use crate::model::{Hour, Millis, Span};
use crate::storage::{Document, Header};

pub(crate) const RESULT_DAYS: i64 = 400;

/// Outcome of the reconciliation of a closed hour. An hour without a result is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HourState {
    /// Duo's count equals the delivered events; the hour was not yet read in full.
    CountMatched,
    /// The hour was read in full, and every record in it was delivered.
    Verified,
    /// As `Verified`, but first reconciled more than 24 hours after the end of the hour.
    VerifiedLate,
    /// A part of the hour was never collected.
    Gap,
    /// Completeness is unknown: Duo counts more records than it returns, or no longer has the hour.
    Unknown,
}

impl HourState {
    /// Whether the hour was read in full and every record was delivered.
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Verified | Self::VerifiedLate)
    }

    const fn is_consistent(self) -> bool {
        self.is_verified() || matches!(self, Self::CountMatched)
    }
}

/// The reconciliation result of one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourResult {
    /// Outcome of the last reconciliation.
    pub state: HourState,
    /// The part of the hour that was reconciled.
    #[serde(flatten)]
    pub span: Span,
    /// Duo's record count, if Duo returned an exact one.
    pub duo_count: Option<u64>,
    /// Events that Azure Monitor accepted, plus refused ones that were dead-lettered.
    pub delivered: u64,
    /// Delivered events that reconciliation found.
    #[serde(default)]
    pub late: u64,
    /// The part that was never collected.
    pub gap: Option<Span>,
    /// Start of the last full reading, by Duo's clock; records returned by then are delivered.
    pub read_at: Option<Millis>,
    /// Time of the last reconciliation.
    pub reconciled_at: Millis,
    /// Reconciliation stages passed, 1 to 6.
    pub stages: usize,
    /// Whether only a backfill has reconciled the hour.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_backfill: bool,
    /// Fields of a later release, kept unchanged.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl HourResult {
    /// Whether the hour has passed its last stage.
    pub const fn is_final(&self) -> bool {
        self.stages >= STAGES
    }
}

/// The results of the hours of one UTC day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayResults {
    #[serde(flatten)]
    header: Header,
    /// Keyed by hour of day, `00` to `23`.
    pub hours: BTreeMap<String, HourResult>,
}

impl Document for DayResults {
    const IS_EVIDENCE: bool = true;
}

impl DayResults {
    /// The results by hour; `day` is the first hour of their day.
    pub fn by_hour(self, day: Hour) -> impl Iterator<Item = (Hour, HourResult)> {
        let hours = self.hours.into_iter();
        hours.filter_map(move |(number, result)| {
            Some((Hour::parse(&format!("{}T{number}", day.date()))?, result))
        })
    }

    /// Merges a result into the stored one of the hour.
    pub fn add(&mut self, hour: Hour, mut result: HourResult) {
        let name = hour.number_in_day();
        if let Some(before) = self.hours.remove(&name) {
            if before.state.is_consistent() {
                if result.state == HourState::Unknown && before.is_final() {
                    // A failed reading outside the schedule does not change the state.
                    result.state = before.state;
                }
                // The part that only the earlier reconciliation covered still counts.
                result.span.from = result.span.from.min(before.span.from);
                result.span.to = result.span.to.max(before.span.to);
            }
            result.late = result.late.saturating_add(before.late);
            // Ledger entries are removed once an hour is final; the delivered count must not fall.
            result.delivered = result.delivered.max(before.delivered);
            result.stages = result.stages.max(before.stages);
            result.is_backfill &= before.is_backfill;
            result.read_at = result.read_at.or(before.read_at);
            let still_matches = before.duo_count == Some(result.delivered);
            result.duo_count = result.duo_count.or(before.duo_count.filter(|_| still_matches));
            result.state = match (before.state, result.state) {
                // A matching count is weaker than a full reading.
                (known, HourState::CountMatched) if known.is_verified() => known,
                // A backfill does not know that the hour was reconciled before.
                (known, HourState::VerifiedLate) if known != HourState::VerifiedLate => {
                    HourState::Verified
                }
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
    use crate::model::{Hour, Millis, Span};
    use crate::storage::Document as _;
    use crate::sync::tests::time::minutes;

    const HOUR: Hour = Hour::of(Millis(1_795_348_800_000));

    fn result(state: HourState, late: u64, delivered: u64) -> HourResult {
        HourResult {
            state,
            span: Span::of(HOUR),
            duo_count: Some(delivered),
            delivered,
            late,
            gap: None,
            read_at: None,
            reconciled_at: HOUR.end(),
            stages: 1,
            is_backfill: false,
            unknown: Map::new(),
        }
    }

    #[test]
    fn results_are_merged_and_survive_a_round_trip() {
        let mut day = DayResults::default();
        day.add(HOUR, result(HourState::Verified, 2, 12));
        day.add(HOUR, result(HourState::CountMatched, 0, 12));
        day.add(HOUR.after(1), result(HourState::Gap, 0, 0));
        let hour = &day.hours["12"];
        assert_eq!((hour.state, hour.late, hour.delivered), (HourState::Verified, 2, 12));
        day.add(HOUR, result(HourState::Verified, 1, 13));
        assert_eq!((day.hours["12"].late, day.hours["12"].delivered), (3, 13));
        assert_eq!(DayResults::from_json(&day.to_json()).unwrap(), day);
    }

    #[test]
    fn a_failed_reading_does_not_change_a_final_hour() {
        let final_result = HourResult { stages: 6, ..result(HourState::CountMatched, 0, 5) };
        let failed = HourResult { duo_count: None, ..result(HourState::Unknown, 0, 0) };
        let mut day = DayResults::default();
        day.add(HOUR, final_result.clone());
        day.add(HOUR, failed.clone());
        assert_eq!(
            (day.hours["12"].state, day.hours["12"].duo_count),
            (HourState::CountMatched, Some(5))
        );
        // For an hour that is not final, the new result counts.
        let mut day = DayResults::default();
        day.add(HOUR, HourResult { stages: 2, ..final_result });
        day.add(HOUR, failed);
        assert_eq!(day.hours["12"].state, HourState::Unknown);
    }

    #[test]
    fn the_verified_part_of_an_hour_stays_verified() {
        let part = |state, from, to| HourResult {
            span: Span { from: HOUR.start() + minutes(from), to: HOUR.start() + minutes(to) },
            ..result(state, 0, 5)
        };
        let mut day = DayResults::default();
        day.add(HOUR, part(HourState::Verified, 0, 60));
        day.add(HOUR, part(HourState::Verified, 30, 60));
        assert_eq!(day.hours["12"].span, Span::of(HOUR));
        let mut day = DayResults::default();
        day.add(HOUR, part(HourState::Unknown, 0, 60));
        day.add(HOUR, part(HourState::Verified, 30, 60));
        assert_eq!(day.hours["12"].span.from, HOUR.start() + minutes(30));
    }

    #[test]
    fn an_hour_that_was_reconciled_before_is_not_verified_late_by_a_backfill() {
        for (before, after) in [
            (HourState::Gap, HourState::Verified),
            (HourState::CountMatched, HourState::Verified),
            (HourState::VerifiedLate, HourState::VerifiedLate),
        ] {
            let mut day = DayResults::default();
            day.add(HOUR, result(before, 0, 12));
            day.add(HOUR, result(HourState::VerifiedLate, 2, 14));
            assert_eq!(day.hours["12"].state, after);
        }
    }

    #[test]
    fn fields_of_a_later_release_are_kept() {
        let text = r#"{"version":2,"min_reader":1,"hours":{"12":{"state":"verified","from":"2026-11-22T12:00:00.000Z","to":"2026-11-22T13:00:00.000Z","delivered":1,"reconciled_at":"2026-11-22T13:15:00.000Z","stages":1,"seal":"x"}},"day":7}"#;
        let mut day = DayResults::from_json(text.as_bytes()).unwrap();
        day.add(HOUR, result(HourState::CountMatched, 0, 1));
        let json: serde_json::Value = serde_json::from_slice(&day.to_json()).unwrap();
        assert_eq!(json["day"], 7);
        assert_eq!(json["hours"]["12"]["seal"], "x");
        assert!(DayResults::from_json(b"{\"min_reader\":9}").is_err());
    }
}
