//! One log's run: steps the core and does what it says.

mod calls;

use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tracing::instrument;

use super::asides::Asides;
use super::backfill::{Advance, Backfill, Watcher, share_of};
use super::hours_found::HoursFound;
use super::ledger::Ledger;
use super::report::{LogReport, Trouble};
use super::{Clock, Collector};
use crate::duo::Page;
use crate::model::{Hour, LogType, Millis, Paging};
use crate::status::Code;
use crate::storage::{LogState, StateError, Version, WriteError};
use crate::sync::{Action, Ending, Event, Failure, FieldCounts, Limits, LogRun, Span};
use crate::transform::Record;

/// One log's run.
pub(super) struct Worker<'a> {
    collector: &'a Collector,
    log_type: LogType,
    clock: Clock,
    deadline: Millis,
    interrupt: &'a CancellationToken,
    state: LogState,
    ledger: Ledger,
    asides: Asides,
    /// What the checkpoint was when it was last read or written.
    version: Option<Version>,
    page: Page,
    records: Vec<Record>,
    /// The call sent last, for its memory.
    sent: Bytes,
    trouble: Option<Trouble>,
    /// Why Duo refused what a check asked, if it did; the run goes on after it.
    check_trouble: Option<Trouble>,
    /// Fields without a column in rows that were accepted.
    fields: FieldCounts,
    /// Closed hours that were checked.
    checked_hours: Vec<Hour>,
    hours: HoursFound,
    /// The span of a backfill, and whom to tell how far it got.
    backfill: Option<(Span, &'a Watcher)>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        collector: &'a Collector,
        log_type: LogType,
        clock: Clock,
        interrupt: &'a CancellationToken,
    ) -> Self {
        let state = collector.state_of(log_type);
        Self {
            collector,
            log_type,
            clock,
            deadline: clock.now() + collector.settings.pace.run,
            interrupt,
            ledger: Ledger::new(state.clone()),
            asides: Asides::new(collector.dead_letters.clone(), log_type),
            state,
            version: None,
            page: Page::default(),
            records: Vec::new(),
            sent: Bytes::new(),
            trouble: None,
            check_trouble: None,
            fields: FieldCounts::default(),
            checked_hours: Vec::new(),
            hours: HoursFound::default(),
            backfill: None,
        }
    }

    /// A run that goes on with a backfill: on its own place, by the ledger of the live log.
    pub(super) fn of_backfill(
        collector: &'a Collector,
        backfill: &Backfill,
        clock: Clock,
        interrupt: &'a CancellationToken,
        watcher: &'a Watcher,
    ) -> Self {
        let live = Self::new(collector, backfill.log_type, clock, interrupt);
        Self {
            state: live.state.of_backfill(&backfill.id()),
            backfill: Some((backfill.span, watcher)),
            ..live
        }
    }

    /// Runs the log to the end of its run.
    #[instrument(name = "pull", skip_all, fields(log_type = %self.log_type))]
    pub(super) async fn run(mut self) -> LogReport {
        let mut run = LogRun::new(self.limits(), self.deadline, fastrand::Rng::new());
        let mut event = Event::Started;
        let ending = loop {
            let action = run.step(event, self.clock.now(), self.interrupt.is_cancelled());
            event = match action {
                Action::Stop(ending) => break ending,
                action => self.act(action).await,
            };
            if let Some((_, watcher)) = self.backfill {
                let tally = run.tally();
                watcher(Advance {
                    reached: run.reached(),
                    events: tally.events,
                    pages: tally.pages,
                });
            }
        };
        match ending {
            Ending::Failed(Failure::RecordsRefused) => {
                self.trouble = Some(self.asides.trouble(&run.refused()));
            }
            Ending::Failed(Failure::Check) => self.trouble = self.check_trouble.take(),
            _ => {}
        }
        if !self.interrupt.is_cancelled() {
            let now = self.clock.now();
            self.collector
                .count_fields(self.log_type, &self.fields, now)
                .await;
        }
        let report = LogReport::new(
            self.log_type,
            ending,
            run.tally(),
            run.checkpoint(),
            self.trouble,
            self.clock.now(),
        );
        report.with_checked(self.checked_hours, self.hours)
    }

    fn limits(&self) -> Limits {
        let settings = &self.collector.settings;
        let spec = self.log_type.spec();
        Limits {
            cursor_paging: matches!(spec.paging, Paging::Cursor { .. }),
            sweeps: true,
            sorted: matches!(spec.paging, Paging::Cursor { sorted: true, .. }),
            may_be_retired: spec.may_be_retired,
            settle: settings.pace.settle,
            window: settings.pace.window,
            calls_per_minute: self.calls_per_minute(),
            park: settings.pace.park,
            max_call_bytes: self.collector.sink.api().largest_call(),
            first_mintime: settings.start.of(self.log_type, self.clock.now()),
            backfill: self.backfill.map(|(span, _)| span),
            owner: self.collector.owner.name(),
            destination: settings.sink.fingerprint(),
        }
    }

    /// Calls a minute.
    fn calls_per_minute(&self) -> u32 {
        let live = self.collector.settings.pace.calls_per_minute;
        self.backfill.map_or(live, |_| share_of(live))
    }

    async fn act(&mut self, action: Action) -> Event {
        match action {
            Action::Load => self.load().await,
            Action::Save(checkpoint) => {
                match self.state.save(&checkpoint, self.version.as_ref()).await {
                    Ok(version) => {
                        self.version = Some(version);
                        Event::Saved
                    }
                    Err(WriteError::Conflict) => Event::Conflict,
                    Err(WriteError::Failed(fault)) => self.state_failed(fault),
                }
            }
            Action::Draw(known) => {
                let (wait, account) = self.collector.draw(known, self.clock.now());
                Event::Drawn { wait, account }
            }
            Action::Fetch(request) => self.fetch(&request).await,
            Action::Recall(hours) => match self.ledger.recall(&hours).await {
                Ok(()) => Event::Recalled(
                    self.records
                        .iter()
                        .map(|record| {
                            self.ledger
                                .contains(Hour::of_record(record.time()), &record.id)
                        })
                        .collect(),
                ),
                Err(fault) => self.state_failed(fault),
            },
            Action::KeepOriginals(records) => {
                let now = self.clock.now();
                let records = records.iter().map(|&index| self.record(index));
                match self.asides.keep_originals(records, now).await {
                    Ok(()) => Event::SetAside,
                    Err(fault) => self.state_failed(fault),
                }
            }
            Action::Send(shipment) => self.send(&shipment).await,
            Action::SetAside(id) => match self.asides.set_aside(&id, self.clock.now()).await {
                Ok(()) => Event::SetAside,
                Err(fault) => self.state_failed(fault),
            },
            Action::Record(ids) => match self.ledger.record(&ids).await {
                Ok(()) => Event::Recorded,
                Err(fault) => self.state_failed(fault),
            },
            Action::Tally(hours) => match self.ledger.tally(&hours).await {
                Ok(delivered) => Event::Tallied(delivered),
                Err(fault) => self.state_failed(fault),
            },
            Action::Conclude(conclusion) => {
                let hours = conclusion.results.iter().map(|(hour, _)| *hour);
                self.checked_hours.extend(hours);
                for (_, result) in &conclusion.results {
                    self.hours.add(result.state);
                }
                match self.ledger.conclude(conclusion).await {
                    Ok(()) => Event::Concluded,
                    Err(fault) => self.state_failed(fault),
                }
            }
            Action::Wait(milliseconds) => {
                let pause = Duration::from_millis(milliseconds.unsigned_abs());
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.interrupt.cancelled() => {}
                }
                Event::Waited
            }
            Action::Stop(_) => unreachable!("the loop ends with it"),
        }
    }

    async fn load(&mut self) -> Event {
        match self.state.load().await {
            Ok(None) => {
                self.version = None;
                Event::Loaded {
                    checkpoint: None,
                    claim_is_dead: false,
                }
            }
            Ok(Some((checkpoint, version))) => {
                self.version = Some(version);
                let claim = checkpoint.claim.as_ref();
                let claim_is_dead =
                    claim.is_some_and(|claim| self.collector.owner.is_dead(&claim.owner));
                Event::Loaded {
                    checkpoint: Some(Box::new(checkpoint)),
                    claim_is_dead,
                }
            }
            Err(fault) => self.state_failed(fault),
        }
    }

    /// The text of a record of the page, and what was read of it.
    fn record(&self, index: usize) -> (&str, &Record) {
        (self.page.record(index), &self.records[index])
    }

    fn state_failed(&mut self, fault: StateError) -> Event {
        let message = fault.to_string();
        self.trouble = Some(Trouble {
            code: Code::State,
            http_status: None,
            message,
            hint: fault.hint,
        });
        Event::StateFailed
    }
}
