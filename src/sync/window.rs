//! A window: the span of event time being read page by page.

use std::collections::{BTreeSet, HashSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::last_second::LastSecond;
use crate::model::{Hour, Millis};

/// Length of the overlap that is read again before `mintime`.
const OVERLAP: TimeDelta = TimeDelta::minutes(15);
/// The overlap is read again when a multiple of this lies between `mintime` and the horizon.
const OVERLAP_EVERY: TimeDelta = TimeDelta::minutes(5);

/// A span of event time with fixed bounds, and the progress of reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub mintime: Millis,
    /// Last millisecond, inclusive; for the v1 logs, the upper bound of the records taken.
    pub maxtime: Millis,
    /// First millisecond requested: after `mintime` once restarted at the last delivered record.
    pub from: Millis,
    /// Duo's cursor for the next page; `None` before the first.
    pub cursor: Option<String>,
    #[serde(default)]
    pub rows_read: u64,
    /// Pages read, also before a restart.
    #[serde(default)]
    pub pages: u32,
    /// Duo's record count from `from` to `maxtime`, if Duo returned an exact one.
    pub expected: Option<u64>,
    /// Newest time up to which the first page was complete; the window is not closed past it.
    pub readable_through: Option<Millis>,
    /// Newest event time among delivered and duplicate records.
    pub last_time: Option<Millis>,
    /// Whether the window was restarted because Duo returned fewer records than it counted.
    #[serde(default)]
    pub recounted: bool,
    /// Hours of which Duo may have more records than it returned: a full page of one millisecond
    /// had no cursor.
    #[serde(default)]
    pub incomplete: BTreeSet<Hour>,
    /// Last millisecond of the part being read, inclusive; `None` while the rest is read whole.
    #[serde(skip)]
    pub(super) part_end: Option<Millis>,
    /// Cursors of this run, to detect a repeated one.
    #[serde(skip)]
    pub(super) cursors: HashSet<String>,
    /// Whether this run restarted the window because of its cursors.
    #[serde(skip)]
    pub(super) is_restarted: bool,
    /// State between pages of one run (v1 logs).
    #[serde(skip)]
    pub(super) last_second: LastSecond,
    /// Fields of a later release, kept unchanged.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Window {
    pub fn new(mintime: Millis, maxtime: Millis) -> Self {
        Self { mintime, maxtime, from: mintime, ..Self::default() }
    }

    /// The next window after `mintime`, or `None` if nothing is readable.
    ///
    /// `horizon` is now minus the window delay. `not_before` is given for the first window of a
    /// run: if a multiple of five minutes lies between `mintime` and `horizon`, that window also
    /// covers the 15 minutes before `mintime`, but nothing before `not_before`.
    pub fn next(
        mintime: Millis,
        horizon: Millis,
        longest: TimeDelta,
        not_before: Option<Millis>,
    ) -> Option<Self> {
        // Duo refuses mintime >= maxtime.
        if mintime >= horizon {
            return None;
        }
        // Whole hours, so that a window of old hours is their full reading.
        let whole_hours = Hour::of(mintime + longest).start().previous();
        let maxtime = match mintime + longest {
            end if end >= horizon => horizon,
            _ if whole_hours > mintime => whole_hours,
            end => end,
        };
        let interval = |time: Millis| time.0.div_euclid(OVERLAP_EVERY.num_milliseconds());
        let from = match not_before {
            Some(not_before) if interval(mintime) != interval(horizon) => {
                (mintime - OVERLAP).max(not_before).min(mintime)
            }
            _ => mintime,
        };
        Some(Self::new(from, maxtime))
    }

    /// Whether `from` lies inside the window.
    pub(super) fn is_sound(&self) -> bool {
        self.mintime <= self.from && self.from <= self.maxtime
    }

    /// Restarts the window from its beginning or from the last delivered millisecond.
    pub fn begin_again(&mut self, from_beginning: bool) {
        self.from = match self.last_time {
            // Not `clamp`, which panics for a window of a single millisecond.
            Some(last) if !from_beginning => last.min(self.maxtime.previous()).max(self.mintime),
            _ => self.mintime,
        };
        self.part_end = None;
        self.forget_pages();
    }

    /// Forgets the cursors and counts of the pages so far: the next request has another span.
    pub(super) fn forget_pages(&mut self) {
        self.cursors.clear();
        self.cursor = None;
        self.rows_read = 0;
        self.expected = None;
    }

    /// Records a delivered page. `total` is Duo's exact count, if Duo returned one.
    pub fn count_page(&mut self, rows: u64, total: Option<u64>, newest: Option<Millis>) {
        // Duo returns 0 on an empty last page: only the first page and those with records count.
        if rows > 0 || self.cursor.is_none() {
            // The highest count of the pages: fixed bounds cannot come to hold fewer records.
            self.expected = self.expected.max(total);
        }
        self.rows_read = self.rows_read.saturating_add(rows);
        self.pages = self.pages.saturating_add(1);
        // A wrong time in the future must not make a restart skip earlier records.
        self.last_time = self.last_time.max(newest.filter(|time| *time <= self.maxtime));
    }

    pub fn is_short(&self) -> bool {
        self.expected.is_some_and(|expected| self.rows_read < expected)
    }

    /// The first millisecond after the complete window.
    pub fn next_mintime(&self) -> Millis {
        self.readable_through.map_or(self.maxtime, |readable| readable.min(self.maxtime)).next()
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::model::{DAY, HOUR, MINUTE, Millis};
    use chrono::TimeDelta;

    const NOON: Millis = Millis(1_795_348_800_000);

    #[test]
    fn an_idle_log_has_no_next_window() {
        assert_eq!(Window::next(NOON, NOON, HOUR, None), None);
        assert_eq!(Window::next(NOON.next(), NOON, HOUR, None), None);
    }

    #[test]
    fn a_window_is_never_longer_than_the_setting_and_never_reaches_past_the_horizon() {
        let long = Window::next(NOON - HOUR * 5, NOON, HOUR, None).unwrap();
        assert_eq!((long.mintime, long.maxtime), (NOON - HOUR * 5, (NOON - HOUR * 4).previous()));
        let half_past = Window::next(NOON - MINUTE * 90, NOON, HOUR, None).unwrap();
        assert_eq!(half_past.maxtime, (NOON - HOUR).previous());
        let within_an_hour = Window::next(NOON - HOUR, NOON, MINUTE * 10, None).unwrap();
        assert_eq!(within_an_hour.maxtime, NOON - MINUTE * 50);
        let short = Window::next(NOON - MINUTE, NOON, HOUR, None).unwrap();
        assert_eq!(short.maxtime, NOON);
    }

    #[test]
    fn the_overlap_is_read_every_five_minutes_but_nothing_before_the_start() {
        let mintime = |mintime, horizon, not_before| {
            Window::next(mintime, horizon, HOUR, Some(not_before)).unwrap().mintime
        };
        let long_ago = NOON - DAY;
        let late = NOON + TimeDelta::seconds(70);
        assert_eq!(mintime(NOON, late, long_ago), NOON);
        assert_eq!(mintime(NOON.previous(), late, long_ago), NOON.previous() - MINUTE * 15);
        assert_eq!(mintime(NOON - MINUTE, NOON, long_ago), NOON - MINUTE * 16);
        assert_eq!(mintime(NOON - MINUTE, NOON, NOON - MINUTE * 3), NOON - MINUTE * 3);
        assert_eq!(Window::next(NOON - MINUTE, NOON, HOUR, None).unwrap().mintime, NOON - MINUTE);
    }

    #[test]
    fn the_zero_on_the_empty_last_page_is_not_a_count() {
        let mut window = Window::next(NOON - HOUR, NOON, HOUR, None).unwrap();
        window.count_page(2, Some(3), None);
        window.cursor = Some("c".to_owned());
        window.count_page(0, Some(0), None);
        assert!(window.is_short());
        window.count_page(1, Some(3), None);
        assert!(!window.is_short());
    }

    #[test]
    fn the_first_page_and_every_page_with_records_have_the_count() {
        let mut window = Window::next(NOON - HOUR, NOON, HOUR, None).unwrap();
        window.count_page(0, Some(3), None);
        assert!(window.is_short());
        window.cursor = Some("c".to_owned());
        window.count_page(3, Some(9), None);
        assert!(window.is_short());
        window.count_page(6, Some(9), None);
        assert!(!window.is_short());
    }

    #[test]
    fn a_restart_stays_inside_the_window() {
        let mut window = Window::next(NOON - HOUR, NOON, HOUR, None).unwrap();
        window.count_page(1, None, Some(NOON));
        window.begin_again(false);
        // Duo refuses an empty window.
        assert_eq!(window.from, NOON.previous());
        window.begin_again(true);
        assert_eq!(window.from, NOON - HOUR);
        // A time after the window is not the last one read.
        window.last_time = None;
        window.count_page(1, None, Some(NOON.next()));
        window.begin_again(false);
        assert_eq!(window.from, NOON - HOUR);
    }

    #[test]
    fn a_window_is_closed_only_up_to_where_duo_showed_everything() {
        let mut window = Window::next(NOON - HOUR, NOON, HOUR, None).unwrap();
        assert_eq!(window.next_mintime(), NOON.next());
        window.readable_through = Some(NOON - MINUTE);
        assert_eq!(window.next_mintime(), (NOON - MINUTE).next());
    }
}
