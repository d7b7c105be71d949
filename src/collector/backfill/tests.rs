use super::{Backfill, backfill_rate};
use crate::model::{LogType, Millis, Span};

#[test]
fn half_of_the_requests_are_left_to_the_live_log() {
    // 0 means no limit.
    assert_eq!([0, 1, 5, 10, 600].map(backfill_rate), [0, 1, 3, 5, 300]);
}

#[test]
fn a_backfill_is_named_by_its_hours() {
    let backfill = Backfill {
        log_type: LogType::Activity,
        span: Span { from: Millis(1_795_348_800_000), to: Millis(1_795_359_600_000) },
    };
    assert_eq!(backfill.id(), "2026-11-22T12--2026-11-22T15");
    assert_eq!(Backfill::of_id(LogType::Activity, &backfill.id()), Some(backfill));
    for invalid in ["", "--", "2026-11-22T12", "2026-11-22T15--2026-11-22T12"] {
        assert_eq!(Backfill::of_id(LogType::Activity, invalid), None, "{invalid}");
    }
}
