//! Feeds damaged documents to the core: every run must end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use duo_sentinel::model::{
    Batch, FetchError, HOUR, LogType, MINUTE, Millis, PageRequest, PageResponse, RecordKey,
    SendError, Span,
};
use duo_sentinel::settings::Limits;
use duo_sentinel::storage::{
    BlobStore, DeadLetters, Document as _, LogState, StorageError, Version, WriteError,
};
use duo_sentinel::sync::{Checkpoint, LogConfig, Ports, RunCounts, TokenBucket, run_log};

/// 2026-11-23T12:00:00Z.
pub(crate) const NOW: Millis = Millis(1_795_435_200_000);
/// Requests, waits and writes after which a run of one page counts as endless.
const MAX_OPERATIONS: u32 = 20_000;
const HOST: &str = "api-x.duosecurity.com";

/// Runs a log from the beginning with this page, followed by empty ones.
pub(crate) fn take(log_type: LogType, page: PageResponse) {
    run(&config(log_type), None, page);
}

/// Resumes a log of each kind of paging from this checkpoint, live or in the backfill of a span.
/// Duo returns no events.
pub(crate) fn resume(backfill: Option<Span>, checkpoint: &Checkpoint) {
    for log_type in [LogType::Activity, LogType::TrustMonitor, LogType::Administrator] {
        let config = LogConfig { backfill, ..config(log_type) };
        run(&config, Some(checkpoint), PageResponse::default());
    }
}

fn run(config: &LogConfig, checkpoint: Option<&Checkpoint>, page: PageResponse) {
    let store = Memory::default();
    let state = LogState::new(Arc::new(store.clone()), HOST, config.log_type);
    let outside = Outside {
        dead_letters: DeadLetters::new(Arc::new(Memory::default()), HOST),
        page: Mutex::new(Some(page)),
        sent: Mutex::default(),
        store,
        state,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        if let Some(checkpoint) = checkpoint {
            let stored = outside.state.save(checkpoint.to_json(), None).await;
            stored.expect("the store is empty");
        }
        run_log(&outside, config).await;
    });
    let checkpoint = runtime.block_on(outside.state.load::<Checkpoint>());
    assert!(checkpoint.is_ok(), "{checkpoint:?} cannot be read");
}

/// Blobs in memory that never fail.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Blobs>>);

#[derive(Debug, Default)]
struct Blobs {
    blobs: BTreeMap<String, Vec<u8>>,
    operations: u32,
}

impl Memory {
    fn with<T>(&self, use_of: impl FnOnce(&mut Blobs) -> T) -> T {
        let mut blobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.operations += 1;
        assert!(blobs.operations < MAX_OPERATIONS, "the run does not end");
        use_of(&mut blobs)
    }
}

#[async_trait]
impl BlobStore for Memory {
    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError> {
        let found = self.with(|blobs| blobs.blobs.get(name).cloned());
        Ok(found.map(|content| (content.clone(), Version(hex::encode(content)))))
    }

    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let version = Version(hex::encode(&content));
        let before = self.with(|blobs| blobs.blobs.insert(name.to_owned(), content));
        assert_eq!(before.map(hex::encode), expected.map(|version| version.0.clone()));
        Ok(version)
    }

    async fn append(&self, name: &str, content: Vec<u8>, _: usize) -> Result<(), WriteError> {
        self.with(|blobs| {
            blobs.blobs.entry(name.to_owned()).or_default().extend(content);
        });
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, StorageError> {
        let found = |blobs: &mut Blobs| {
            let found = blobs.blobs.iter().filter(|(name, _)| name.starts_with(prefix));
            found.map(|(name, content)| (name.clone(), content.len() as u64)).collect()
        };
        Ok(self.with(found))
    }

    async fn remove(&self, name: &str) -> Result<(), StorageError> {
        self.with(|blobs| blobs.blobs.remove(name));
        Ok(())
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }
}

/// A Duo that returns one page, and an Azure Monitor that accepts everything.
struct Outside {
    store: Memory,
    state: LogState,
    dead_letters: DeadLetters,
    page: Mutex<Option<PageResponse>>,
    sent: Mutex<BTreeSet<RecordKey>>,
}

impl Ports for Outside {
    fn state(&self) -> &LogState {
        &self.state
    }

    fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    fn now(&self) -> Millis {
        let operations = self.store.with(|blobs| blobs.operations);
        NOW + TimeDelta::milliseconds(10 * i64::from(operations))
    }

    fn random(&self, range: RangeInclusive<i64>) -> i64 {
        *range.start()
    }

    fn is_shutdown_requested(&self) -> bool {
        false
    }

    fn is_gone(&self, _: &str) -> bool {
        true
    }

    fn take_account_token(&self, _: TokenBucket) -> (Result<(), TimeDelta>, TokenBucket) {
        (Ok(()), TokenBucket::full(self.now()))
    }

    async fn sleep(&self, pause: TimeDelta) {
        let operations = u32::try_from(pause.num_milliseconds() / 10).unwrap_or(MAX_OPERATIONS);
        self.store.with(|blobs| blobs.operations += operations);
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<PageResponse, FetchError> {
        // Formatted as in the request and in log messages.
        let _shown = (request.mintime.to_string(), request.maxtime.to_string());
        let page = self.page.lock().unwrap().take().unwrap_or_default();
        Ok(PageResponse { server_time: Some(self.now()), ..page })
    }

    async fn send(&self, batch: &Batch, _: Duration) -> Result<(), SendError> {
        let mut sent = self.sent.lock().unwrap();
        for record in &batch.records {
            assert!(sent.insert(record.key), "{record:?} twice");
        }
        Ok(())
    }

    fn progress(&self, _: Option<Millis>, _: &RunCounts) {}
}

fn config(log_type: LogType) -> LogConfig {
    LogConfig {
        log_type,
        spec: log_type.spec(),
        limits: Limits {
            first_window: HOUR,
            longest_window: HOUR,
            window_delay: TimeDelta::minutes(3),
            requests_per_minute: 0,
            throttle_backoff: MINUTE,
            run_time_limit: TimeDelta::seconds(50),
        },
        max_batch_bytes: 1_000_000,
        start: (NOW - TimeDelta::hours(24), false),
        backfill: None,
        owner: "fuzz".to_owned(),
        destination: "workspace".to_owned(),
    }
}
