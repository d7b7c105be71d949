use chrono::TimeDelta;

use super::{AGES, Due, FULL_STAGE, LONGEST_READING, ReconciliationState, STAGES, Span};
use crate::model::{HOUR, Hour, MINUTE, Millis};
use crate::sync::tests::time::{hours, millis, minutes};

/// 2026-11-22T12:00:00Z.
const NOON: Millis = Millis(1_795_348_800_000);
const LAST: usize = STAGES - 1;

fn collected(to: Millis) -> Span {
    Span { from: NOON - hours(10) + minutes(20), to }
}

fn state() -> ReconciliationState {
    ReconciliationState::begin(collected(NOON).from)
}

/// All due readings in order: number of the first hour, number of hours, and stage.
fn all_due(
    state: &mut ReconciliationState,
    closed: Millis,
    now: Millis,
) -> Vec<(i64, usize, usize)> {
    let mut found = Vec::new();
    while let Some(Due { span, stage }) = state.due_hour(collected(closed), now) {
        let number = (span.from - (NOON - hours(10))).num_hours();
        found.push((number, span.hours().count(), stage));
        state.done(span, stage);
    }
    found
}

#[test]
fn overdue_stages_of_an_hour_are_merged_and_the_oldest_hour_is_first() {
    let mut state = state();
    let due = all_due(&mut state, NOON, NOON);
    // By age: 9 to 6 hours, 6 to 2 hours, up to 2 hours. The last hour is younger than 15 minutes.
    let expected = [(0, 2), (1, 2), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1), (7, 0), (8, 0)];
    assert_eq!(due, expected.map(|(number, stage)| (number, 1, stage)));
    let twelve_hours_later = all_due(&mut state, NOON, NOON + hours(12));
    let expected: Vec<_> = (0..9).map(|number| (number, 1, 3)).chain([(9, 1, 2)]).collect();
    assert_eq!(twelve_hours_later, expected);
    assert_eq!(
        all_due(&mut state, NOON, NOON + hours(600)),
        [(0, 10, FULL_STAGE)]
            .into_iter()
            .chain((0..10).map(|number| (number, 1, LAST)))
            .collect::<Vec<_>>()
    );
    assert_eq!(all_due(&mut state, NOON, NOON + hours(6000)), []);
}

#[test]
fn hours_due_for_their_full_reading_are_read_together_up_to_a_day() {
    let mut state = state();
    let due = all_due(&mut state, NOON + hours(50), NOON + hours(50) + hours(25));
    let full: Vec<_> = due.into_iter().filter(|(_, _, stage)| *stage == FULL_STAGE).collect();
    assert_eq!(full, [(0, 24, FULL_STAGE), (24, 24, FULL_STAGE), (48, 12, FULL_STAGE)]);
}

#[test]
fn after_a_short_reading_hours_are_read_one_at_a_time() {
    let mut state = state();
    state.narrow_until = Some(NOON - hours(8));
    let due = all_due(&mut state, NOON, NOON + hours(30));
    assert_eq!(due[..3], [(0, 1, FULL_STAGE), (1, 1, FULL_STAGE), (2, 8, FULL_STAGE)]);
}

#[test]
fn only_closed_and_collected_hours_are_due() {
    let state = state();
    let due = |closed, now| state.due_hour(collected(closed), now);
    let start = NOON - hours(10);
    assert_eq!(due((start + HOUR).previous(), NOON), None);
    assert_eq!(due(start + HOUR, (start + HOUR + AGES[0]).previous()), None);
    let first = due(start + HOUR, start + HOUR + AGES[0]).unwrap();
    assert_eq!((first.span.from, first.span.to), (start + minutes(20), start + HOUR));
}

#[test]
fn a_log_without_counts_is_reconciled_once_an_hour() {
    let mut state = state();
    let due = state.due_span(collected(NOON), NOON, TimeDelta::zero()).unwrap();
    assert_eq!(due.span, collected(NOON));
    state.reread_at = Some(NOON);
    assert_eq!(state.due_span(collected(NOON), (NOON + HOUR).previous(), TimeDelta::zero()), None);
    assert!(state.due_span(collected(NOON), NOON + HOUR, TimeDelta::zero()).is_some());
    // A clock that was set back does not stop reconciliation.
    assert!(state.due_span(collected(NOON), NOON.previous(), TimeDelta::zero()).is_some());
    let due = state
        .due_span(collected(NOON + TimeDelta::days(365)), NOON + HOUR, TimeDelta::zero())
        .unwrap();
    assert_eq!(due.span.to - due.span.from, LONGEST_READING);
    state.reread_done(NOON + hours(90), NOON + hours(90));
    assert_eq!(state.next[LAST], Hour::of(NOON + hours(90) - AGES[LAST]));
    assert_eq!(state.next[0], Hour::of(NOON + hours(90)));
}

#[test]
fn entries_are_removed_once_and_not_before_their_hours_are_final() {
    let mut state = state();
    assert_eq!(state.take_removable(TimeDelta::zero()), []);
    let first = Hour::of(NOON - hours(10));
    state.next[LAST] = first.after(5);
    let expected: Vec<Hour> = (-2..3).map(|number| first.after(number)).collect();
    assert_eq!(state.take_removable(TimeDelta::zero()), expected);
    assert_eq!(state.take_removable(TimeDelta::zero()), []);
    state.next[LAST] = first.after(500);
    assert_eq!(state.take_removable(TimeDelta::zero()).len(), 100);
    assert_eq!(state.take_removable(TimeDelta::zero())[0], first.after(103));
}

#[test]
fn gaps_are_remembered_until_their_hours_are_final() {
    let mut state = state();
    let hour = Hour::of(NOON);
    let gap = Span { from: NOON - HOUR, to: NOON + minutes(10) };
    assert!(state.remember_gap(gap));
    assert!(!state.remember_gap(gap));
    let part = state.gap_in(hour).unwrap();
    assert_eq!((part.from, part.to), (NOON, NOON + minutes(10)));
    assert_eq!(state.gap_in(hour.after(1)), None);
    state.remember_gap(Span { from: NOON + minutes(30), to: NOON + minutes(40) });
    let parts = state.gap_in(hour).unwrap();
    assert_eq!((parts.from, parts.to), (NOON, NOON + minutes(40)));
    state.done(Span::of(hour), LAST);
    state.forget_gaps();
    assert_eq!(state.gaps, []);
    // A gap that ends with the final hours is dropped, but not one a millisecond longer.
    let end = hour.end();
    for (to, kept) in [(end, 0), (end.next(), 1)] {
        state.remember_gap(Span { from: NOON, to });
        state.forget_gaps();
        assert_eq!(state.gaps.len(), kept);
    }
    state.gaps.clear();
    for minute in 0..1000 {
        state.remember_gap(Span {
            from: NOON + minutes(minute),
            to: (NOON + minutes(minute)).next(),
        });
    }
    assert_eq!(state.gaps.len(), 64);
    assert_eq!(state.gaps[0].from, NOON);
}

#[test]
fn all_stages_are_due_15_minutes_past_the_hour() {
    let ages = AGES.map(|age| (age - MINUTE * 15).num_minutes());
    assert_eq!(ages, [0, 2 * 60, 6 * 60, 12 * 60, 24 * 60, 48 * 60]);
}

#[test]
fn adjacent_spans_do_not_intersect() {
    let span = |from, to| Span { from: NOON + millis(from), to: NOON + millis(to) };
    assert_eq!(span(0, 10).within(span(10, 20)), None);
    assert_eq!(span(10, 20).within(span(0, 10)), None);
    assert_eq!(span(0, 11).within(span(10, 20)), Some(span(10, 11)));
}
