//! Implements the core's ports: the system clock, the Admin API, Azure Monitor, and storage.

use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::unmapped_fields::UnmappedFields;
use super::{Clock, Collector, lock};
use crate::ingestion::{BatchRequest, Table};
use crate::model::{
    Batch, FetchError, IngestKind, LogType, Millis, PageRequest, PageResponse, Record, SendError,
};
use crate::storage::{DeadLetters, LogState};
use crate::sync::{Ports, RunCounts, TokenBucket};
use crate::transform::{BatchFields, Records, RowWriter};

/// Receives the progress of a backfill: the time reached and the counts so far.
pub(super) type Watcher = dyn Fn(Option<Millis>, &RunCounts) + Send + Sync;

pub(super) struct LogPorts<'a> {
    collector: &'a Collector,
    log_type: LogType,
    clock: Clock,
    shutdown: &'a CancellationToken,
    state: LogState,
    watcher: Option<&'a Watcher>,
    /// The last request body, whose memory the next one reuses.
    body: Mutex<Bytes>,
    /// Unmapped fields in accepted rows.
    unmapped: Mutex<UnmappedFields>,
}

impl<'a> LogPorts<'a> {
    pub(super) fn new(
        collector: &'a Collector,
        log_type: LogType,
        clock: Clock,
        shutdown: &'a CancellationToken,
    ) -> Self {
        Self {
            collector,
            log_type,
            clock,
            shutdown,
            state: collector.state_of(log_type),
            watcher: None,
            body: Mutex::default(),
            unmapped: Mutex::default(),
        }
    }

    /// The ports of a backfill: its own checkpoint and the ledger of the live log.
    pub(super) fn of_backfill(self, id: &str, watcher: &'a Watcher) -> Self {
        Self { state: self.state.of_backfill(id), watcher: Some(watcher), ..self }
    }

    pub(super) fn into_unmapped_fields(self) -> UnmappedFields {
        self.unmapped.into_inner().unwrap_or_default()
    }
}

impl Ports for LogPorts<'_> {
    fn state(&self) -> &LogState {
        &self.state
    }

    fn dead_letters(&self) -> &DeadLetters {
        &self.collector.dead_letters
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn random(&self, range: RangeInclusive<i64>) -> i64 {
        fastrand::i64(range)
    }

    fn is_shutdown_requested(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    fn is_gone(&self, owner: &str) -> bool {
        self.collector.owner.is_dead(owner)
    }

    fn take_account_token(&self, known: TokenBucket) -> (Result<(), TimeDelta>, TokenBucket) {
        self.collector.take_account_token(known, self.now())
    }

    async fn sleep(&self, pause: TimeDelta) {
        let pause = pause.to_std().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<PageResponse, FetchError> {
        let host = &self.collector.settings.duo.host;
        let columns = self.collector.unmapped_columns(self.log_type);
        let reader = |columns| {
            Records::new(self.log_type, host, self.collector.sink.api()).with_columns(columns)
        };
        let mut records = reader(&columns);
        let now = self.now();
        let page = self.collector.duo.page(self.log_type, request, now, |page, scanner| {
            records.read(page, scanner).map(Some)
        });
        // A request to Duo has no side effects; a shutdown need not wait for the response.
        let mut page = tokio::select! {
            page = page => page,
            () = self.shutdown.cancelled() => {
                Err(FetchError::unreachable(self.log_type.spec().path, "aborted by the shutdown"))
            }
        };
        if let Ok(page) = &mut page
            && !records.wanted_columns().is_empty()
        {
            let wanted = records.wanted_columns();
            let columns = self.collector.add_columns(self.log_type, wanted).await;
            let mut records = reader(&columns);
            page.records.iter_mut().for_each(|record| records.reshape(record));
        }
        match &page {
            Ok(page) => debug!(events = page.records.len(), mintime = %request.mintime, "page"),
            Err(error) => debug!(%error, "no_page"),
        }
        page
    }

    async fn send(&self, batch: &Batch, timeout: Duration) -> Result<(), SendError> {
        let buffer = std::mem::take(&mut *lock(&self.body));
        let mut request = self.collector.request(self.log_type, batch, self.now(), buffer);
        request.timeout = timeout;
        lock(&self.body).clone_from(&request.body);
        let (events, bytes) = (batch.records.len(), request.body.len());
        // The end of the run does not abort it: rows without a response would be sent again.
        let sent = self.collector.sink.send(request).await;
        match &sent {
            Ok(()) => {
                debug!(events, bytes, "batch_accepted");
                let mut unmapped = lock(&self.unmapped);
                for name in batch.records.iter().flat_map(Record::unmapped_fields) {
                    unmapped.count(name);
                }
            }
            Err(error) => debug!(%error, events, bytes, "batch_not_accepted"),
        }
        sent
    }

    fn progress(&self, reached: Option<Millis>, counts: &RunCounts) {
        if let Some(watcher) = self.watcher {
            watcher(reached, counts);
        }
    }
}

impl Collector {
    /// Builds the request for a batch. Reuses the memory of `buffer` unless it is referenced.
    pub(super) fn request(
        &self,
        log_type: LogType,
        Batch { records, kind }: &Batch,
        now: Millis,
        buffer: Bytes,
    ) -> BatchRequest {
        let kind = *kind;
        let host = &self.settings.duo.host;
        // Only live rows: Azure Monitor replaces the time of older ones anyway.
        let is_dated_by_event = kind == IngestKind::Live && self.settings.sink.is_dated_by_event;
        let fields = BatchFields {
            log_type,
            host,
            kind,
            batch: &self.next_batch_name(),
            sent_at: now,
            is_dated_by_event,
        };
        let writer = RowWriter::new(self.sink.api(), &fields);
        let mut body = buffer.try_into_mut().unwrap_or_default();
        body.clear();
        let rows = records.iter().map(|record| record.row_bytes + 1);
        body.reserve(rows.sum::<usize>() + 1);
        for record in records {
            body.put_u8(if body.is_empty() { b'[' } else { b',' });
            writer.write(&mut body, record);
        }
        body.put_u8(b']');
        BatchRequest {
            table: Table::CiscoDuo,
            body: body.freeze(),
            is_dated_by_event,
            now: now.date_time(),
            timeout: Duration::from_secs(30),
        }
    }
}
