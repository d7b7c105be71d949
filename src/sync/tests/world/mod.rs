//! Duo, Azure Monitor and storage, in memory and without mercy. The instances at work on it run the core's own code.

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
    FetchErrorKind, HOUR, IngestKind, LogType, MINUTE, Millis, PageRequest, Paging, RecordKey,
    SendErrorKind,
};
use crate::settings::Limits;
use crate::sync::{LogConfig, RunOutcome, RunStats, TokenBucket};

pub(super) use instance::{Instance, Next};
pub(super) use ports::{Container, Kind, Reply};

/// A time for tests: 2026-11-22T12:00:00Z.
pub(super) const NOON: Millis = Millis(1_795_348_800_000);

/// An event that Duo has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happened {
    pub(super) key: RecordKey,
    pub(super) time: Millis,
    /// When Duo begins to return it, by Duo's clock.
    pub(super) shown_from: Millis,
}

impl Happened {
    /// Whether Duo returns it later than it promises.
    pub(super) fn is_late(&self) -> bool {
        self.shown_from > self.time + MINUTE * 2
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a way in which Duo or the storage behaves"
)]
pub(super) struct World {
    /// The local clock of the instances.
    pub(super) now: Millis,
    /// How far the local clock is ahead of Duo's.
    pub(super) clock_ahead: TimeDelta,
    pub(super) events: Vec<Happened>,
    pub(super) page_size: usize,
    pub(super) v1: bool,
    /// Pages come newest first, as trust monitor's may.
    pub(super) newest_first: bool,
    /// Also the last page with records has a cursor, behind which an empty one follows.
    pub(super) last_has_cursor: bool,
    /// The ledger takes nothing.
    pub(super) ledger_is_broken: bool,
    /// Answers instead of pages, in order; `None` lets one question pass.
    pub(super) fetch_faults: VecDeque<Option<FetchErrorKind>>,
    /// The answer to every question for a count, and to every reading of a closed hour; `None` lets them pass.
    pub(super) check_fault: Option<FetchErrorKind>,
    /// Answers instead of acceptance; `true` means that the rows were accepted all the same.
    pub(super) send_faults: VecDeque<Option<(SendErrorKind, bool)>>,
    /// Cursors that Duo answers with again, pages it leaves a record out of, by question number.
    pub(super) repeat_cursor_at: HashSet<u64>,
    pub(super) leave_out_at: HashSet<u64>,
    pub(super) letters: Letters,
    pub(super) questions: u64,
    pub(super) asked: Vec<PageRequest>,
    pub(super) accepted: Vec<(RecordKey, IngestKind)>,
    /// Questions for a count only; they are not among the others.
    pub(super) counts: Vec<PageRequest>,
    /// Added to what Duo counts; `None` for a count that is not exact.
    pub(super) miscount: Option<i64>,
    /// Duo counts an event of this time and never shows it.
    pub(super) never_shown: Option<Millis>,
    /// Everything stored, with its version.
    pub(super) blobs: BTreeMap<(Container, String), (Vec<u8>, u64)>,
    versions: u64,
    /// The file names of blobs that were removed.
    pub(super) removed: Vec<String>,
    /// Events that were delivered before this world began.
    delivered_before: HashSet<RecordKey>,
    /// Hours whose report was compared with the truth.
    pub(super) judged: u64,
    /// How often each rare state was reached.
    pub(super) rare: BTreeMap<&'static str, u64>,
    /// One line per operation, where a test wants them.
    pub(super) trace: Option<Vec<String>>,
    pub(super) account: Arc<Mutex<Option<TokenBucket>>>,
    pub(super) slept: Vec<TimeDelta>,
    pub(super) config: LogConfig,
    /// The last checkpoint of each name, by its `mintime`.
    mintimes: HashMap<String, Millis>,
    /// The kinds of all operations so far.
    pub(super) kinds: Vec<ports::Kind>,
    /// What was done so far, and what goes wrong with which of it.
    pub(super) deeds: u64,
    /// Runs it took to catch up.
    pub(super) runs: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    /// Troubles that struck, and those among them after which rows may be sent twice.
    pub(super) struck: u64,
    pub(super) may_duplicate: u64,
    /// Whether two instances are at work.
    pub(super) is_shared: bool,
    /// What each request, batch and write of the checkpoint takes.
    pub(super) limits: TimeDelta,
}

/// What may go wrong with one thing that an instance does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The process is killed before it is done.
    KilledBefore,
    /// The process is killed when it is done, before it knows.
    KilledAfter,
    /// Storage reports an error; `true` when it did what was asked all the same.
    Storage(bool),
    /// A write succeeds, its response is lost, and the client's own repetition of it meets what it wrote.
    LostResponse,
    /// Duo gives no page.
    Fetch(FetchErrorKind),
    /// Azure Monitor does not accept; `true` when it did all the same.
    Send(SendErrorKind, bool),
}

/// What Azure Monitor does not take whole.
#[derive(Clone, Default)]
pub(super) struct Letters {
    /// Records that Azure Monitor refuses.
    pub(super) refused: HashSet<RecordKey>,
    /// How often one of them was sent alone.
    pub(super) refusals: usize,
    /// Records whose rows lack a part of them.
    pub(super) truncated: HashSet<RecordKey>,
    /// Records among those kept that were refused alone.
    pub(super) set_aside: HashSet<RecordKey>,
    /// Originals that are kept, and how often each was stored.
    pub(super) stored: HashMap<RecordKey, u32>,
    /// Nothing can be stored.
    pub(super) are_broken: bool,
}

impl World {
    /// A world with these event times; the log was collected since three hours ago.
    pub(super) fn new(times: impl IntoIterator<Item = Millis>) -> Self {
        let events = times
            .into_iter()
            .enumerate()
            .map(|(number, time)| Happened {
                key: id(number as u64),
                time,
                shown_from: time + MINUTE * 2,
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
            ledger_is_broken: false,
            fetch_faults: VecDeque::new(),
            check_fault: None,
            send_faults: VecDeque::new(),
            repeat_cursor_at: HashSet::new(),
            leave_out_at: HashSet::new(),
            letters: Letters::default(),
            questions: 0,
            asked: Vec::new(),
            accepted: Vec::new(),
            counts: Vec::new(),
            miscount: Some(0),
            never_shown: None,
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
                    longest_window: HOUR,
                    window_delay: MINUTE * 3,
                    requests_per_minute: 0,
                    throttle_backoff: MINUTE,
                    run_time_limit: TimeDelta::seconds(50),
                },
                max_batch_bytes: 200,
                first_mintime: NOON - HOUR * 3,
                backfill: None,
                owner: "a".to_owned(),
                destination: "workspace".to_owned(),
            },
            mintimes: HashMap::new(),
            kinds: Vec::new(),
            deeds: 0,
            runs: 0,
            faults: BTreeMap::new(),
            struck: 0,
            may_duplicate: 0,
            is_shared: false,
            limits: TimeDelta::milliseconds(10),
        }
    }

    /// The same with the paging of the seconds-based logs; Duo puts `page_size` records on a page.
    pub(super) fn v1(times: impl IntoIterator<Item = Millis>, page_size: usize) -> Self {
        let mut world = Self::new(times);
        world.v1 = true;
        world.config.spec.paging = Paging::LastSecond;
        world.page_size = page_size;
        world
    }

    /// The clustered events with that paging, whose logs know whole seconds only.
    pub(super) fn last_second(page_size: usize) -> Self {
        let seconds = clustered().into_iter().map(|time| Millis::from_seconds(time.seconds()));
        Self::v1(seconds, page_size)
    }

    /// The same with pages by a cursor in no promised order, and without counts that hold.
    pub(super) fn unsorted(times: impl IntoIterator<Item = Millis>) -> Self {
        let mut world = Self::new(times);
        world.newest_first = true;
        world.config.spec.paging = LogType::TrustMonitor.spec().paging;
        world
    }

    /// Runs one instance to its end.
    pub(super) fn run(&mut self, owner: &str) -> (RunOutcome, RunStats) {
        let mut instance = self.instance(owner);
        let outcome = self.finish(&mut instance);
        (outcome, instance.result.map(|result| result.stats).unwrap_or_default())
    }

    /// Runs every minute until the log is caught up twice in a row.
    pub(super) fn run_until_caught_up(&mut self, owner: &str) {
        let mut quiet = 0;
        for _ in 0..200 {
            let before = self.accepted.len();
            let (ending, _) = self.run(owner);
            self.runs += 1;
            quiet = if ending == RunOutcome::CaughtUp && self.accepted.len() == before {
                quiet + 1
            } else {
                0
            };
            if quiet == 5 {
                return;
            }
            self.now = self.now + MINUTE;
        }
        panic!("the log never catches up");
    }

    /// Events that Duo returns and that were neither accepted nor dead-lettered.
    pub(super) fn lost(&self) -> Vec<Happened> {
        let accepted: HashSet<RecordKey> = self.accepted.iter().map(|(key, _)| *key).collect();
        let is_lost =
            |event: &&Happened| !accepted.contains(&event.key) && !self.is_dead_lettered(event.key);
        self.events.iter().filter(is_lost).copied().collect()
    }

    /// Deliveries beyond the first of each event.
    pub(super) fn duplicates(&self) -> usize {
        let distinct: HashSet<RecordKey> = self.accepted.iter().map(|(key, _)| *key).collect();
        self.accepted.len() - distinct.len()
    }

    /// Asserts that every event was delivered or dead-lettered, and none delivered twice.
    #[track_caller]
    pub(super) fn assert_all_once(&self) {
        let lost = self.lost();
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert_eq!(self.duplicates(), 0, "duplicated");
    }

    /// Whether a record was refused, and its original is kept.
    pub(super) fn is_dead_lettered(&self, key: RecordKey) -> bool {
        self.letters.set_aside.contains(&key)
    }

    /// Whether Duo's endpoint has no way to return an event: its second is larger than a page.
    fn is_hidden(&self, event: &Happened) -> bool {
        let second = event.time.seconds();
        let is_in_it = |other: &&Happened| other.time.seconds() == second;
        self.v1 && self.events.iter().filter(is_in_it).count() > self.page_size
    }

    /// Something happens now.
    pub(super) fn add_now(&mut self, number: u64) {
        self.events.push(Happened {
            key: id(number),
            time: self.now,
            shown_from: self.now + MINUTE * 2,
        });
    }

    /// Notes that a rare state was reached.
    pub(super) fn reach(&mut self, state: &'static str) {
        *self.rare.entry(state).or_default() += 1;
    }

    fn note(&mut self, instance: &Instance, operation: &ports::Operation) {
        let (now, last_at) = (self.now, instance.last_at);
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now} {last_at} {operation:?}"));
        }
    }

    /// Runs every quarter of an hour until then.
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
