//! Duo, Azure Monitor, the ledger and the stored checkpoint, in memory and without mercy.

mod azure_and_state;
mod duo;
mod letters;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::model::{HOUR, Hour, MINUTE, Millis};
use crate::sync::{
    Action, Bucket, Checkpoint, DayResults, Ending, Event, FetchFault, HourResult, IngestKind,
    Limits, LogRun, PageRequest, RowId, Seen, SendFault, Tally,
};
use letters::Letters;

/// A time for tests: 2026-11-22T12:00:00Z.
pub(super) const NOON: Millis = Millis(1_795_348_800_000);

/// An event that Duo has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happened {
    pub(super) id: RowId,
    pub(super) time: Millis,
    /// When Duo begins to show it, by Duo's clock.
    pub(super) shown_from: Millis,
}

impl Happened {
    /// Whether Duo shows it only after it says that it shows everything.
    pub(super) fn is_late(&self) -> bool {
        self.shown_from > self.time + 2 * MINUTE
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
    pub(super) clock_ahead: i64,
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
    pub(super) fetch_faults: VecDeque<Option<FetchFault>>,
    /// The answer to every question for a count, and to every reading of a closed hour; `None` lets them pass.
    pub(super) check_fault: Option<FetchFault>,
    /// Answers instead of acceptance; `true` means that the rows were accepted all the same.
    pub(super) send_faults: VecDeque<Option<(SendFault, bool)>>,
    /// Cursors that Duo answers with again, pages it leaves a record out of, by question number.
    pub(super) repeat_cursor_at: HashSet<u64>,
    pub(super) leave_out_at: HashSet<u64>,
    pub(super) letters: Letters,
    pub(super) questions: u64,
    pub(super) asked: Vec<PageRequest>,
    pub(super) accepted: Vec<(RowId, IngestKind)>,
    /// Ids recorded, with the hour they stand under.
    pub(super) ledger: HashMap<RowId, Hour>,
    /// Questions for a count only; they are not among the others.
    pub(super) counts: Vec<PageRequest>,
    /// Added to what Duo counts; `None` for a count that is not exact.
    pub(super) miscount: Option<i64>,
    /// Duo counts an event of this time and never shows it.
    pub(super) never_shown: Option<Millis>,
    pub(super) results: BTreeMap<Hour, DayResults>,
    pub(super) forgotten: Vec<Hour>,
    /// Days whose results were given up.
    pub(super) pruned: Vec<Hour>,
    pub(super) stored: Option<(u64, Checkpoint)>,
    pub(super) account: Option<Bucket>,
    pub(super) slept: Vec<i64>,
    pub(super) limits: Limits,
    /// What was done so far, and what goes wrong with which of it.
    pub(super) deeds: u64,
    /// Runs it took to catch up.
    pub(super) runs: u64,
    pub(super) troubles: BTreeMap<u64, Trouble>,
    /// Troubles that struck, and those among them after which rows may be sent twice.
    pub(super) struck: u64,
    pub(super) may_repeat: u64,
    /// Milliseconds that each question, call and write takes.
    pub(super) pace: i64,
}

/// What may go wrong with one thing that an instance does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    /// The process is killed before it is done.
    KilledBefore,
    /// The process is killed when it is done, before it knows.
    KilledAfter,
    /// The storage does not answer; `true` when it did what was asked all the same.
    State(bool),
    /// Duo gives no page.
    Fetch(FetchFault),
    /// Azure Monitor does not accept; `true` when it did all the same.
    Send(SendFault, bool),
}

/// One process at work on the log.
pub(super) struct Instance {
    pub(super) run: LogRun,
    action: Option<Action>,
    version: Option<u64>,
    page: Vec<Seen>,
    pub(super) steps: u64,
    /// When it was last at work.
    pub(super) last_at: Millis,
    /// Whether the process was killed.
    pub(super) is_killed: bool,
}

pub(super) fn id(number: u64) -> RowId {
    let mut id = [0; 20];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

impl World {
    /// A world with these event times; the log was collected since three hours ago.
    pub(super) fn new(times: impl IntoIterator<Item = Millis>) -> Self {
        let events = times
            .into_iter()
            .enumerate()
            .map(|(number, time)| Happened {
                id: id(number as u64),
                time,
                shown_from: time + 2 * MINUTE,
            })
            .collect();
        Self {
            now: NOON,
            clock_ahead: 0,
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
            ledger: HashMap::new(),
            counts: Vec::new(),
            miscount: Some(0),
            never_shown: None,
            results: BTreeMap::new(),
            forgotten: Vec::new(),
            pruned: Vec::new(),
            stored: None,
            account: None,
            slept: Vec::new(),
            limits: Limits {
                cursor_paging: true,
                sorted: true,
                sweeps: true,
                may_be_retired: false,
                settle: 3 * MINUTE,
                window: HOUR,
                calls_per_minute: 0,
                park: MINUTE,
                max_call_bytes: 200,
                first_mintime: NOON - 3 * HOUR,
                backfill: None,
                owner: "a".to_owned(),
                destination: "workspace".to_owned(),
            },
            deeds: 0,
            runs: 0,
            troubles: BTreeMap::new(),
            struck: 0,
            may_repeat: 0,
            pace: 10,
        }
    }

    /// The same with the paging of the seconds-based logs; Duo puts `page_size` records on a page.
    pub(super) fn v1(times: impl IntoIterator<Item = Millis>, page_size: usize) -> Self {
        let mut world = Self::new(times);
        world.v1 = true;
        world.limits.cursor_paging = false;
        world.limits.sorted = false;
        world.page_size = page_size;
        world
    }

    pub(super) fn instance(&self, owner: &str) -> Instance {
        let limits = Limits {
            owner: owner.to_owned(),
            ..self.limits.clone()
        };
        let run = LogRun::new(limits, self.now + 50_000, fastrand::Rng::with_seed(7));
        Instance {
            run,
            action: None,
            version: None,
            page: Vec::new(),
            steps: 0,
            last_at: self.now,
            is_killed: false,
        }
    }

    /// Runs one instance to its end.
    pub(super) fn run(&mut self, owner: &str) -> (Ending, Tally) {
        let mut instance = self.instance(owner);
        let ending = self.finish(&mut instance);
        (ending, instance.run.tally().clone())
    }

    /// Steps an instance until its run is over.
    pub(super) fn finish(&mut self, instance: &mut Instance) -> Ending {
        for _ in 0..100_000 {
            if let Some(ending) = self.step(instance) {
                return ending;
            }
        }
        panic!("the run never ends");
    }

    /// Runs every minute until the log is caught up twice in a row.
    pub(super) fn run_until_caught_up(&mut self, owner: &str) {
        let mut quiet = 0;
        for _ in 0..200 {
            let before = self.accepted.len();
            let (ending, _) = self.run(owner);
            self.runs += 1;
            quiet = if ending == Ending::CaughtUp && self.accepted.len() == before {
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

    /// Does the instance's next action and tells it; `Some` when the run is over.
    pub(super) fn step(&mut self, instance: &mut Instance) -> Option<Ending> {
        instance.steps += 1;
        let event = match instance.action.take() {
            None => Event::Started,
            Some(Action::Stop(ending)) => {
                instance.action = Some(Action::Stop(ending));
                return Some(ending);
            }
            Some(action) => self.act_in_trouble(instance, action),
        };
        instance.last_at = self.now;
        if instance.is_killed {
            return Some(Ending::Interrupted);
        }
        let action = instance.run.step(event, self.now, false);
        if let Action::Stop(ending) = action {
            instance.action = Some(Action::Stop(ending));
            return Some(ending);
        }
        instance.action = Some(action);
        None
    }

    /// Events that Duo shows and that were neither accepted nor set aside, among those the log is caught up with.
    pub(super) fn lost(&self) -> Vec<Happened> {
        let accepted: HashSet<RowId> = self.accepted.iter().map(|(row, _)| *row).collect();
        self.events
            .iter()
            .copied()
            .filter(|event| !accepted.contains(&event.id) && !self.is_set_aside(event.id))
            .collect()
    }

    /// Deliveries beyond the first of each event.
    pub(super) fn duplicates(&self) -> usize {
        let distinct: HashSet<RowId> = self.accepted.iter().map(|(row, _)| *row).collect();
        self.accepted.len() - distinct.len()
    }

    /// Something happens now.
    pub(super) fn add_now(&mut self, number: u64) {
        self.events.push(Happened {
            id: id(number),
            time: self.now,
            shown_from: self.now + 2 * MINUTE,
        });
    }

    /// What is known of an hour.
    pub(super) fn result(&self, hour: Hour) -> &HourResult {
        &self.results[&hour.day()].hours[&hour.number_in_day()]
    }

    /// Runs every quarter of an hour until then.
    pub(super) fn run_until(&mut self, owner: &str, end: Millis) {
        while self.now < end {
            self.run(owner);
            self.now = self.now + 15 * MINUTE;
        }
    }

    pub(super) fn checkpoint_window_cursor(&self) -> Option<&str> {
        self.stored.as_ref()?.1.window.as_ref()?.cursor.as_deref()
    }

    pub(super) fn checkpoint(&self) -> &Checkpoint {
        &self.stored.as_ref().unwrap().1
    }
}

/// Event times with clusters in one millisecond and one second, over three hours before noon.
pub(super) fn clustered() -> Vec<Millis> {
    let mut times: Vec<Millis> = (0..20)
        .map(|number| NOON - 170 * MINUTE + number * 7 * MINUTE)
        .collect();
    times.extend([NOON - 100 * MINUTE; 5]);
    times.extend((0..5).map(|number| NOON - 50 * MINUTE + number));
    times
}
