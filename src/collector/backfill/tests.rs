use super::{Backfill, share_of};
use crate::model::{LogType, Millis, Span};

#[test]
fn half_of_the_calls_are_left_to_the_live_log() {
    // No limit stays none.
    assert_eq!([0, 1, 5, 10, 600].map(share_of), [0, 1, 3, 5, 300]);
}

#[test]
fn the_same_hours_have_the_same_name() {
    let backfill = Backfill {
        log_type: LogType::Activity,
        span: Span { from: Millis(1_795_348_800_000), to: Millis(1_795_359_600_000) },
    };
    assert_eq!(backfill.id(), "2026-11-22T12--2026-11-22T15");
    assert_eq!(Backfill::of_id(LogType::Activity, &backfill.id()), Some(backfill));
    for odd in ["", "--", "2026-11-22T12", "2026-11-22T15--2026-11-22T12"] {
        assert_eq!(Backfill::of_id(LogType::Activity, odd), None, "{odd}");
    }
}
