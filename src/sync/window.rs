//! The span of event time that is being read, page by page.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{MINUTE, Millis};

/// How far the overlap re-read reaches back before `mintime`.
const OVERLAP: i64 = 15 * MINUTE;
/// One run in this many re-reads the overlap.
const OVERLAP_EVERY: u64 = 5;

/// A span of event time with fixed bounds and the place reached inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First millisecond of the window.
    pub mintime: Millis,
    /// Last millisecond of the window; for the seconds-based logs, up to where records are taken.
    pub maxtime: Millis,
    /// First millisecond asked for: later than `mintime` after a restart at the last delivered record.
    pub from: Millis,
    /// Duo's cursor for the next page; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Records read since `from`.
    #[serde(default)]
    pub rows_read: u64,
    /// Records that Duo says lie between `from` and `maxtime`, where it gave an exact number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Up to where Duo showed everything when the first page was read: beyond it records may still be hidden,
    /// so the window is not closed past it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_through: Option<Millis>,
    /// Time of the newest record delivered or found already delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_time: Option<Millis>,
    /// Whether it was read anew because fewer records came than Duo counted.
    #[serde(default)]
    pub recounted: bool,
    /// Times in a row that fewer records came than Duo counted, also when it was read anew.
    #[serde(default)]
    pub short_readings: u32,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Window {
    /// A window of which nothing was read yet.
    pub fn new(mintime: Millis, maxtime: Millis) -> Self {
        Self {
            mintime,
            maxtime,
            from: mintime,
            cursor: None,
            rows_read: 0,
            expected: None,
            readable_through: None,
            last_time: None,
            recounted: false,
            short_readings: 0,
            unknown: Map::new(),
        }
    }

    /// The next window after `mintime`, or `None` when everything that Duo shows for sure was read.
    ///
    /// `horizon` is now minus the settle time, `span` the longest window in milliseconds. `reread` is given for
    /// the first window of a run: with it every fifth run also asks for the last 15 minutes before `mintime`.
    pub fn next(
        mintime: Millis,
        horizon: Millis,
        span: i64,
        reread: Option<Reread>,
    ) -> Option<Self> {
        // Duo refuses mintime >= maxtime, and there is nothing to read then.
        if mintime >= horizon {
            return None;
        }
        let maxtime = horizon.min(mintime + span);
        let from = match reread {
            Some(Reread { runs, not_before }) if runs % OVERLAP_EVERY == OVERLAP_EVERY - 1 => {
                (mintime - OVERLAP).max(not_before).min(mintime)
            }
            _ => mintime,
        };
        Some(Self::new(from, maxtime))
    }

    /// Whether the place reached lies inside the window, as in all that is ever stored.
    pub(super) fn is_sound(&self) -> bool {
        self.mintime <= self.from && self.from <= self.maxtime
    }

    /// Starts the window again: from its beginning, or from the last delivered millisecond.
    pub fn restart(&mut self, from_beginning: bool) {
        self.from = match self.last_time {
            // Not `clamp`, which panics where a window is a single millisecond.
            Some(last) if !from_beginning => last.min(self.maxtime - 1).max(self.mintime),
            _ => self.mintime,
        };
        self.cursor = None;
        self.rows_read = 0;
        self.expected = None;
    }

    /// Notes a page that was read and delivered. `total` is Duo's exact count, where it gave one.
    pub fn count_page(&mut self, rows: u64, total: Option<u64>, newest: Option<Millis>) {
        // Duo says 0 on the empty page behind the last one: only a page with records, or the first, tells.
        if rows > 0 || self.cursor.is_none() {
            self.expected = total;
        }
        self.rows_read = self.rows_read.saturating_add(rows);
        // A broken time far ahead must not make a restart pass over what lies before it.
        self.last_time = self
            .last_time
            .max(newest.filter(|time| *time <= self.maxtime));
    }

    /// Whether fewer records were read than Duo counted.
    pub fn is_short(&self) -> bool {
        self.expected
            .is_some_and(|expected| self.rows_read < expected)
    }

    /// The first millisecond after the window, once it was read to its end.
    pub fn next_mintime(&self) -> Millis {
        self.readable_through
            .map_or(self.maxtime, |readable| readable.min(self.maxtime))
            + 1
    }
}

/// What decides whether a window also re-reads what was already closed.
#[derive(Clone, Copy, Debug)]
pub struct Reread {
    /// Runs so far.
    pub runs: u64,
    /// Nothing before this is asked for.
    pub not_before: Millis,
}

#[cfg(test)]
mod tests {
    use super::{Reread, Window};
    use crate::model::{HOUR, MINUTE, Millis};

    const NOW: Millis = Millis(1_795_348_800_000);

    #[test]
    fn an_idle_log_has_nothing_to_ask() {
        assert_eq!(Window::next(NOW, NOW, HOUR, None), None);
        assert_eq!(Window::next(NOW + 1, NOW, HOUR, None), None);
    }

    #[test]
    fn a_window_is_never_longer_than_the_setting_and_never_reaches_past_the_horizon() {
        let long = Window::next(NOW - 5 * HOUR, NOW, HOUR, None).unwrap();
        assert_eq!(
            (long.mintime, long.maxtime),
            (NOW - 5 * HOUR, NOW - 4 * HOUR)
        );
        let short = Window::next(NOW - MINUTE, NOW, HOUR, None).unwrap();
        assert_eq!(short.maxtime, NOW);
    }

    #[test]
    fn every_fifth_run_reaches_back_fifteen_minutes_but_not_before_the_start() {
        let reread = |runs, not_before| {
            let reread = Reread { runs, not_before };
            Window::next(NOW - MINUTE, NOW, HOUR, Some(reread))
                .unwrap()
                .mintime
        };
        let long_ago = NOW - 24 * HOUR;
        assert_eq!(reread(3, long_ago), NOW - MINUTE);
        assert_eq!(reread(4, long_ago), NOW - 16 * MINUTE);
        assert_eq!(reread(9, long_ago), NOW - 16 * MINUTE);
        assert_eq!(reread(4, NOW - 3 * MINUTE), NOW - 3 * MINUTE);
    }

    #[test]
    fn the_zero_on_the_empty_page_behind_the_last_one_is_no_count() {
        let mut window = Window::next(NOW - HOUR, NOW, HOUR, None).unwrap();
        window.count_page(2, Some(3), None);
        window.cursor = Some("c".to_owned());
        window.count_page(0, Some(0), None);
        assert!(window.is_short());
        window.count_page(1, Some(3), None);
        assert!(!window.is_short());
    }

    #[test]
    fn the_first_page_and_every_page_with_records_tell_the_count() {
        let mut window = Window::next(NOW - HOUR, NOW, HOUR, None).unwrap();
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
        let mut window = Window::next(NOW - HOUR, NOW, HOUR, None).unwrap();
        window.count_page(1, None, Some(NOW));
        window.restart(false);
        // Duo refuses a window of nothing.
        assert_eq!(window.from, NOW - 1);
        window.restart(true);
        assert_eq!(window.from, NOW - HOUR);
        // A time beyond the window is not what was read last.
        window.last_time = None;
        window.count_page(1, None, Some(NOW + 1));
        window.restart(false);
        assert_eq!(window.from, NOW - HOUR);
    }

    #[test]
    fn a_window_is_closed_only_up_to_where_duo_showed_everything() {
        let mut window = Window::next(NOW - HOUR, NOW, HOUR, None).unwrap();
        assert_eq!(window.next_mintime(), NOW + 1);
        window.readable_through = Some(NOW - MINUTE);
        assert_eq!(window.next_mintime(), NOW - MINUTE + 1);
    }
}
