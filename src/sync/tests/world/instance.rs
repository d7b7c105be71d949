//! Instances: processes that run the core, one operation at a time.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::World;
use super::ports::{Mailbox, Operation, Reply, SharedMailbox, SimulatedPorts};
use crate::model::{Millis, RecordKey};
use crate::storage::Document as _;
use crate::sync::{Checkpoint, HourState, LogConfig, RunOutcome, RunResult, Warning, run_log};

/// A process that runs the log.
pub(in crate::sync::tests) struct Instance {
    run: Option<Pin<Box<dyn Future<Output = RunResult> + Send>>>,
    pub(super) mailbox: SharedMailbox,
    pub(in crate::sync::tests) result: Option<RunResult>,
    pub(in crate::sync::tests) steps: u64,
    /// Time of its last operation.
    pub(super) last_at: Millis,
    /// Whether the process was killed.
    pub(super) is_killed: bool,
    /// Whether a read, write or removal of state failed: the run writes nothing more.
    has_failed: bool,
}

/// The next operation of an instance, apart from reads.
#[derive(Debug)]
pub(in crate::sync::tests) enum Next {
    Fetch(crate::model::PageRequest),
    Send,
    /// Stores the checkpoint.
    Save(Box<Checkpoint>),
    Append,
    /// Any other write.
    Write,
    Sleep(chrono::TimeDelta),
    End(RunOutcome),
}

impl Instance {
    /// The outcome, if the run has ended.
    pub(in crate::sync::tests) fn outcome(&self) -> Option<RunOutcome> {
        self.result.as_ref().map(|result| result.outcome)
    }

    /// Progress of a backfill.
    pub(in crate::sync::tests) fn reached(&self) -> Option<Millis> {
        self.mailbox.lock().reached
    }

    pub(in crate::sync::tests) fn request_shutdown(&self) {
        self.mailbox.lock().is_shutdown = true;
    }

    pub(in crate::sync::tests) fn seed(&self, seed: u64) {
        self.mailbox.lock().rng.seed(seed);
    }

    pub(in crate::sync::tests) fn declare_owner_gone(&self) {
        self.mailbox.lock().is_owner_gone = true;
    }

    /// The records that are neither delivered nor dead-lettered.
    pub(in crate::sync::tests) fn refused(&self) -> Vec<RecordKey> {
        match self.result.as_ref().and_then(|result| result.error.as_ref()) {
            Some(crate::sync::RunError::RecordsRefused { refused, .. }) => refused.clone(),
            _ => Vec::new(),
        }
    }

    /// The first waiting operation.
    pub(in crate::sync::tests) fn operation(&self) -> Option<(u64, Operation)> {
        self.mailbox.lock().waiting.front().cloned()
    }

    /// Polls the run until it waits for an operation.
    pub(super) fn poll(&mut self, now: Millis) {
        self.mailbox.lock().now = now;
        let mut context = Context::from_waker(Waker::noop());
        if let Some(run) = &mut self.run
            && let Poll::Ready(result) = run.as_mut().poll(&mut context)
        {
            self.result = Some(result);
            self.run = None;
        }
    }

    pub(super) fn reply(&mut self, operation: u64, reply: Reply, now: Millis) {
        {
            let mut mailbox = self.mailbox.lock();
            mailbox.waiting.retain(|(waiting, _)| *waiting != operation);
            mailbox.reply(operation, reply);
        }
        self.poll(now);
    }
}

impl World {
    pub(in crate::sync::tests) fn instance(&self, owner: &str) -> Instance {
        let config = LogConfig { owner: owner.to_owned(), ..self.config.clone() };
        let rate = config.limits.requests_per_minute;
        let mailbox = SharedMailbox(Arc::new(Mutex::new(Mailbox::new(
            self.now,
            Arc::clone(&self.account),
            rate,
        ))));
        let backfill = config.backfill.map(|_| "simulated");
        let ports = SimulatedPorts::new(&mailbox, config.log_type, backfill);
        let run = async move { run_log(&ports, &config).await };
        Instance {
            run: Some(Box::pin(run)),
            mailbox,
            result: None,
            steps: 0,
            last_at: self.now,
            is_killed: false,
            has_failed: false,
        }
    }

    /// Performs the instance's next operation; `Some` if the run has ended.
    pub(in crate::sync::tests) fn step(&mut self, instance: &mut Instance) -> Option<RunOutcome> {
        if let Some(outcome) = instance.outcome() {
            return Some(outcome);
        }
        instance.steps += 1;
        match instance.operation() {
            None => instance.poll(self.now),
            Some((number, operation)) => {
                self.note(instance, &operation);
                // Hours are loaded concurrently: another one may be quarantined.
                let is_write = matches!(&operation, Operation::Write { name, .. } if !name.contains("damaged"));
                assert!(!is_write || !instance.has_failed, "a write after storage failed");
                let reply = self.perform_with_fault(instance, &operation);
                instance.has_failed |=
                    operation.is_of_state() && matches!(reply, Some(Reply::StorageFailed));
                instance.last_at = self.now;
                let Some(reply) = reply else {
                    instance.run = None;
                    return Some(RunOutcome::ShutdownRequested);
                };
                instance.reply(number, reply, self.now);
            }
        }
        let outcome = instance.outcome();
        if let Some(result) = &instance.result {
            self.note_rare(result);
        }
        outcome
    }

    /// Counts the rare states of a run.
    fn note_rare(&mut self, result: &RunResult) {
        let RunResult { outcome, stats, .. } = result;
        match outcome {
            RunOutcome::LeaseHeld => self.reach("LeaseHeld"),
            RunOutcome::BackingOff { .. } => self.reach("backed off"),
            RunOutcome::OutOfTime => self.reach("out of time"),
            RunOutcome::RateLimited => self.reach("rate limited"),
            _ => {}
        }
        for warning in &stats.warnings {
            match warning {
                Warning::ClockAhead(_) => self.reach("ClockAhead"),
                Warning::WindowRestarted(_) => self.reach("WindowRestarted"),
                Warning::CheckpointRestored { .. } => self.reach("checkpoint restored"),
                Warning::CursorMissing { .. } => self.reach("cursor missing"),
                _ => {}
            }
        }
        if stats.counts.late > 0 {
            self.reach("late event");
        }
        if stats.dead_letters.refused > 0 {
            self.reach("record dead-lettered");
        }
        for (_, state) in &stats.reconciled {
            match state {
                HourState::Unknown => self.reach("hour unknown"),
                HourState::VerifiedLate => self.reach("hour verified late"),
                _ => {}
            }
        }
    }

    /// Steps an instance until its run has ended.
    pub(in crate::sync::tests) fn finish(&mut self, instance: &mut Instance) -> RunOutcome {
        for _ in 0..200_000 {
            if let Some(outcome) = self.step(instance) {
                return outcome;
            }
        }
        panic!("the run does not end");
    }

    /// The instance's next operation, after its reads.
    pub(in crate::sync::tests) fn next(&mut self, instance: &mut Instance) -> Next {
        loop {
            if let Some(outcome) = instance.outcome() {
                return Next::End(outcome);
            }
            match instance.operation() {
                None => instance.poll(self.now),
                Some((_, Operation::Read(..) | Operation::List(_))) => {
                    self.step(instance);
                }
                Some((_, operation)) => return Self::described(operation),
            }
        }
    }

    fn described(operation: Operation) -> Next {
        match operation {
            Operation::Fetch(request) => Next::Fetch(request),
            Operation::Send(_) => Next::Send,
            Operation::Sleep(pause) => Next::Sleep(pause),
            Operation::Append { .. } => Next::Append,
            Operation::Write { name, content, .. } if name.ends_with("checkpoint.json") => {
                Next::Save(Box::new(Checkpoint::from_json(&content).unwrap()))
            }
            Operation::Read(..)
            | Operation::List(_)
            | Operation::Write { .. }
            | Operation::Remove(_) => Next::Write,
        }
    }

    /// Replies to an operation.
    pub(in crate::sync::tests) fn reply(
        &mut self,
        instance: &mut Instance,
        operation: u64,
        reply: Reply,
    ) {
        instance.reply(operation, reply, self.now);
    }

    /// Replies to the instance's next operation, and returns the following one.
    pub(in crate::sync::tests) fn respond(
        &mut self,
        instance: &mut Instance,
        reply: Reply,
    ) -> Next {
        self.next(instance);
        let (number, _) = instance.operation().expect("the run has not ended");
        instance.reply(number, reply, self.now);
        self.next(instance)
    }

    /// Performs the instance's next operation, and returns the following one.
    pub(in crate::sync::tests) fn serve(&mut self, instance: &mut Instance) -> Next {
        self.next(instance);
        self.step(instance);
        self.next(instance)
    }
}
