//! What happens in the year, day by day.

use chrono::TimeDelta;

use crate::model::{Hour, Millis};
use crate::sync::tests::time::{hours, minutes};

/// 2028-02-29T00:00:00Z.
pub(super) const LEAP_DAY: Millis = Millis(1_835_395_200_000);
/// Days that the long form of [`plan`] was made for.
const LONG: i64 = 450;
/// Longer than Duo keeps events, and together with the start 180 days back longer than results are
/// kept.
const STOPPED_DAYS: i64 = 230;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Normal,
    /// No events.
    Silent,
    /// Duo responds with HTTP 429 to every request, in the last third of the phase to every third.
    Throttled,
    /// The local clock jumps ahead of Duo's and back, four times a day.
    Ahead,
    /// The local clock jumps behind Duo's and back, four times a day.
    Behind,
    /// Processes are killed; storage and Azure Monitor fail.
    Failing,
    /// No process runs.
    Stopped,
}

/// The phases and their lengths in days, about `days` without the stop and what follows it. The
/// long form has 450, a short one has the same phases.
pub(super) fn plan(days: i64) -> Vec<(Phase, i64)> {
    use Phase::{Ahead, Behind, Failing, Normal, Silent, Stopped, Throttled};
    let scaled = |long: i64| (long * days / LONG).max(1);
    let mut phases = vec![
        (Normal, scaled(28).max(5)),
        (Silent, scaled(30)),
        (Normal, scaled(20)),
        (Throttled, scaled(30)),
        (Normal, scaled(10)),
        (Ahead, scaled(5)),
        (Behind, scaled(5)),
        (Failing, scaled(10)),
    ];
    phases.push((Normal, (days - length(&phases)).max(6)));
    phases.extend([(Stopped, STOPPED_DAYS), (Normal, scaled(20).max(5))]);
    phases
}

/// The first day: the leap day is the second one of the long normal phase.
pub(super) fn begin(phases: &[(Phase, i64)]) -> Millis {
    let stopped = phases.iter().position(|(phase, _)| *phase == Phase::Stopped);
    let before = &phases[..stopped.expect("the plan has a stop") - 1];
    LEAP_DAY - TimeDelta::days(length(before) + 1)
}

fn length(phases: &[(Phase, i64)]) -> i64 {
    phases.iter().map(|(_, days)| days).sum()
}

/// How far the local clock is ahead of Duo's.
pub(super) fn clock_ahead(phase: Phase, now: Millis) -> TimeDelta {
    let hour: i64 = Hour::of(now).number_in_day().parse().expect("a number");
    let by = match hour {
        3..6 => minutes(10),
        9..12 => hours(3),
        15..18 => TimeDelta::days(40),
        // Longer than Duo keeps events.
        18 => TimeDelta::days(200),
        _ => TimeDelta::zero(),
    };
    match phase {
        Phase::Ahead => by,
        Phase::Behind => -by,
        _ => TimeDelta::zero(),
    }
}

/// Whether Duo refuses requests signed this long before or after its time. In every second hour it
/// accepts them, and its response shows the right time.
pub(super) fn refuses_signature(clock_ahead: TimeDelta, now: Millis) -> bool {
    let is_even = now.seconds() / 3_600 % 2 == 0;
    clock_ahead.abs() > minutes(5) && is_even
}

/// The pause between two runs: a minute on the first day of a phase, otherwise a quarter of an hour.
pub(super) const fn tick(day_of_phase: i64) -> TimeDelta {
    minutes(if day_of_phase == 0 { 1 } else { 15 })
}
