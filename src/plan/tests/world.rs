//! Duo, Azure Monitor, the ledger and the stored checkpoint, in memory and without mercy.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::model::{HOUR, Hour, MINUTE, Millis};
use crate::plan::{
    ACCOUNT_SHARE, Action, Bucket, Checkpoint, DayResults, Ending, Event, FetchFault, HourResult,
    IngestKind, Limits, LogRun, PageRequest, PageSeen, RowId, Seen, SendFault, Tally,
};

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
    /// The ledger takes nothing.
    pub(super) ledger_is_broken: bool,
    /// Answers instead of pages, in order; `None` lets one question pass.
    pub(super) fetch_faults: VecDeque<Option<FetchFault>>,
    /// Answers instead of acceptance; `true` means that the rows were accepted all the same.
    pub(super) send_faults: VecDeque<Option<(SendFault, bool)>>,
    /// Cursors that Duo answers with again, pages it leaves a record out of, by question number.
    pub(super) repeat_cursor_at: HashSet<u64>,
    pub(super) leave_out_at: HashSet<u64>,
    pub(super) refuse_record: Option<RowId>,
    pub(super) questions: u64,
    pub(super) asked: Vec<PageRequest>,
    pub(super) accepted: Vec<(RowId, IngestKind)>,
    /// Ids recorded, with the hour they stand under.
    pub(super) ledger: HashMap<RowId, Hour>,
    /// Questions for a count only; they are not among the others.
    pub(super) counts: Vec<PageRequest>,
    /// Added to what Duo counts; `None` for a count that is not exact.
    pub(super) miscount: Option<i64>,
    pub(super) results: BTreeMap<Hour, DayResults>,
    pub(super) forgotten: Vec<Hour>,
    pub(super) stored: Option<(u64, Checkpoint)>,
    pub(super) account: Option<Bucket>,
    pub(super) slept: Vec<i64>,
    pub(super) limits: Limits,
    /// Milliseconds that each question, call and write takes.
    pub(super) pace: i64,
}

/// One process at work on the log.
pub(super) struct Instance {
    run: LogRun,
    action: Option<Action>,
    version: Option<u64>,
    page: Vec<Seen>,
    pub(super) steps: u64,
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
            ledger_is_broken: false,
            fetch_faults: VecDeque::new(),
            send_faults: VecDeque::new(),
            repeat_cursor_at: HashSet::new(),
            leave_out_at: HashSet::new(),
            refuse_record: None,
            questions: 0,
            asked: Vec::new(),
            accepted: Vec::new(),
            ledger: HashMap::new(),
            counts: Vec::new(),
            miscount: Some(0),
            results: BTreeMap::new(),
            forgotten: Vec::new(),
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
                owner: "a".to_owned(),
                destination: "workspace".to_owned(),
            },
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
            Some(action) => self.act(instance, action),
        };
        let action = instance.run.step(event, self.now, false);
        if let Action::Stop(ending) = action {
            instance.action = Some(Action::Stop(ending));
            return Some(ending);
        }
        instance.action = Some(action);
        None
    }

    fn act(&mut self, instance: &mut Instance, action: Action) -> Event {
        match action {
            Action::Load => {
                instance.version = self.stored.as_ref().map(|(version, _)| *version);
                let checkpoint = self.stored.as_ref().map(|(_, checkpoint)| {
                    // Through its stored form, as in life.
                    Box::new(Checkpoint::from_json(&checkpoint.to_json()).unwrap())
                });
                Event::Loaded {
                    checkpoint,
                    claim_is_dead: false,
                }
            }
            Action::Save(checkpoint) => {
                self.now = self.now + self.pace;
                let current = self.stored.as_ref().map(|(version, _)| *version);
                if current != instance.version {
                    return Event::Conflict;
                }
                if let Some((_, before)) = &self.stored {
                    assert!(
                        checkpoint.mintime >= before.mintime,
                        "the checkpoint moved back"
                    );
                }
                let version = current.unwrap_or(0) + 1;
                instance.version = Some(version);
                self.stored = Some((version, *checkpoint));
                Event::Saved
            }
            Action::Draw(account) => {
                let rate = self.limits.calls_per_minute;
                let mut shared = self.account.unwrap_or(account);
                let wait = shared.take(rate, ACCOUNT_SHARE, self.now).err();
                self.account = Some(shared);
                Event::Drawn {
                    wait,
                    account: shared,
                }
            }
            Action::Fetch(request) => self.fetch(instance, request),
            Action::Recall(_) => Event::Recalled(
                instance
                    .page
                    .iter()
                    .map(|seen| self.ledger.contains_key(&seen.id))
                    .collect(),
            ),
            Action::Send(shipment) => {
                self.now = self.now + self.pace;
                let rows: Vec<RowId> = shipment
                    .records
                    .iter()
                    .map(|&index| instance.page[index].id)
                    .collect();
                if self
                    .refuse_record
                    .is_some_and(|refused| rows.contains(&refused))
                {
                    return Event::SendFailed(SendFault::BadRecord);
                }
                let fault = self.send_faults.pop_front().flatten();
                if fault.is_none_or(|(_, accepted)| accepted) {
                    self.accepted
                        .extend(rows.iter().map(|&row| (row, shipment.kind)));
                }
                fault.map_or(Event::Accepted, |(fault, _)| Event::SendFailed(fault))
            }
            Action::Record(_) if self.ledger_is_broken => Event::StateFailed,
            Action::Record(ids) => {
                for (hour, id) in ids {
                    let accepted = self.accepted.iter().any(|(row, _)| *row == id);
                    assert!(accepted, "the ledger names an event that was not accepted");
                    self.ledger.insert(id, hour);
                }
                Event::Recorded
            }
            Action::Tally(hours) => Event::Tallied(
                hours
                    .iter()
                    .map(|hour| self.ledger.values().filter(|known| *known == hour).count() as u64)
                    .collect(),
            ),
            Action::Conclude(conclusion) => {
                for (hour, result) in conclusion.results {
                    self.results
                        .entry(hour.day())
                        .or_default()
                        .add(hour, result);
                }
                for hour in conclusion.forget {
                    self.ledger.retain(|_, known| *known != hour);
                    self.forgotten.push(hour);
                }
                Event::Concluded
            }
            Action::Wait(milliseconds) => {
                self.slept.push(milliseconds);
                self.now = self.now + milliseconds;
                Event::Waited
            }
            Action::Stop(_) => unreachable!("handled by the caller"),
        }
    }

    fn fetch(&mut self, instance: &mut Instance, request: PageRequest) -> Event {
        self.now = self.now + self.pace;
        if request.limit.is_some() {
            self.counts.push(request.clone());
        } else {
            self.questions += 1;
            self.asked.push(request.clone());
        }
        if let Some(fault) = self.fetch_faults.pop_front().flatten() {
            return Event::FetchFailed(fault);
        }
        let duo_now = self.now - self.clock_ahead;
        assert!(
            request.maxtime > request.mintime || self.v1,
            "Duo refuses mintime >= maxtime"
        );
        let mut shown: Vec<Happened> = self
            .events
            .iter()
            .copied()
            .filter(|event| event.shown_from <= duo_now)
            .filter(|event| {
                if self.v1 {
                    event.time.seconds() >= request.mintime.seconds()
                } else {
                    event.time >= request.mintime && event.time <= request.maxtime
                }
            })
            .collect();
        shown.sort_by_key(|event| (event.time, event.id));
        if self.newest_first {
            shown.reverse();
        }
        let total = shown.len() as u64;
        if let Some(cursor) = &request.cursor {
            let number: u64 = cursor.parse().unwrap();
            let last = self.events[usize::try_from(number).unwrap()];
            shown.retain(|event| {
                let later = (event.time, event.id) > (last.time, last.id);
                let same = event.id == last.id;
                !same && later != self.newest_first
            });
        }
        shown.truncate(request.limit.map_or(self.page_size, |limit| limit as usize));
        let numbers: HashMap<RowId, usize> = self
            .events
            .iter()
            .enumerate()
            .map(|(number, event)| (event.id, number))
            .collect();
        let mut cursor = shown.last().map(|event| numbers[&event.id].to_string());
        if self.repeat_cursor_at.contains(&self.questions) && request.cursor.is_some() {
            cursor = request.cursor;
        }
        if self.leave_out_at.contains(&self.questions) && !shown.is_empty() {
            shown.remove(0);
        }
        if self.v1 {
            // Order is not promised.
            shown.reverse();
        }
        instance.page = shown
            .iter()
            .map(|event| Seen {
                id: event.id,
                time: Some(event.time),
                bytes: 48,
            })
            .collect();
        let page = PageSeen {
            records: instance.page.clone(),
            cursor: if self.v1 { None } else { cursor },
            total: self
                .miscount
                .filter(|_| !self.v1)
                .map(|wrong| total.saturating_add_signed(wrong)),
        };
        // The header has whole seconds only.
        let server_time = Some(Millis::from_seconds(duo_now.seconds()));
        Event::Fetched { page, server_time }
    }

    /// Events that Duo shows and that were never accepted, among those the log is caught up with.
    pub(super) fn lost(&self) -> Vec<Happened> {
        let accepted: HashSet<RowId> = self.accepted.iter().map(|(row, _)| *row).collect();
        self.events
            .iter()
            .copied()
            .filter(|event| !accepted.contains(&event.id))
            .collect()
    }

    /// Deliveries beyond the first of each event.
    pub(super) fn duplicates(&self) -> usize {
        let distinct: HashSet<RowId> = self.accepted.iter().map(|(row, _)| *row).collect();
        self.accepted.len() - distinct.len()
    }

    /// What is known of an hour.
    pub(super) fn result(&self, hour: Hour) -> &HourResult {
        &self.results[&hour.day()].hours[&hour.number_in_day()]
    }

    /// Runs every five minutes until then.
    pub(super) fn run_until(&mut self, owner: &str, end: Millis) {
        while self.now < end {
            self.run(owner);
            self.now = self.now + 5 * MINUTE;
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
