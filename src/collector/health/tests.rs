use std::collections::BTreeMap;

use serde_json::Map;

use super::{CachedHealth, Due};
use crate::model::{Hour, LogType, Millis, Span};
use crate::sync::{HourResult, HourState};

const NOW: Millis = Millis(1_795_348_800_000);
const HOUR: Hour = Hour::of(NOW);

fn result() -> HourResult {
    HourResult {
        state: HourState::Verified,
        span: Span::of(HOUR),
        duo_count: Some(12),
        delivered: 12,
        late: 0,
        gap: None,
        read_at: None,
        reconciled_at: NOW,
        stages: 6,
        is_backfill: false,
        unknown: Map::new(),
    }
}

#[test]
fn reporting_only_hours_keeps_the_counts_for_the_next_run_row() {
    let mut cached = CachedHealth::default();
    cached.health.unreported.runs = 3;
    cached.health.unreported_hours = [HOUR, HOUR.after(1)].into();
    let hours = BTreeMap::from([(HOUR, result())]);
    let mut due = Due { log_type: LogType::Activity, cached, has_run_row: false, hours };
    due.reported(NOW);
    let health = &due.cached.health;
    assert_eq!((health.unreported.runs, health.reported_at), (3, None));
    assert_eq!(
        (health.hours_reported_to, &health.unreported_hours),
        (Some(NOW), &[HOUR.after(1)].into())
    );
    due.has_run_row = true;
    due.reported(NOW);
    let health = &due.cached.health;
    assert_eq!((health.unreported.runs, health.reported_at), (0, Some(NOW)));
}
