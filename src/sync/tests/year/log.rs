//! One log of the account, with everything that Duo ever had in it.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::plan::{Phase, clock_ahead, refuses_signature};
use crate::model::{DAY, FetchErrorKind, HOUR, Hour, LogType, Millis, Paging, Span};
use crate::model::{SECOND, SendErrorKind};
use crate::sync::tests::record::id;
use crate::sync::tests::time::{hours, millis, minutes};
use crate::sync::tests::world::{DuoEvent, Fault, World};
use crate::sync::{HourResult, HourState};

/// Maximum delay with which Duo returns an event.
const LATEST: TimeDelta = hours(46);
/// Age at which every hour has passed its last stage.
const SETTLED: TimeDelta = hours(50);
/// Duo keeps events for 180 days; those of the first minutes are too old when they are read.
const KEPT: TimeDelta = TimeDelta::days(180);
const MARGIN: TimeDelta = minutes(20);
/// Events are requested this long before Duo forgets them.
const RETENTION_MARGIN: TimeDelta = minutes(5);

pub(super) struct Log {
    pub(super) world: World,
    events_per_day: u64,
    /// Number of Duo's events by hour.
    truth: BTreeMap<Hour, u64>,
    pub(super) event_count: u64,
    /// Hours before this are checked.
    checked_to: Hour,
    /// The first hour, which Duo forgets while the backlog is read.
    border: Span,
    /// Events that Duo no longer kept when the stopped log continued, and the 50 hours before the
    /// stop, whose last stages were due only when Duo no longer kept them.
    unkept: Option<Span>,
    /// Events that Duo no longer has and that were not delivered.
    pub(super) gone: Vec<DuoEvent>,
    rng: fastrand::Rng,
    process: u64,
}

impl Log {
    /// A log whose collection starts 180 days before `now`.
    pub(super) fn new(
        log_type: LogType,
        events_per_day: u64,
        page_size: usize,
        now: Millis,
    ) -> Self {
        let spec = log_type.spec();
        let mut world = match spec.paging {
            Paging::LastSecond => World::v1([], page_size),
            _ if spec.paging.has_counts() => World::new([]),
            Paging::Cursor { .. } => World::unsorted([]),
        };
        world.now = now;
        world.page_size = page_size;
        world.miscount = spec.paging.has_counts().then_some(0);
        world.latency = millis(200);
        let config = &mut world.config;
        (config.log_type, config.spec) = (log_type, spec);
        config.spec.limit = spec.limit.and(u32::try_from(page_size).ok());
        config.start = (now - KEPT, false);
        config.max_batch_bytes = 100_000;
        config.limits.longest_window = TimeDelta::days(7);
        config.limits.requests_per_minute = 10;
        let first = Hour::of(now - KEPT).after(1);
        let mut log = Self {
            world,
            events_per_day,
            truth: BTreeMap::new(),
            event_count: 0,
            checked_to: first,
            border: Span::of(first),
            unkept: None,
            gone: Vec::new(),
            rng: fastrand::Rng::with_seed(u64::from(spec.paging.has_counts()) + events_per_day),
            process: 0,
        };
        for day in (1..=180).rev() {
            log.happen(now - DAY * day, log.checked_to.start());
        }
        log
    }

    /// Adds the events of a day from `begin` on.
    pub(super) fn happen(&mut self, day: Millis, begin: Millis) {
        // Evenly spread, so that every normal day costs the same.
        let pause = DAY / i32::try_from(self.events_per_day).expect("a small number");
        for number in 0..self.events_per_day {
            let number = i32::try_from(number).expect("a small number");
            let mut time = day + pause * number + self.up_to(pause);
            if self.world.v1 {
                time = Millis::from_seconds(time.seconds());
            }
            let is_late = self.rng.u8(0..30) == 0;
            let delay = self.up_to(if is_late { LATEST } else { minutes(2) });
            if time >= begin {
                let key = id(self.event_count);
                self.world.events.push(DuoEvent { key, time, visible_from: time + delay });
                *self.truth.entry(Hour::of(time)).or_default() += 1;
                self.event_count += 1;
            }
        }
    }

    fn up_to(&mut self, longest: TimeDelta) -> TimeDelta {
        millis(self.rng.i64(0..longest.num_milliseconds()))
    }

    /// Runs the log once at a time of Duo's clock.
    pub(super) fn run(&mut self, phase: Phase, is_early: bool, now: Millis) {
        self.world.clock_ahead = clock_ahead(phase, now);
        self.world.now = now + self.world.clock_ahead;
        self.world.fetch_faults.clear();
        match phase {
            Phase::Throttled => {
                let throttled = Some(FetchErrorKind::Throttled { retry_after: None });
                let refused = if is_early { [throttled; 3] } else { [None, None, throttled] };
                self.world.fetch_faults.extend(refused.into_iter().cycle().take(30));
            }
            Phase::Failing => {
                let at = self.world.operation_count + self.rng.u64(1..10);
                let fault = self.fault();
                self.world.faults.insert(at, fault);
            }
            _ if refuses_signature(self.world.clock_ahead, now) => {
                let refused = Some(FetchErrorKind::Credentials);
                self.world.fetch_faults.extend([refused; 30]);
            }
            _ => self.world.faults.clear(),
        }
        self.process += u64::from(phase == Phase::Failing);
        self.world.run(&format!("process {}", self.process));
    }

    fn fault(&mut self) -> Fault {
        match self.rng.u8(0..6) {
            0 => Fault::KilledBefore,
            1 => Fault::KilledAfter,
            2 => Fault::Storage(self.rng.bool()),
            3 => Fault::LostResponse,
            4 => Fault::Fetch(FetchErrorKind::Unreachable),
            _ => Fault::Send(SendErrorKind::Unreachable, self.rng.bool()),
        }
    }

    /// Requests since the last call.
    pub(super) fn take_requests(&mut self) -> usize {
        let count = self.world.requests.len() + self.world.counts.len();
        self.world.requests.clear();
        self.world.counts.clear();
        self.world.kinds.clear();
        self.world.removed.clear();
        self.world.slept.clear();
        count
    }

    /// Notes that the log continues after a stop: earlier events are gone at Duo.
    pub(super) fn resume(&mut self, now: Millis) {
        let stopped_at = self.world.checkpoint().mintime;
        self.unkept = Some(Span { from: stopped_at - SETTLED, to: now - KEPT + MARGIN });
        self.forget(now);
    }

    /// Asserts that every settled event was delivered, except those that Duo no longer kept, and that
    /// every settled hour is complete.
    pub(super) fn settle(&mut self, now: Millis) {
        let (log, settled) = (self.world.config.log_type, now - SETTLED);
        let mut lost = self.world.lost().into_iter().filter(|event| event.time < settled);
        let lost = lost.find(|event| !self.is_excused(event.time));
        assert!(lost.is_none(), "{log}: lost {lost:?}");
        let unchecked = Span { from: self.checked_to.start(), to: Hour::of(settled).start() };
        let results = self.world.results_of_days(unchecked);
        for hour in unchecked.hours() {
            let result = results.get(&hour);
            self.assert_complete(hour, result.unwrap_or_else(|| panic!("{log}: no {hour}")));
        }
        self.checked_to = Hour::of(settled);
        self.forget(now);
    }

    /// Forgets the events that Duo forgets.
    fn forget(&mut self, now: Millis) {
        let is_reading = self.world.stored().is_some_and(|checkpoint| {
            checkpoint.window.is_some() || checkpoint.reconciliation.reading.is_some()
        });
        // The cursor of an open reading is the number of an event.
        if !is_reading {
            let forgotten = now - KEPT - DAY;
            let lost = self.world.lost().into_iter();
            self.gone.extend(lost.filter(|event| event.time < forgotten));
            self.world.events.retain(|event| event.time >= forgotten);
        }
    }

    /// Asserts that all hours of a day were verified.
    pub(super) fn assert_verified_day(&self, day: Millis) {
        let results = self.world.results_of_days(Span { from: day, to: day + HOUR });
        let verified = results.values().filter(|result| result.state.is_verified());
        assert_eq!(verified.count(), 24, "{results:?}");
    }

    fn is_excused(&self, time: Millis) -> bool {
        self.unkept.is_some_and(|unkept| (unkept.from..unkept.to).contains(&time))
    }

    fn assert_complete(&self, hour: Hour, result: &HourResult) {
        let log = self.world.config.log_type;
        assert!(result.is_final(), "{log}: {hour}: {result:?}");
        let happened = self.truth.get(&hour).copied().unwrap_or(0);
        if result.state.is_verified() {
            assert_eq!(result.delivered, happened, "{log}: {hour}: {result:?}");
            assert_eq!(result.span, Span::of(hour), "{log}: {hour}: {result:?}");
        } else {
            let is_excused = self.is_excused(hour.start())
                || self.is_excused(hour.end().previous())
                || (self.border.from..self.border.to).contains(&hour.start());
            assert!(is_excused, "{log}: {hour}: {result:?}");
        }
    }

    /// Asserts that the gap after the stop has the exact borders, and that each hour with an event
    /// that was not delivered says so.
    pub(super) fn assert_gap(&self, resumed_at: Millis) {
        let log = self.world.config.log_type;
        let unkept = self.unkept.expect("the log was stopped");
        let results = self.world.results_of_days(unkept);
        let gaps: Vec<Span> = results.values().filter_map(|result| result.gap).collect();
        let gap = gaps[0].from..gaps[gaps.len() - 1].to;
        assert_eq!(gap.start, unkept.from + SETTLED, "{log}");
        let kept_from = resumed_at - KEPT + RETENTION_MARGIN;
        assert!((kept_from..kept_from + SECOND * 2).contains(&gap.end), "{log}: {gap:?}");
        assert!(gaps.is_sorted_by(|one, next| one.to == next.from), "{log}: {gaps:?}");
        assert!(!self.gone.is_empty(), "{log}: the stop was too short");
        for event in &self.gone {
            assert!(self.is_excused(event.time), "{log}: lost {event:?}");
            let result = &results[&Hour::of(event.time)];
            let is_reported = gap.contains(&event.time) || result.state == HourState::Unknown;
            assert!(is_reported, "{log}: {event:?}: {result:?}");
        }
    }
}
