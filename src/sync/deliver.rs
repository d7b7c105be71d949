//! Delivers the records of a page. Its order of steps guarantees that no record is lost.

use super::checkpoint::BackOffCause;
use super::dedup::{Deduplicator, PageFacts, SortedPage};
use super::fetch::Attempts;
use super::outcome::{Failure, RunOutcome};
use super::ports::Ports;
use super::state::Run;
use super::stop::Stop;
use crate::model::{Batch, Hour, IngestKind, Millis, Record, SendError, SendErrorKind};
use crate::storage::{DeadLetter, Why};

#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) facts: PageFacts,
    /// The hours of the accepted records, one per record.
    pub(super) hours: Vec<Hour>,
}

/// Delivers the new records of a page up to `take_through`. `kind` overrides that of event times.
///
/// Each batch is sent, then its ids are appended to the ledger. When this function returns, the
/// checkpoint may advance. A crash after Azure Monitor accepted a batch and before the ledger has
/// its ids delivers that batch again; no record is skipped.
pub(super) async fn deliver<P: Ports>(
    run: &mut Run<'_, P>,
    records: Vec<Record>,
    take_through: Millis,
    kind: Option<IngestKind>,
) -> Result<Delivered, Stop> {
    let deduplicator = Deduplicator {
        closed_before: run.checkpoint.mintime,
        take_through,
        kind,
        now: run.now(),
        max_batch_bytes: run.config.max_batch_bytes,
    };
    let SortedPage { mut batches, facts } = new_records(run, records, deduplicator).await?;
    let mut hours = Vec::new();
    let mut attempts = Attempts::new(run.now());
    while let Some(mut batch) = batches.pop_front() {
        run.hold_lease().await?;
        dead_letter_truncated(run, &batch).await?;
        match send(run, &batch, &mut attempts).await? {
            Sent::Accepted => {
                record(run, &batch).await?;
                hours.extend(batch.records.iter().map(Record::hour));
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
    /// The batch is too large, or Azure Monitor refuses one of its records.
    Refused(SendError),
}

async fn new_records<P: Ports>(
    run: &mut Run<'_, P>,
    records: Vec<Record>,
    deduplicator: Deduplicator,
) -> Result<SortedPage, Stop> {
    let mut hours: Vec<Hour> = records.iter().map(Record::hour).collect();
    hours.sort_unstable();
    hours.dedup();
    run.ledger.load(&hours).await.map_err(Stop::storage)?;
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
    while let Some((record, error)) = run.refused.next_dead_letter() {
        let why = Why::Refused { status: error.status, code: error.code.clone() };
        let letter = DeadLetter::new(run.config.log_type, record, run.now(), why);
        let (key, hour) = (record.key, record.hour());
        let kept = run.ports.dead_letters().keep(vec![letter]).await;
        kept.map_err(|error| Stop::failed(Failure::Storage, error))?;
        let letters = &mut run.stats.dead_letters;
        letters.refused += 1;
        letters.truncated -= u64::from(run.refused.dead_lettered.contains(&key));
        letters.name(key);
        let appended = run.ledger.append([(hour, key)].into_iter()).await;
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
            run.checkpoint.shorten_timeout(elapsed);
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
    match pause {
        Some(_) if run.ports.is_shutdown_requested() => {
            Err(Stop::at(RunOutcome::ShutdownRequested))
        }
        Some(pause) => {
            run.pause(pause).await;
            Ok(Sent::NotYet)
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
    let keys = batch.records.iter().map(|record| (record.hour(), record.key));
    let appended = run.ledger.append(keys).await;
    appended.map_err(|error| run.ledger_failed(error))?;
    let newest = batch.records.iter().filter_map(Record::time).max();
    run.checkpoint.newest_event = run.checkpoint.newest_event.max(newest);
    Ok(())
}
