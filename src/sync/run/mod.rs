//! One run of one log, as a state machine.

mod begin;
mod commit;
mod conclude;
mod deliver;
mod fetch;
mod finish;
mod phase;
mod refused;
mod sweep;
mod v1;

use super::checkpoint::{Checkpoint, Claim, Destination};
use super::ending::{Ending, Failure, Tally};
use super::event::{Action, Event, Limits, RowId};
use crate::model::{Millis, SECOND};
use phase::{After, Job, OpenPage, OpenWindow, Phase, Resume};
use refused::Refused;
use sweep::OpenReading;

/// How long a claim lasts unless it is renewed.
const CLAIM: i64 = 90 * SECOND;

/// One run of one log: step it with what happened, do what it says.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each tells of one thing that happened in the run"
)]
pub struct LogRun {
    limits: Limits,
    deadline: Millis,
    chance: fastrand::Rng,
    phase: Phase,
    /// The checkpoint as stored, but for the rate buckets, which are counted on in memory.
    checkpoint: Option<Checkpoint>,
    /// The live window.
    live: Option<OpenWindow>,
    /// Closed hours that are read again.
    reading: Option<OpenReading>,
    /// Which of them the next call is for.
    job: Job,
    page: Option<OpenPage>,
    /// Tries of the current call that failed.
    attempts: u32,
    /// Whether the current question was signed anew after its credentials were refused.
    signed_again: bool,
    /// Whether another instance stored the first checkpoint before this run could.
    begun_before: bool,
    /// Whether a window was planned in this run already.
    planned: bool,
    /// Whether everything was read that Duo showed when the run began.
    live_is_done: bool,
    /// Whether Duo's clock showed that checks are not due yet.
    checks_are_early: bool,
    /// Whether Duo refused what a check asked, and the run goes on without checks.
    check_is_refused: bool,
    /// Whether this run stored the claim itself: one that an earlier run of this process could not give back says nothing
    /// of whether anything can be stored.
    claimed: bool,
    /// Whether this run was counted in the checkpoint already.
    counted: bool,
    /// The oldest moment that Duo still keeps.
    oldest: Millis,
    /// Milliseconds by which the local clock is ahead of Duo's.
    clock_ahead: i64,
    /// Records that the sink refused even alone.
    refused: Refused,
    tally: Tally,
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
            live: None,
            reading: None,
            job: Job::Live,
            page: None,
            attempts: 0,
            signed_again: false,
            begun_before: false,
            planned: false,
            live_is_done: false,
            checks_are_early: false,
            check_is_refused: false,
            claimed: false,
            counted: false,
            oldest: Millis(i64::MIN),
            clock_ahead: 0,
            refused: Refused::default(),
            tally: Tally::default(),
        }
    }

    /// What the run did so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The checkpoint as last loaded or stored.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.refused.kept_place().or(self.checkpoint.as_ref())
    }

    /// Records that were refused even alone and are not set aside.
    pub fn refused(&self) -> Vec<RowId> {
        self.refused.waiting()
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
            (Phase::Idle, Event::Started) => self.load(),
            (
                Phase::Saving {
                    after: After::First,
                    ..
                },
                Event::Conflict,
            ) => self.begun_elsewhere(),
            (
                Phase::Loading,
                Event::Loaded {
                    checkpoint: None, ..
                },
            ) => self.begin_anew(now),
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
                    After::Claim => {
                        self.claimed = true;
                        self.send_next(now, interrupted)
                    }
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
            (Phase::KeepingOriginals(shipment), Event::SetAside) => {
                self.originals_kept(shipment, now, interrupted)
            }
            (Phase::Sending(shipment), Event::Accepted) => self.accepted(shipment),
            (Phase::Sending(shipment), Event::SendFailed(fault)) => {
                self.send_failed(shipment, fault, now, interrupted)
            }
            (Phase::Recording(shipment), Event::Recorded) => {
                self.recorded(&shipment, now, interrupted)
            }
            (Phase::Tallying(found), Event::Tallied(delivered)) => {
                self.tallied(&found, &delivered, now, interrupted)
            }
            (Phase::Concluding(draft), Event::Concluded) => {
                self.commit(*draft, None, now, interrupted)
            }
            (Phase::Waiting(Resume::Ask), Event::Waited) => self.ask(now, interrupted),
            (Phase::Waiting(Resume::Send(shipment)), Event::Waited) => {
                // A pause may have outlasted the claim: `send_next` renews it first.
                self.open_page().todo.push_front(shipment);
                self.send_next(now, interrupted)
            }
            (Phase::SettingAside(record), Event::SetAside) => self.set_aside(record),
            (Phase::RecordingAside, Event::Recorded) => self.aside_recorded(now, interrupted),
            (Phase::Recording(_) | Phase::RecordingAside, Event::StateFailed) => {
                self.record_failed(now)
            }
            (Phase::KeepingOriginals(_) | Phase::SettingAside(_), Event::StateFailed) => {
                self.finish(Ending::Failed(Failure::State))
            }
            (_, Event::StateFailed) => Action::Stop(Ending::Failed(Failure::State)),
            (_, event) => panic!("the shell answered the last action with {event:?}"),
        }
    }

    fn load(&mut self) -> Action {
        self.phase = Phase::Loading;
        Action::Load
    }

    /// Another instance stored the first checkpoint before us: its place counts.
    fn begun_elsewhere(&mut self) -> Action {
        if std::mem::replace(&mut self.begun_before, true) {
            // A store that has one and does not show it is broken, and is not asked for ever.
            return Action::Stop(Ending::Failed(Failure::State));
        }
        self.load()
    }

    fn stored(&self) -> &Checkpoint {
        self.checkpoint
            .as_ref()
            .expect("nothing is asked before the checkpoint is loaded")
    }

    /// The window that is being read.
    fn open_window(&mut self) -> &mut OpenWindow {
        let window = match self.job {
            Job::Live => self.live.as_mut(),
            Job::Count | Job::Read => self.reading.as_mut().map(|reading| &mut reading.open),
        };
        window.expect("planned before")
    }

    /// Keeps the place reached in the windows at hand.
    fn keep_place(&self, draft: &mut Checkpoint) {
        if self.limits.cursor_paging {
            draft.window = self.live.as_ref().map(|live| live.window.clone());
        }
        if let (Some(sweeps), Some(reading)) = (&mut draft.sweeps, &self.reading) {
            sweeps.reading = Some(reading.stored());
        }
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
        let stored = self.refused.at_kept_place(&draft);
        self.phase = Phase::Saving {
            draft: Box::new(draft),
            after,
        };
        Action::Save(Box::new(stored))
    }
}
