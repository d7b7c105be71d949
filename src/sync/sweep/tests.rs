use super::{AGES, Due, LONGEST_READING, Span, Sweeps};
use crate::model::{HOUR, Hour, MINUTE, Millis};

/// 2026-11-22T12:00:00Z.
const NOON: Millis = Millis(1_795_348_800_000);

fn collected(to: Millis) -> Span {
    Span {
        from: NOON - 10 * HOUR + 20 * MINUTE,
        to,
    }
}

fn sweeps() -> Sweeps {
    Sweeps::begin(collected(NOON).from)
}

/// Everything that is due, in order.
fn all_due(sweeps: &mut Sweeps, closed: Millis, now: Millis) -> Vec<(i64, usize)> {
    let mut found = Vec::new();
    while let Some(Due { span, check }) = sweeps.due_hour(collected(closed), now) {
        found.push(((span.from - (NOON - 10 * HOUR)) / HOUR, check));
        sweeps.done(span, check);
    }
    found
}

#[test]
fn overdue_checks_of_an_hour_are_one_and_the_oldest_hour_comes_first() {
    let mut sweeps = sweeps();
    let due = all_due(&mut sweeps, NOON, NOON);
    // The last hour is not a quarter of an hour old, the two before it not two hours.
    let expected: Vec<(i64, usize)> = (0..8).map(|hour| (hour, 1)).chain([(8, 0)]).collect();
    assert_eq!(due, expected);
    let later = all_due(&mut sweeps, NOON, NOON + 20 * HOUR);
    let expected: Vec<(i64, usize)> = (0..6)
        .map(|hour| (hour, 2))
        .chain([(8, 1), (9, 1)])
        .collect();
    assert_eq!(later, expected);
    let last = all_due(&mut sweeps, NOON, NOON + 60 * HOUR);
    assert_eq!(last, (0..10).map(|hour| (hour, 3)).collect::<Vec<_>>());
    assert_eq!(all_due(&mut sweeps, NOON, NOON + 600 * HOUR), []);
}

#[test]
fn only_closed_hours_are_checked_and_only_what_was_collected() {
    let sweeps = sweeps();
    let hour = |closed, now| sweeps.due_hour(collected(closed), now);
    let start = NOON - 10 * HOUR;
    assert_eq!(hour(start + HOUR - 1, NOON), None);
    assert_eq!(hour(start + HOUR, start + HOUR + AGES[0] - 1), None);
    let first = hour(start + HOUR, start + HOUR + AGES[0]).unwrap();
    assert_eq!(first.span.from, start + 20 * MINUTE);
    assert_eq!(first.span.to, start + HOUR);
}

#[test]
fn a_log_without_counts_is_read_again_once_an_hour() {
    let mut sweeps = sweeps();
    let due = sweeps.due_span(collected(NOON), NOON).unwrap();
    assert_eq!(due.span, collected(NOON));
    sweeps.reread_at = Some(NOON);
    assert_eq!(sweeps.due_span(collected(NOON), NOON + HOUR - 1), None);
    assert!(sweeps.due_span(collected(NOON), NOON + HOUR).is_some());
    // A clock that was set back does not stop it.
    assert!(sweeps.due_span(collected(NOON), NOON - 1).is_some());
    sweeps.reread_done(NOON + 90 * HOUR, NOON + 90 * HOUR);
    assert_eq!(sweeps.next[3], Hour::of(NOON + 42 * HOUR));
    assert_eq!(sweeps.next[0], Hour::of(NOON + 90 * HOUR));
}

#[test]
fn ids_are_forgotten_once_and_not_before_their_hours_are_settled() {
    let mut sweeps = sweeps();
    assert_eq!(sweeps.forget_settled(), []);
    let first = Hour::of(NOON - 10 * HOUR);
    sweeps.next[3] = first.after(5);
    let expected: Vec<Hour> = (-2..3).map(|number| first.after(number)).collect();
    assert_eq!(sweeps.forget_settled(), expected);
    assert_eq!(sweeps.forget_settled(), []);
    sweeps.next[3] = first.after(500);
    assert_eq!(sweeps.forget_settled().len(), 100);
    assert_eq!(sweeps.forget_settled()[0], first.after(103));
}

#[test]
fn gaps_are_remembered_until_their_hours_are_settled() {
    let mut sweeps = sweeps();
    let hour = Hour::of(NOON);
    let gap = Span {
        from: NOON - HOUR,
        to: NOON + 10 * MINUTE,
    };
    sweeps.remember_gap(gap);
    sweeps.remember_gap(gap);
    assert_eq!(sweeps.gaps.len(), 1);
    let part = sweeps.gap_in(hour).unwrap();
    assert_eq!((part.from, part.to), (NOON, NOON + 10 * MINUTE));
    assert_eq!(sweeps.gap_in(hour.after(1)), None);
    sweeps.remember_gap(Span {
        from: NOON + 30 * MINUTE,
        to: NOON + 40 * MINUTE,
    });
    let parts = sweeps.gap_in(hour).unwrap();
    assert_eq!((parts.from, parts.to), (NOON, NOON + 40 * MINUTE));
    sweeps.done(Span::of(hour), 3);
    sweeps.forget_gaps();
    assert_eq!(sweeps.gaps, []);
    // One that ends where the settled hours end is of no use any more, one that reaches a millisecond further is.
    let settled = hour.end();
    for (to, kept) in [(settled, 0), (settled + 1, 1)] {
        sweeps.remember_gap(Span { from: NOON, to });
        sweeps.forget_gaps();
        assert_eq!(sweeps.gaps.len(), kept);
    }
    sweeps.gaps.clear();
    for minute in 0..1000 {
        sweeps.remember_gap(Span {
            from: NOON + minute * MINUTE,
            to: NOON + minute * MINUTE + 1,
        });
    }
    assert_eq!(sweeps.gaps.len(), 64);
    assert_eq!(sweeps.gaps[0].from, NOON);
}

#[test]
fn hours_are_checked_after_a_quarter_of_an_hour_two_hours_and_one_and_two_days() {
    let minutes = AGES.map(|age| age / MINUTE);
    assert_eq!(minutes, [15, 120, 24 * 60, 48 * 60]);
    assert_eq!(LONGEST_READING / HOUR, 200 * 366 * 24);
}

#[test]
fn spans_that_touch_have_nothing_in_common() {
    let span = |from, to| Span {
        from: NOON + from,
        to: NOON + to,
    };
    assert_eq!(span(0, 10).within(span(10, 20)), None);
    assert_eq!(span(10, 20).within(span(0, 10)), None);
    assert_eq!(span(0, 11).within(span(10, 20)), Some(span(10, 11)));
}
