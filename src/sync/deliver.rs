//! Delivers the records of a page. Its order of steps guarantees that no record is lost.

use super::checkpoint::{BackOffCause, Halvings};
use super::dedup::{Deduplicator, PageFacts, SortedPage};
use super::fetch::Attempts;
use super::outcome::{Failure, RunOutcome};
use super::ports::Ports;
use super::state::Run;
use super::stop::Stop;
use super::update::pair_updates;
use crate::model::{Batch, Hour, IngestKind, Millis, Record, SendError, SendErrorKind};
use crate::storage::{DeadLetter, LedgerEntry, Why, ledger_uid};

/// A page, and how to deliver it.
pub(super) struct PageToDeliver {
    pub(super) records: Vec<Record>,
    /// Later records are left to a later run.
    pub(super) take_through: Millis,
    /// Overrides the kind that the event time gives.
    pub(super) kind: Option<IngestKind>,
    /// Whether the page holds every record of its span, so that a delivered content that it lacks
    /// was changed in place.
    pub(super) may_update: bool,
}

#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) facts: PageFacts,
    /// The hours of the accepted records, one per record, without updates.
    pub(super) hours: Vec<Hour>,
}

/// Delivers the new records of a page.
///
/// Each batch is sent, then its ids are appended to the ledger. When this function returns, the
/// checkpoint may advance. A crash after Azure Monitor accepted a batch and before the ledger has
/// its ids delivers that batch again; no record is skipped.
pub(super) async fn deliver<P: Ports>(
    run: &mut Run<'_, P>,
    PageToDeliver { records, take_through, kind, may_update }: PageToDeliver,
) -> Result<Delivered, Stop> {
    let deduplicator = Deduplicator {
        closed_before: run.checkpoint.mintime,
        take_through,
        kind,
        now: run.now(),
        max_batch_bytes: run.config.max_batch_bytes
            >> run.checkpoint.halvings.batch.min(Halvings::MOST),
    };
    let page = new_records(run, records, deduplicator, may_update).await?;
    let SortedPage { mut batches, facts } = page;
    let mut hours = Vec::new();
    let mut attempts = Attempts::new(run.now());
    while let Some(mut batch) = batches.pop_front() {
        run.hold_lease().await?;
        dead_letter_truncated(run, &batch).await?;
        match send(run, &batch, &mut attempts).await? {
            Sent::Accepted => {
                record(run, &batch).await?;
                // An update is no late event.
                if batch.kind != IngestKind::Update {
                    hours.extend(batch.records.iter().map(Record::hour));
                }
                attempts = Attempts::new(run.now());
            }
            Sent::NotYet => batches.push_front(batch),
            Sent::Refused(error) => match batch.halve() {
                Some(newer) => {
                    batches.push_front(newer);
                    batches.push_front(batch);
                }
                None => run.refused.add(batch, &error)?,
            },
            Sent::FailedTwice(error) => match batch.halve() {
                Some(newer) => {
                    batches.push_front(newer);
                    batches.push_front(batch);
                    if run.refused.is_another_accepted {
                        attempts = Attempts::new(run.now());
                    }
                }
                None if !error.is_server_error() => batches.push_front(batch),
                None if batches.is_empty() && run.is_stuck
                    || run.refused.is_at_fault(&batch, run.stats.counts.events) =>
                {
                    run.refused.add(batch, &error)?;
                }
                // Whether the others are accepted shows if this record is at fault.
                None => batches.push_back(batch),
            },
        }
        dead_letter_refused(run).await?;
    }
    dead_letter_refused(run).await?;
    Ok(Delivered { facts, hours })
}

enum Sent {
    Accepted,
    /// A transient error; the pause before the next try has passed.
    NotYet,
    /// As `NotYet`, for the second time: a smaller batch may be accepted.
    FailedTwice(SendError),
    /// The batch is too large, or Azure Monitor refuses one of its records.
    Refused(SendError),
}

async fn new_records<P: Ports>(
    run: &mut Run<'_, P>,
    mut records: Vec<Record>,
    deduplicator: Deduplicator,
    may_update: bool,
) -> Result<SortedPage, Stop> {
    let mut hours: Vec<Hour> = records.iter().map(Record::hour).collect();
    hours.sort_unstable();
    hours.dedup();
    run.ledger.load(&hours).await.map_err(Stop::storage)?;
    if may_update {
        let events = records.iter().map(|record| ledger_uid(&record.key)).collect();
        pair_updates(&mut records, run.ledger.current(&hours, &events));
    }
    let is_known = |record: &Record| {
        run.ledger.contains(record.hour(), &record.key) || run.refused.is_waiting(record.key)
    };
    let page = deduplicator.sort(records, is_known);
    run.stats.counts.deduplicated += page.facts.known as u64;
    Ok(page)
}

/// Dead-letters the originals of records with truncated values, before their rows are sent.
async fn dead_letter_truncated<P: Ports>(run: &mut Run<'_, P>, batch: &Batch) -> Result<(), Stop> {
    let is_new = |record: &&Record| {
        record.is_truncated() && !run.refused.dead_lettered.contains(&record.key)
    };
    let truncated: Vec<&Record> = batch.records.iter().filter(is_new).collect();
    if truncated.is_empty() {
        return Ok(());
    }
    let now = run.now();
    let letters = truncated.iter().map(|record| {
        let fields = record.truncated_fields().map(str::to_owned).collect();
        DeadLetter::new(run.config.log_type, record, now, Why::Oversized { fields })
    });
    let kept = run.ports.dead_letters().keep(letters.collect()).await;
    kept.map_err(|error| Stop::failed(Failure::Storage, error))?;
    for record in truncated {
        run.refused.dead_lettered.insert(record.key);
        run.stats.dead_letters.truncated += 1;
        run.stats.dead_letters.name(record.key);
    }
    // The lease may have expired while they were stored.
    run.hold_lease().await
}

/// Dead-letters the waiting records once another record was accepted, and adds them to the ledger
/// so that they are not sent again. After the last one the checkpoint may advance.
async fn dead_letter_refused<P: Ports>(run: &mut Run<'_, P>) -> Result<(), Stop> {
    while let Some((record, kind, error)) = run.refused.next_dead_letter().cloned() {
        // After a failure, not a refusal, the record is tried once more.
        if error.is_server_error() {
            let batch = Batch { records: vec![record.clone()], kind };
            run.hold_lease().await?;
            if run.ports.send(&batch, run.checkpoint.timeout()).await.is_ok() {
                self::record(run, &batch).await?;
                run.refused.settle();
                continue;
            }
        }
        let why = Why::Refused { status: error.status, code: error.code.clone() };
        let letter = DeadLetter::new(run.config.log_type, &record, run.now(), why);
        let (key, hour) = (record.key, record.hour());
        let kept = run.ports.dead_letters().keep(vec![letter]).await;
        kept.map_err(|error| Stop::failed(Failure::Storage, error))?;
        let letters = &mut run.stats.dead_letters;
        letters.refused += 1;
        letters.truncated -= u64::from(run.refused.dead_lettered.contains(&key));
        letters.name(key);
        let appended = run.ledger.append([(hour, LedgerEntry::from(&record))].into_iter()).await;
        appended.map_err(|error| run.ledger_failed(error))?;
        run.refused.settle();
    }
    Ok(())
}

/// Sends a batch once. After a transient error it pauses if the run has time for another try.
async fn send<P: Ports>(
    run: &mut Run<'_, P>,
    batch: &Batch,
    attempts: &mut Attempts,
) -> Result<Sent, Stop> {
    let began_at = run.now();
    let mut error = match run.ports.send(batch, run.checkpoint.timeout()).await {
        Ok(()) => {
            let elapsed = run.now() - began_at;
            if run.checkpoint.shorten_timeout(elapsed) {
                run.checkpoint.halvings.batch /= 2;
            }
            return Ok(Sent::Accepted);
        }
        Err(error) => error,
    };
    let (pause, cause) = match error.kind {
        SendErrorKind::TooLarge | SendErrorKind::BadRecord => return Ok(Sent::Refused(error)),
        SendErrorKind::Credentials
        | SendErrorKind::Intercepted
        | SendErrorKind::NoToken { is_transient: false }
        | SendErrorKind::Fatal => return Err(Stop::failed(Failure::AzureMonitor, error)),
        SendErrorKind::Throttled { retry_after } => {
            run.stats.counts.throttled += 1;
            error.tries = attempts.failed(run.now());
            match retry_after {
                Some(pause) if run.now() + pause >= run.deadline => {
                    return Err(run.back_off(Some(pause), BackOffCause::AzureThrottled, error));
                }
                Some(pause) => (Some(pause), BackOffCause::AzureThrottled),
                None => (attempts.pause(run), BackOffCause::AzureThrottled),
            }
        }
        SendErrorKind::TimedOut
        | SendErrorKind::Unreachable
        | SendErrorKind::NoToken { is_transient: true } => {
            if error.kind == SendErrorKind::TimedOut {
                run.checkpoint.lengthen_timeout();
            }
            error.tries = attempts.failed(run.now());
            (attempts.pause(run), BackOffCause::AzureUnreachable)
        }
    };
    let has_failed_twice =
        cause == BackOffCause::AzureUnreachable && attempts.have_failed_twice(run, pause, cause);
    if has_failed_twice {
        let halvings = &mut run.checkpoint.halvings;
        halvings.batch = Halvings::halved(halvings.batch);
    }
    match pause {
        Some(_) if run.ports.is_shutdown_requested() => {
            Err(Stop::at(RunOutcome::ShutdownRequested))
        }
        Some(pause) => {
            run.pause(pause).await;
            Ok(if has_failed_twice { Sent::FailedTwice(error) } else { Sent::NotYet })
        }
        None => Err(run.back_off(None, cause, error)),
    }
}

/// Appends an accepted batch to the ledger, before the next batch is sent.
async fn record<P: Ports>(run: &mut Run<'_, P>, batch: &Batch) -> Result<(), Stop> {
    let rows = batch.records.len() as u64;
    run.refused.is_another_accepted = true;
    run.stats.counts.events += rows;
    run.stats.counts.late += if batch.kind == IngestKind::Late { rows } else { 0 };
    let entries = batch.records.iter().map(|record| (record.hour(), record.into()));
    let appended = run.ledger.append(entries).await;
    appended.map_err(|error| run.ledger_failed(error))?;
    let newest = batch.records.iter().filter_map(Record::time).max();
    run.checkpoint.newest_event = run.checkpoint.newest_event.max(newest);
    Ok(())
}
