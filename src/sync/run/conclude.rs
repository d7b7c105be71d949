//! What a look at closed hours means: their results, and how far the checks have come.

use std::collections::BTreeMap;

use super::sweep::OpenReading;
use super::{LogRun, Phase};
use crate::model::{HOUR, Hour, Millis};
use crate::sync::ending::WindowFault;
use crate::sync::event::{Action, Conclusion};
use crate::sync::hours::{HourResult, HourState, KEPT_DAYS};
use crate::sync::sweep::{Due, Span, Sweeps, due_check};

/// How long after its end an hour counts as first read late.
const LATE: i64 = 24 * HOUR;

/// What a look at closed hours found.
pub(super) struct Found {
    span: Span,
    check: usize,
    began_at: Millis,
    counted: Option<u64>,
    late: BTreeMap<Hour, u64>,
    by: FoundBy,
}

/// How it was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundBy {
    Count,
    Reading,
    /// A reading that could not be brought to its end.
    BrokenReading(WindowFault),
    /// Duo was not asked: it does not keep the hour any more.
    Nothing,
}

impl OpenReading {
    /// What it found.
    pub(super) fn found(self, by: FoundBy) -> Found {
        Found {
            span: self.span,
            check: self.check,
            began_at: self.began_at,
            counted: self.counted,
            late: self.late,
            by,
        }
    }
}

impl LogRun {
    pub(super) fn tally_of(&mut self, found: Found) -> Action {
        let hours = self.hours_to_tell(&found);
        self.phase = Phase::Tallying(found);
        Action::Tally(hours)
    }

    /// The hours of which there is something to tell. A log without counts is read 48 hours at once: most of them were
    /// told of before, and are told of once more when it is the last look at them.
    fn hours_to_tell(&self, found: &Found) -> Vec<Hour> {
        let whole = |hour: &Hour| hour.end() <= found.span.to;
        if self.counts() {
            return found.span.hours().collect();
        }
        let sweeps = self.stored().sweeps.as_ref();
        let untold = sweeps.map(Sweeps::untold);
        let began_at = found.began_at - self.clock_ahead;
        let hours = found.span.hours().filter(whole);
        hours
            .filter(|hour| {
                untold.is_none_or(|untold| *hour >= untold)
                    || found.late.contains_key(hour)
                    || sweeps.is_some_and(|sweeps| {
                        sweeps.gap_in(*hour).is_some()
                            || sweeps.settles(*hour, found.span.to, began_at)
                    })
            })
            .collect()
    }

    /// Takes how many events of the hours were delivered, and decides what that means.
    pub(super) fn tallied(
        &mut self,
        found: &Found,
        delivered: &[u64],
        now: Millis,
        interrupted: bool,
    ) -> Action {
        // A local clock that is ahead must not settle an hour before its time.
        let duo_now = now - self.clock_ahead;
        let total: u64 = delivered.iter().sum();
        if found.by == FoundBy::Count && found.counted != Some(total) {
            let due = Due {
                span: found.span,
                check: found.check,
            };
            self.reading = Some(OpenReading::new(due, found.counted, false, found.began_at));
            return self.ask(now, interrupted);
        }
        if self.is_to_be_narrowed(found) {
            return self.narrow(found, now, interrupted);
        }
        let hours = self.hours_to_tell(found);
        let results = hours
            .iter()
            .zip(delivered)
            .map(|(hour, delivered)| (*hour, self.result(found, *hour, *delivered, duo_now)))
            .collect();
        let mut draft = self.stored().clone();
        let sweeps = draft.sweeps_mut();
        sweeps.reading = None;
        // By what is stored: what this look settles could be looked at again, if its end is never stored.
        let forget = sweeps.forget_settled();
        if self.limits.backfill.is_some() {
            sweeps.done(found.span, 0);
        } else if self.counts() {
            let ripe = due_check(Hour::of(found.span.from), duo_now);
            let Some(check) = ripe.map(|ripe| ripe.min(found.check)) else {
                self.checks_are_early = true;
                return self.ask(now, interrupted);
            };
            sweeps.done(found.span, check);
        } else {
            let is_broken = matches!(found.by, FoundBy::BrokenReading(_));
            sweeps.unproved = hours.first().copied().filter(|_| is_broken);
            sweeps.reread_at = Some(now);
            sweeps.reread_done(found.span.to, found.began_at.min(now) - self.clock_ahead);
        }
        sweeps.forget_gaps();
        self.tally.checks += 1;
        self.phase = Phase::Concluding(Box::new(draft));
        Action::Conclude(Conclusion {
            results,
            prune: forget
                .iter()
                .filter(|hour| **hour == hour.day())
                .map(|hour| hour.after(-24 * KEPT_DAYS))
                .collect(),
            forget,
        })
    }

    /// Which check a look at an hour was. A reading of more than an hour is for each of them the check that it is old
    /// enough for.
    fn check_of(&self, found: &Found, hour: Hour, now: Millis) -> usize {
        if self.counts() && self.limits.backfill.is_none() {
            return found.check;
        }
        let began_at = (found.began_at - self.clock_ahead).min(now);
        due_check(hour, began_at).map_or(found.check, |check| check.max(found.check))
    }

    /// Whether a part of a backfill was longer than an hour and could not be read to its end: which hour it is that Duo counts
    /// more records in than it shows is found by reading each of them.
    fn is_to_be_narrowed(&self, found: &Found) -> bool {
        self.limits.backfill.is_some()
            && matches!(found.by, FoundBy::BrokenReading(_))
            && found.span.to - found.span.from > HOUR
    }

    fn narrow(&mut self, found: &Found, now: Millis, interrupted: bool) -> Action {
        let mut draft = self.stored().clone();
        let sweeps = draft.sweeps_mut();
        sweeps.reading = None;
        sweeps.narrow_until = Some(found.span.to);
        self.commit(draft, None, now, interrupted)
    }

    fn result(&self, found: &Found, hour: Hour, delivered: u64, now: Millis) -> HourResult {
        let sweeps = self.stored().sweeps.as_ref();
        let span = found
            .span
            .within(Span::of(hour))
            .unwrap_or_else(|| Span::of(hour));
        let is_first = sweeps.is_none_or(|sweeps| sweeps.next[0] <= hour);
        let gap = sweeps
            .and_then(|sweeps| sweeps.gap_in(hour))
            .or((found.by == FoundBy::BrokenReading(WindowFault::CountShort)).then_some(span));
        let state = match found.by {
            _ if gap.is_some() => HourState::Gap,
            FoundBy::Nothing | FoundBy::BrokenReading(_) => HourState::Unknown,
            _ if is_first && now - hour.end() > LATE => HourState::LateRead,
            FoundBy::Count => HourState::Counted,
            FoundBy::Reading => HourState::Proved,
        };
        HourResult {
            state,
            span,
            counted: found.counted,
            delivered,
            late: found.late.get(&hour).copied().unwrap_or(0),
            gap,
            checked_at: now,
            checks: self.check_of(found, hour, now) + 1,
            unknown: serde_json::Map::new(),
        }
    }
}
