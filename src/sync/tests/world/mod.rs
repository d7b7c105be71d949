//! Simulated Duo, Azure Monitor and storage in memory. Instances run the core's code on them.

mod azure_and_storage;
mod duo;
mod instance;
mod ports;
mod stored;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use super::record::id;
use crate::model::{
    EventContent, FetchErrorKind, HOUR, IngestKind, LogType, MINUTE, Millis, PageRequest, Paging,
    RecordKey, SendErrorKind,
};
use crate::settings::Limits;
use crate::sync::{LogConfig, RunOutcome, RunStats, TokenBucket};

pub(super) use instance::{Instance, Next};
pub(super) use ports::{Container, Kind, Reply};

/// 2026-11-22T12:00:00Z.
pub(super) const NOON: Millis = Millis(1_795_348_800_000);

/// An event in Duo.
#[derive(Clone, Copy, Debug)]
pub(super) struct DuoEvent {
    pub(super) key: RecordKey,
    pub(super) time: Millis,
    /// Time from which Duo returns it, by Duo's clock.
    pub(super) visible_from: Millis,
}

impl DuoEvent {
    /// Whether Duo returns it more than two minutes late.
    pub(super) fn is_late(&self) -> bool {
        self.visible_from > self.time + MINUTE * 2
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each is a behaviour of Duo or storage")]
pub(super) struct World {
    /// The local clock of the instances.
    pub(super) now: Millis,
    /// How far the local clock is ahead of Duo's.
    pub(super) clock_ahead: TimeDelta,
    pub(super) events: Vec<DuoEvent>,
    pub(super) page_size: usize,
    pub(super) v1: bool,
    /// Pages are newest first, as trust monitor's may be.
    pub(super) newest_first: bool,
    /// The last page with records has a cursor, and an empty page follows.
    pub(super) last_has_cursor: bool,
    /// Duo's responses with more records than this do not arrive whole.
    pub(super) largest_page: Option<usize>,
    /// Azure Monitor fails with batches of more records than this.
    pub(super) largest_batch: Option<usize>,
    /// Azure Monitor fails (5xx) with batches that hold one of these records.
    pub(super) poisonous: HashSet<RecordKey>,
    /// Duo returns no cursor.
    pub(super) never_has_cursor: bool,
    /// Duo's count is cached: it omits the events that it returns late.
    pub(super) count_is_cached: bool,
    /// Every ledger write fails.
    pub(super) ledger_writes_fail: bool,
    /// Errors of page requests, in order; `None` is a success.
    pub(super) fetch_faults: VecDeque<Option<FetchErrorKind>>,
    /// Error of every reconciliation request.
    pub(super) reconciliation_fault: Option<FetchErrorKind>,
    /// Errors of batches, in order; `true` if the rows are accepted nevertheless.
    pub(super) send_faults: VecDeque<Option<(SendErrorKind, bool)>>,
    /// Numbers of the requests for which Duo repeats the cursor or omits a record.
    pub(super) repeat_cursor_at: HashSet<u64>,
    pub(super) omit_record_at: HashSet<u64>,
    pub(super) letters: Letters,
    pub(super) request_count: u64,
    pub(super) requests: Vec<PageRequest>,
    pub(super) accepted: Vec<(RecordKey, IngestKind)>,
    /// The accepted updates, and the content that each replaces.
    pub(super) replacements: Vec<(RecordKey, EventContent)>,
    /// Contents that Duo returned before a change in place, or returns since.
    pub(super) changed: HashSet<RecordKey>,
    /// Requests for a count, which are not in `requests`.
    pub(super) counts: Vec<PageRequest>,
    /// Added to Duo's count; `None` for no exact count.
    pub(super) miscount: Option<i64>,
    /// Duo counts an event of this time and never returns it.
    pub(super) never_returned: Option<Millis>,
    /// Everything stored, with its version.
    pub(super) blobs: BTreeMap<(Container, String), (Vec<u8>, u64)>,
    versions: u64,
    /// File names of removed blobs.
    pub(super) removed: Vec<String>,
    /// Events delivered before the test.
    delivered_before: HashSet<RecordKey>,
    /// Number of verified hours checked against the events.
    pub(super) judged: u64,
    /// Occurrences of rare states.
    pub(super) rare: BTreeMap<&'static str, u64>,
    /// One line per operation, if enabled.
    pub(super) trace: Option<Vec<String>>,
    pub(super) account: Arc<Mutex<Option<TokenBucket>>>,
    pub(super) slept: Vec<TimeDelta>,
    pub(super) config: LogConfig,
    /// The last `mintime` of each checkpoint.
    mintimes: HashMap<String, Millis>,
    /// The kinds of all operations so far.
    pub(super) kinds: Vec<ports::Kind>,
    /// Number of operations so far, and the faults by operation number.
    pub(super) operation_count: u64,
    /// Number of runs until caught up.
    pub(super) runs: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    /// Injected faults, and the number of batches that may be duplicated.
    pub(super) injected: u64,
    pub(super) may_duplicate: u64,
    /// Whether there are two instances.
    pub(super) is_shared: bool,
    /// Duration of each request, batch and checkpoint write.
    pub(super) latency: TimeDelta,
}

/// A fault of one operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The process is killed before the operation.
    KilledBefore,
    /// The process is killed after the operation, before its result.
    KilledAfter,
    /// Storage returns an error; `true` if the operation succeeded nevertheless.
    Storage(bool),
    /// A write succeeds, its response is lost, and the client's retry conflicts with it.
    LostResponse,
    /// Duo returns an error.
    Fetch(FetchErrorKind),
    /// Duo returns a wrong page.
    Page(PageFault),
    /// Azure Monitor returns an error; `true` if the rows are accepted nevertheless.
    Send(SendErrorKind, bool),
}

/// What is wrong about a page.
#[derive(Clone, Copy, Debug)]
pub(super) enum PageFault {
    CursorMissing,
    RecordOmitted,
    /// One record is returned twice, and the next one omitted, so that the count agrees.
    RecordRepeated,
    /// Duo's count is higher or lower than the records.
    Count(i64),
}

impl PageFault {
    /// Whether records are missing from the page, which only Duo's count shows.
    const fn lacks_records(self) -> bool {
        matches!(self, Self::RecordOmitted | Self::RecordRepeated)
    }
}

/// Refused and truncated records.
#[derive(Clone, Default)]
pub(super) struct Letters {
    /// Records that Azure Monitor refuses.
    pub(super) refused: HashSet<RecordKey>,
    /// Refusals of single records.
    pub(super) refusals: usize,
    /// Truncated records.
    pub(super) truncated: HashSet<RecordKey>,
    /// Dead-lettered records that were refused.
    pub(super) dead_lettered: HashSet<RecordKey>,
    /// Number of writes of each dead letter.
    pub(super) stored: HashMap<RecordKey, u32>,
    /// Every dead-letter write fails.
    pub(super) writes_fail: bool,
}

impl World {
    /// A world with events at these times; collection starts three hours ago.
    pub(super) fn new(times: impl IntoIterator<Item = Millis>) -> Self {
        let events = times
            .into_iter()
            .enumerate()
            .map(|(number, time)| DuoEvent {
                key: id(number as u64),
                time,
                visible_from: time + MINUTE * 2,
            })
            .collect();
        Self {
            now: NOON,
            clock_ahead: TimeDelta::zero(),
            events,
            page_size: 3,
            v1: false,
            newest_first: false,
            last_has_cursor: true,
            largest_page: None,
            largest_batch: None,
            poisonous: HashSet::new(),
            never_has_cursor: false,
            count_is_cached: false,
            ledger_writes_fail: false,
            fetch_faults: VecDeque::new(),
            reconciliation_fault: None,
            send_faults: VecDeque::new(),
            repeat_cursor_at: HashSet::new(),
            omit_record_at: HashSet::new(),
            letters: Letters::default(),
            request_count: 0,
            requests: Vec::new(),
            accepted: Vec::new(),
            replacements: Vec::new(),
            changed: HashSet::new(),
            counts: Vec::new(),
            miscount: Some(0),
            never_returned: None,
            blobs: BTreeMap::new(),
            versions: 0,
            removed: Vec::new(),
            delivered_before: HashSet::new(),
            judged: 0,
            rare: BTreeMap::new(),
            trace: None,
            account: Arc::default(),
            slept: Vec::new(),
            config: LogConfig {
                log_type: LogType::Activity,
                spec: LogType::Activity.spec(),
                limits: Limits {
                    first_window: HOUR,
                    longest_window: HOUR,
                    window_delay: MINUTE * 3,
                    requests_per_minute: 0,
                    throttle_backoff: MINUTE,
                    run_time_limit: TimeDelta::seconds(50),
                },
                max_batch_bytes: 200,
                start: (NOON - HOUR * 3, false),
                backfill: None,
                owner: "a".to_owned(),
                destination: "workspace".to_owned(),
            },
            mintimes: HashMap::new(),
            kinds: Vec::new(),
            operation_count: 0,
            runs: 0,
            faults: BTreeMap::new(),
            injected: 0,
            may_duplicate: 0,
            is_shared: false,
            latency: TimeDelta::milliseconds(10),
        }
    }

    /// A world with the paging of the v1 logs and this page size.
    pub(super) fn v1(times: impl IntoIterator<Item = Millis>, page_size: usize) -> Self {
        let mut world = Self::new(times);
        world.v1 = true;
        world.config.spec.paging = Paging::LastSecond;
        world.config.spec.limit = None;
        world.page_size = page_size;
        world
    }

    /// The clustered events with v1 paging and whole seconds.
    pub(super) fn last_second(page_size: usize) -> Self {
        let seconds = clustered().into_iter().map(|time| Millis::from_seconds(time.seconds()));
        Self::v1(seconds, page_size)
    }

    /// A world with the paging of trust monitor: newest first, without counts.
    pub(super) fn unsorted(times: impl IntoIterator<Item = Millis>) -> Self {
        let mut world = Self::new(times);
        world.newest_first = true;
        world.config.spec.paging = LogType::TrustMonitor.spec().paging;
        world
    }

    /// Runs one instance until its run has ended.
    pub(super) fn run(&mut self, owner: &str) -> (RunOutcome, RunStats) {
        let mut instance = self.instance(owner);
        let outcome = self.finish(&mut instance);
        let is_reported = outcome == RunOutcome::Unavailable { report: true };
        let (error, stats) = instance.result.map(|result| (result.error, result.stats)).unzip();
        assert!(!is_reported || error.flatten().is_some(), "an unavailable log without a reason");
        (outcome, stats.unwrap_or_default())
    }

    /// Runs every minute until the log has caught up five times in a row.
    pub(super) fn run_until_caught_up(&mut self, owner: &str) {
        let mut quiet = 0;
        for _ in 0..200 {
            let before = self.accepted.len();
            let (outcome, _) = self.run(owner);
            self.runs += 1;
            quiet = if outcome == RunOutcome::CaughtUp && self.accepted.len() == before {
                quiet + 1
            } else {
                0
            };
            if quiet == 5 {
                return;
            }
            self.now = self.now + MINUTE;
        }
        panic!("the log does not catch up");
    }

    /// Events that Duo returns and that were neither accepted nor dead-lettered.
    pub(super) fn lost(&self) -> Vec<DuoEvent> {
        let accepted: HashSet<RecordKey> = self.accepted.iter().map(|(key, _)| *key).collect();
        let is_lost = |event: &&DuoEvent| {
            !accepted.contains(&event.key)
                && !self.is_dead_lettered(event.key)
                && !self.changed.contains(&event.key)
        };
        self.events.iter().filter(is_lost).copied().collect()
    }

    /// Deliveries beyond the first of each event.
    pub(super) fn duplicates(&self) -> usize {
        let distinct: HashSet<RecordKey> = self.accepted.iter().map(|(key, _)| *key).collect();
        self.accepted.len() - distinct.len()
    }

    /// Asserts that every event is delivered or dead-lettered, and none duplicated.
    #[track_caller]
    pub(super) fn assert_all_once(&self) {
        let lost = self.lost();
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert_eq!(self.duplicates(), 0, "duplicated");
    }

    /// Sets a fixed length of windows.
    pub(super) fn set_window(&mut self, length: TimeDelta) {
        let limits = &mut self.config.limits;
        (limits.first_window, limits.longest_window) = (length, length);
    }

    /// Whether a refused record is dead-lettered.
    pub(super) fn is_dead_lettered(&self, key: RecordKey) -> bool {
        self.letters.dead_lettered.contains(&key)
    }

    /// Whether a v1 endpoint cannot return an event, because its second exceeds a page.
    fn is_hidden(&self, event: &DuoEvent) -> bool {
        let second = event.time.seconds();
        let is_same_second = |other: &&DuoEvent| other.time.seconds() == second;
        self.v1 && self.events.iter().filter(is_same_second).count() > self.page_size
    }

    /// Adds an event at the current time.
    pub(super) fn add_now(&mut self, number: u64) {
        self.events.push(DuoEvent {
            key: id(number),
            time: self.now,
            visible_from: self.now + MINUTE * 2,
        });
    }

    /// Counts a rare state.
    pub(super) fn reach(&mut self, state: &'static str) {
        *self.rare.entry(state).or_default() += 1;
    }

    fn note(&mut self, instance: &Instance, operation: &ports::Operation) {
        let (now, last_at) = (self.now, instance.last_at);
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now} {last_at} {operation:?}"));
        }
    }

    /// Runs every 15 minutes until `end`.
    pub(super) fn run_until(&mut self, owner: &str, end: Millis) {
        while self.now < end {
            self.run(owner);
            self.now = self.now + MINUTE * 15;
        }
    }
}

/// Event times with clusters in one millisecond and one second, over three hours before noon.
pub(super) fn clustered() -> Vec<Millis> {
    let mut times: Vec<Millis> =
        (0..20).map(|number| NOON - MINUTE * 170 + MINUTE * (number * 7)).collect();
    times.extend([NOON - MINUTE * 100; 5]);
    times.extend((0..5).map(|number| NOON - MINUTE * 50 + TimeDelta::milliseconds(number)));
    times
}
