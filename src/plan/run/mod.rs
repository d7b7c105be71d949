//! One run of one log, as a state machine.

mod commit;
mod deliver;
mod fetch;

use std::collections::{HashSet, VecDeque};

use super::checkpoint::{Checkpoint, Claim, Destination};
use super::event::{
    Action, Ending, Event, Failure, Limits, Notice, PageSeen, ParkCause, Shipment, Tally,
};
use super::page::Sorted;
use super::window::{Reread, Window};
use crate::model::{HOUR, MINUTE, Millis, SECOND};

/// Duo keeps 180 days; a request at exactly that border is refused by the time it arrives.
const RETENTION: i64 = 179 * 24 * HOUR;
/// How long a claim lasts unless it is renewed.
const CLAIM: i64 = 90 * SECOND;
/// A claim that ends later than this was written by a clock that is wrong; it is not waited for.
const LONGEST_CLAIM: i64 = 10 * MINUTE;
/// How long another destination must have been silent before this one takes over.
const HANDOVER: i64 = 15 * MINUTE;
/// Pause between two questions for a log that Duo refuses.
const ASK_AGAIN: i64 = HOUR;
/// Longest pause that any rule sets, with room for jitter; a longer one was written by a wrong clock.
const LONGEST_PARK: i64 = 75 * MINUTE;

/// One run of one log: step it with what happened, do what it says.
pub struct LogRun {
    limits: Limits,
    deadline: Millis,
    chance: fastrand::Rng,
    phase: Phase,
    /// The checkpoint as stored, but for the rate buckets, which are counted on in memory.
    checkpoint: Option<Checkpoint>,
    window: Option<Window>,
    page: Option<OpenPage>,
    /// Cursors met in this window, to notice one that comes again.
    cursors: HashSet<String>,
    /// Tries of the current call that failed.
    attempts: u32,
    /// Whether the window was started again in this run.
    restarted: bool,
    /// Pages in a row that brought something new without moving on (v1 logs).
    stays: u32,
    /// Whether a window was planned in this run already.
    planned: bool,
    /// Whether this run was counted in the checkpoint already.
    counted: bool,
    /// Milliseconds by which the local clock is ahead of Duo's.
    clock_ahead: i64,
    /// Records that the sink refused even alone.
    refused: Vec<usize>,
    tally: Tally,
}

/// What the run waits to be told.
enum Phase {
    Idle,
    Loading,
    Saving {
        draft: Box<Checkpoint>,
        after: After,
    },
    Drawing,
    Fetching,
    Recalling,
    Sending(Shipment),
    Recording(Shipment),
    Waiting(Resume),
    Over,
}

/// What follows a stored checkpoint.
#[derive(Clone, Copy)]
enum After {
    First,
    Claim,
    Page,
    Stop(Ending),
}

/// What follows a pause.
enum Resume {
    Ask,
    Send(Shipment),
}

/// The page in hand.
struct OpenPage {
    seen: PageSeen,
    /// Up to where records are taken.
    take_through: Millis,
    sorted: Sorted,
    todo: VecDeque<Shipment>,
}

impl LogRun {
    /// A run that ends between pages once `deadline` has passed; `chance` is its source of jitter.
    pub fn new(limits: Limits, deadline: Millis, chance: fastrand::Rng) -> Self {
        Self {
            limits,
            deadline,
            chance,
            phase: Phase::Idle,
            checkpoint: None,
            window: None,
            page: None,
            cursors: HashSet::new(),
            attempts: 0,
            restarted: false,
            stays: 0,
            planned: false,
            counted: false,
            clock_ahead: 0,
            refused: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// What the run did so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The checkpoint as last loaded or stored.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Positions of the records that the sink refused even alone.
    pub fn refused(&self) -> &[usize] {
        &self.refused
    }

    /// Takes what happened at `now` and says what to do next. `interrupted` asks the run to end at its next
    /// commit.
    ///
    /// # Panics
    ///
    /// When told something that does not answer the last action: a fault of the shell.
    pub fn step(&mut self, event: Event, now: Millis, interrupted: bool) -> Action {
        let phase = std::mem::replace(&mut self.phase, Phase::Over);
        match (phase, event) {
            // Where another instance stored the first checkpoint before us, its place counts.
            (Phase::Idle, Event::Started)
            | (
                Phase::Saving {
                    after: After::First,
                    ..
                },
                Event::Conflict,
            ) => {
                self.phase = Phase::Loading;
                Action::Load
            }
            (
                Phase::Loading,
                Event::Loaded {
                    checkpoint: None, ..
                },
            ) => {
                // Stored before the first question, also for a log that Duo will refuse: a later success
                // starts here.
                let first = Checkpoint::first(self.limits.first_mintime.max(now - RETENTION), now);
                self.save(first, After::First)
            }
            (
                Phase::Loading,
                Event::Loaded {
                    checkpoint: Some(checkpoint),
                    claim_is_dead,
                },
            ) => {
                self.checkpoint = Some(*checkpoint);
                self.begin(claim_is_dead, now, interrupted)
            }
            (Phase::Saving { draft, after }, Event::Saved) => {
                self.checkpoint = Some(*draft);
                match after {
                    After::First => self.begin(false, now, interrupted),
                    After::Claim => self.send_next(now, interrupted),
                    After::Page => self.ask(now, interrupted),
                    After::Stop(ending) => Action::Stop(ending),
                }
            }
            (
                Phase::Saving {
                    after: After::Stop(ending),
                    ..
                },
                Event::Conflict,
            ) => Action::Stop(ending),
            (Phase::Saving { .. }, Event::Conflict) => Action::Stop(Ending::HeldElsewhere),
            (Phase::Drawing, Event::Drawn { wait, account }) => self.drawn(wait, account, now),
            (Phase::Fetching, Event::Fetched { page, server_time }) => {
                self.fetched(page, server_time, now, interrupted)
            }
            (Phase::Fetching, Event::FetchFailed(fault)) => {
                self.fetch_failed(fault, now, interrupted)
            }
            (Phase::Recalling, Event::Recalled(known)) => self.recalled(&known, now, interrupted),
            (Phase::Sending(shipment), Event::Accepted) => self.accepted(shipment),
            (Phase::Sending(shipment), Event::SendFailed(fault)) => {
                self.send_failed(shipment, fault, now, interrupted)
            }
            (Phase::Recording(shipment), Event::Recorded) => {
                self.recorded(&shipment, now, interrupted)
            }
            (Phase::Waiting(Resume::Ask), Event::Waited) => self.ask(now, interrupted),
            (Phase::Waiting(Resume::Send(shipment)), Event::Waited) => {
                // A pause may have outlasted the claim: `send_next` renews it first.
                self.open_page().todo.push_front(shipment);
                self.send_next(now, interrupted)
            }
            (_, Event::StateFailed) => Action::Stop(Ending::Failed(Failure::State)),
            (_, event) => panic!("the shell answered the last action with {event:?}"),
        }
    }

    /// Decides from the stored checkpoint whether and what to ask.
    fn begin(&mut self, claim_is_dead: bool, now: Millis, interrupted: bool) -> Action {
        let checkpoint = self.stored().clone();
        if let Some(last) = &checkpoint.destination
            && last.fingerprint != self.limits.destination
        {
            let silent_for = now - last.used_at;
            if silent_for < HANDOVER {
                return Action::Stop(Ending::Failed(Failure::OtherDestination));
            }
            self.tally.notices.push(Notice::DestinationChanged);
        }
        if let Some(claim) = &checkpoint.claim
            && claim.owner != self.limits.owner
        {
            if claim_is_dead {
                self.tally.notices.push(Notice::ClaimTakenOver);
            } else if claim.until > now && claim.until - now <= LONGEST_CLAIM {
                return Action::Stop(Ending::HeldElsewhere);
            }
        }
        if let Some(parked) = checkpoint.parked {
            let left = parked.not_before - now;
            if left > 0 && left <= LONGEST_PARK {
                let ending = Ending::Parked {
                    until: parked.not_before,
                    cause: parked.cause,
                };
                return Action::Stop(ending);
            }
        }
        if let Some(unavailable) = checkpoint.unavailable
            && (0..ASK_AGAIN).contains(&(now - unavailable.asked_at))
        {
            return Action::Stop(Ending::Unavailable { report: false });
        }
        self.clamp_to_retention(now);
        self.ask(now, interrupted)
    }

    /// Moves a place that Duo no longer keeps to the edge of what it keeps, and tells of the gap.
    fn clamp_to_retention(&mut self, now: Millis) {
        let oldest = now - RETENTION;
        let checkpoint = self.checkpoint.as_mut().expect("loaded before");
        if checkpoint.mintime < oldest {
            self.tally.notices.push(Notice::Gap {
                from: checkpoint.mintime,
                to: oldest,
            });
            checkpoint.mintime = oldest;
            checkpoint.window = None;
        }
        if checkpoint
            .window
            .as_ref()
            .is_some_and(|window| window.from < oldest)
        {
            checkpoint.window = None;
        }
        checkpoint.collected_from = checkpoint.collected_from.max(oldest);
    }

    /// The window to read: the one in hand, the one a run ended in, or the next one.
    fn plan(&mut self, now: Millis) -> bool {
        if self.window.is_some() {
            return true;
        }
        let checkpoint = self.stored().clone();
        let first = !std::mem::replace(&mut self.planned, true);
        self.cursors.clear();
        self.restarted = false;
        self.stays = 0;
        if first && checkpoint.window.is_some() {
            self.window = checkpoint.window;
            return true;
        }
        let reread = first.then_some(Reread {
            runs: checkpoint.runs,
            not_before: checkpoint.collected_from,
        });
        self.window = self.following(checkpoint.mintime, reread, now);
        self.window.is_some()
    }

    /// The window after `mintime`; `reread` is given for the first one of a run.
    fn following(&self, mintime: Millis, reread: Option<Reread>, now: Millis) -> Option<Window> {
        let horizon = now - self.clock_ahead - self.limits.settle;
        // What became readable while this run was at work is left to the next one, or each run would go on
        // with ever shorter windows.
        if reread.is_none() && horizon - mintime < MINUTE {
            return None;
        }
        // A v1 endpoint has no upper bound: a shorter window would only fetch the same records again.
        let span = if self.limits.cursor_paging {
            self.limits.window
        } else {
            i64::MAX
        };
        Window::next(mintime, horizon, span, reread)
    }

    fn stored(&self) -> &Checkpoint {
        self.checkpoint
            .as_ref()
            .expect("nothing is asked before the checkpoint is loaded")
    }

    fn open_page(&mut self) -> &mut OpenPage {
        self.page
            .as_mut()
            .expect("rows are sent from an open page only")
    }

    fn holds_claim(&self) -> bool {
        let claim = self
            .checkpoint
            .as_ref()
            .and_then(|checkpoint| checkpoint.claim.as_ref());
        claim.is_some_and(|claim| claim.owner == self.limits.owner)
    }

    fn claim(&self, draft: &mut Checkpoint, now: Millis) {
        draft.claim = Some(Claim {
            owner: self.limits.owner.clone(),
            until: now + CLAIM,
        });
        self.sign_destination(draft, now);
    }

    /// Keeps the state bound to where its rows go, also while there are none.
    fn sign_destination(&self, draft: &mut Checkpoint, now: Millis) {
        let fingerprint = self.limits.destination.clone();
        draft.destination = Some(Destination {
            fingerprint,
            used_at: now,
        });
    }

    fn save(&mut self, draft: Checkpoint, after: After) -> Action {
        self.phase = Phase::Saving {
            draft: Box::new(draft.clone()),
            after,
        };
        Action::Save(Box::new(draft))
    }

    /// Ends the run, giving the claim back first if it is held.
    fn finish(&mut self, ending: Ending) -> Action {
        if !self.holds_claim() {
            return Action::Stop(ending);
        }
        let mut draft = self.stored().clone();
        draft.claim = None;
        self.save(draft, After::Stop(ending))
    }

    /// Ends the run with a pause that outlives it.
    fn park(&mut self, until: Millis, cause: ParkCause, ending: Ending) -> Action {
        let mut draft = self.stored().clone();
        let strikes = draft
            .parked
            .map_or(0, |parked| parked.strikes)
            .saturating_add(1);
        draft.parked = Some(super::checkpoint::Parked {
            not_before: until,
            strikes,
            cause,
        });
        draft.claim = None;
        self.save(draft, After::Stop(ending))
    }
}
