//! What a day costs: requests, stored objects and bytes.

use super::log::Log;
use super::plan::Phase;
use crate::model::LogType;
use crate::sync::tests::world::World;

/// Days of a window, at most.
const WINDOW: usize = 20;
/// Share by which a window may differ from the first one: event times are random.
const TOLERANCE: f64 = 0.03;
/// Results are kept for 400 days after the ids of their hours were removed.
const MOST_RESULTS: f64 = 418.0;
/// Bytes of the results of a day that is a gap.
const LARGEST_RESULT: usize = 10_000;

/// One day of one log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    number: i64,
    requests: usize,
    /// Blobs of ids, and days of results.
    ids: Stored,
    results: Stored,
    all: Stored,
    events: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Stored {
    objects: usize,
    bytes: usize,
    largest: usize,
}

impl Stored {
    fn of(world: &World, part: impl Fn(&str) -> bool) -> Self {
        let mut stored = Self::default();
        for (_, (content, _)) in world.blobs.iter().filter(|((_, name), _)| part(name)) {
            stored.objects += 1;
            stored.bytes += content.len();
            stored.largest = stored.largest.max(content.len());
        }
        stored
    }
}

impl Day {
    pub(super) fn of(log: &mut Log, number: i64) -> Self {
        let requests = log.take_requests();
        let is_id = |name: &str| name.strip_suffix(".ids").is_some();
        Self {
            number,
            requests,
            ids: Stored::of(&log.world, is_id),
            results: Stored::of(&log.world, |name| name.contains("/ledger/") && !is_id(name)),
            all: Stored::of(&log.world, |_| true),
            events: log.event_count,
        }
    }
}

/// Means of a window of normal days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    first_day: i64,
    requests: f64,
    ids: f64,
    id_bytes: f64,
    results: f64,
    bytes_per_result: f64,
    largest_result: usize,
    bytes: f64,
    /// Whether results of 400 days are stored, so that old ones are removed.
    is_full: bool,
}

/// The windows of consecutive normal days.
pub(super) fn windows(days: &[Day]) -> Vec<Window> {
    let length = days.len().min(WINDOW);
    if length < 2 { Vec::new() } else { days.chunks_exact(length).map(Window::of).collect() }
}

impl Window {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn of(days: &[Day]) -> Self {
        let mean =
            |of: fn(&Day) -> usize| days.iter().map(of).sum::<usize>() as f64 / days.len() as f64;
        let results = mean(|day| day.results.objects);
        let is_steady = days[0].results.objects == days[days.len() - 1].results.objects;
        Self {
            first_day: days[0].number,
            requests: mean(|day| day.requests),
            ids: mean(|day| day.ids.objects),
            id_bytes: mean(|day| day.ids.bytes),
            results,
            bytes_per_result: mean(|day| day.results.bytes) / results,
            largest_result: days.iter().map(|day| day.results.largest).max().unwrap_or(0),
            bytes: mean(|day| day.all.bytes),
            is_full: is_steady && results >= 400.0,
        }
    }
}

pub(super) fn print_header(logs: &[Log]) {
    let logs: Vec<&str> = logs.iter().map(|log| log.world.config.log_type.as_str()).collect();
    println!("stored objects and bytes, events and peak memory of all logs; requests per day:");
    println!("  day objects      bytes  events  memory  {}", logs.join("  "));
}

/// Prints a row of the curve.
pub(super) fn print(phase: Phase, days: &[Day]) {
    let sum = |of: fn(&Day) -> usize| days.iter().map(of).sum::<usize>();
    let requests: Vec<String> = days.iter().map(|day| format!("{:>8}", day.requests)).collect();
    println!(
        "{:>5} {:>7} {:>10} {:>7} {:>3} MiB {}  {phase:?}",
        days[0].number,
        sum(|day| day.all.objects),
        sum(|day| day.all.bytes),
        days.iter().map(|day| day.events).sum::<u64>(),
        peak_memory(),
        requests.join(" "),
    );
}

/// Asserts that all windows agree with the first one, and the whole state with that of the first
/// window with 400 days of results.
pub(super) fn assert_flat(log: LogType, windows: &[Window]) {
    let (first, last) = (windows[0], windows[windows.len() - 1]);
    let full = windows.iter().find(|window| window.is_full);
    for window in [Some(&first), full, Some(&last)].into_iter().flatten() {
        println!("{log}: {window:.1?}");
    }
    for window in windows {
        let mut figures = vec![
            ("requests", first.requests, window.requests),
            ("blobs of ids", first.ids, window.ids),
            ("bytes of ids", first.id_bytes, window.id_bytes),
            ("bytes per day of results", first.bytes_per_result, window.bytes_per_result),
        ];
        if let Some(full) = full.filter(|full| full.first_day <= window.first_day) {
            figures.push(("days of results", full.results, window.results));
            figures.push(("bytes", full.bytes, window.bytes));
        }
        for (name, before, after) in figures {
            let is_flat = (after - before).abs() <= before * TOLERANCE;
            assert!(is_flat, "{log}: {name}: {before} became {after} at day {}", window.first_day);
        }
        assert!(window.results <= MOST_RESULTS, "{log}: {window:?}");
        assert!(window.largest_result <= LARGEST_RESULT, "{log}: {window:?}");
    }
    assert!(full.is_some(), "{log}: no results were old enough to be removed");
}

/// Peak memory of this process in MiB, which holds the simulated Duo too; 0 if unknown.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}
