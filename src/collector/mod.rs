//! Runs the configured logs concurrently: implements the core's ports and reports the results.

mod backfill;
mod health;
mod owner;
mod ports;
mod report;
mod resend;
mod unmapped_fields;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::duo::DuoClient;
use crate::http::Transport;
use crate::ingestion::{IdentityError, Sink};
use crate::model::{LogType, Millis, Span};
use crate::settings::{Limits, Settings};
use crate::status::Status;
use crate::storage::{self, DeadLetters, LogState, StorageError, Store};
use crate::sync::{ACCOUNT_SHARE, LogConfig, Ports as _, TokenBucket, run_log};

pub(crate) use backfill::{Backfill, BackfillError, BackfillPlan};

use backfill::backfill_rate;
pub(crate) use report::{Explanation, LogReport, RunReport};
pub(crate) use resend::Resent;
pub use unmapped_fields::UnmappedFields;

use health::HealthCache;
use owner::Owner;
use ports::LogPorts;
use unmapped_fields::UnstoredFields;

#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) settings: Settings,
    pub(crate) duo: DuoClient,
    pub(crate) sink: Sink,
    pub(crate) store: Store,
    pub(crate) dead_letters: DeadLetters,
    owner: Owner,
    /// The account's rate bucket, shared by the logs of this process.
    account: Mutex<Option<TokenBucket>>,
    /// Counts of unmapped fields that are not stored yet.
    unstored_fields: Mutex<BTreeMap<LogType, UnstoredFields>>,
    /// Columns of unmapped fields that are stored.
    unmapped_columns: Mutex<BTreeMap<LogType, Arc<BTreeSet<String>>>>,
    health: HealthCache,
    /// Number of the next batch of this process, for `ingest_batch`.
    batches: AtomicU32,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the HTTP client could not be built: {0}")]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    State(#[from] StorageError),
}

impl StartError {
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Transport(_) => Some(
                "check that the operating system's CA certificates are installed, and HTTPS_PROXY",
            ),
            Self::Identity(error) => Some(error.hint()),
            Self::State(error) => error.hint.as_deref(),
        }
    }
}

/// Wall-clock time at the start of a run plus elapsed time, whatever is done to the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Millis,
    since: Instant,
}

impl Clock {
    /// `offset` is added to the system time.
    pub(crate) fn start(offset: TimeDelta) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the only use of the system clock")]
        let now = Utc::now();
        Self { started: Millis::from(now) + offset, since: Instant::now() }
    }

    pub(crate) fn now(&self) -> Millis {
        self.started + TimeDelta::from_std(self.since.elapsed()).unwrap_or(TimeDelta::MAX)
    }
}

/// Locks a mutex. The data behind a poisoned one is still valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collector {
    /// Builds the clients and stores. Makes no request and writes nothing.
    pub(crate) fn new(settings: Settings) -> Result<Self, StartError> {
        let transport = Transport::new()?;
        let duo = DuoClient::new(
            transport.client_for(&settings.duo.origin),
            settings.duo.clone(),
            settings.credentials.clone(),
            settings.signature,
        );
        let sink = Sink::new(&settings.sink.ingestion, &transport)?;
        let store = storage::open(&settings.state, &transport)?;
        let dead_letters = storage::open_dead_letters(&settings.state, &transport)?;
        let dead_letters = DeadLetters::new(dead_letters, &settings.duo.host);
        Ok(Self {
            settings,
            duo,
            sink,
            store,
            dead_letters,
            owner: Owner::of_process(),
            account: Mutex::new(None),
            unstored_fields: Mutex::default(),
            unmapped_columns: Mutex::default(),
            health: HealthCache::default(),
            batches: AtomicU32::new(0),
        })
    }

    /// Collects every configured log once, concurrently and independently of each other.
    pub(crate) async fn run(&self, shutdown: &CancellationToken) -> RunReport {
        let clock = Clock::start(self.settings.clock_offset);
        let logs = self.settings.log_types.iter().map(|&log_type| async move {
            let run = self.run_one(LogPorts::new(self, log_type, clock, shutdown), log_type, None);
            // A panic in one log must not end the others.
            let report = AssertUnwindSafe(run).catch_unwind().await;
            report.unwrap_or_else(|_| LogReport::of_panic(log_type))
        });
        let logs = join_all(logs).await;
        let mut report = RunReport::new(logs);
        if !shutdown.is_cancelled() {
            self.report_health(&report.logs, clock).await;
        }
        report.elapsed_ms = (clock.now() - clock.started).num_milliseconds();
        report
    }

    pub(crate) fn now(&self) -> Millis {
        Clock::start(self.settings.clock_offset).now()
    }

    pub(crate) async fn status(&self) -> Status {
        let Settings { duo, log_types, .. } = &self.settings;
        let (api, now) = (self.sink.api(), self.now());
        Status::read(&self.store, &duo.host, log_types, api, now).await
    }

    pub(crate) fn state_of(&self, log_type: LogType) -> LogState {
        LogState::new(self.store.clone(), &self.settings.duo.host, log_type)
    }

    /// Takes a token from the account's bucket; `known` is its state as last seen by the log.
    fn take_account_token(
        &self,
        known: TokenBucket,
        now: Millis,
    ) -> (Result<(), TimeDelta>, TokenBucket) {
        let rate = self.settings.limits.requests_per_minute;
        let mut account = lock(&self.account);
        let mut bucket = account.map_or(known, |shared| shared.max(known));
        let taken = bucket.take(rate, ACCOUNT_SHARE, now);
        *account = Some(bucket);
        (taken, bucket)
    }

    /// The name of the next batch: 20 digits, because Azure Monitor stores 32 digits as a GUID.
    fn next_batch_name(&self) -> String {
        let number = self.batches.fetch_add(1, Ordering::Relaxed);
        format!("{}{number:08x}", self.owner.batch_prefix())
    }

    async fn run_one(
        &self,
        ports: LogPorts<'_>,
        log_type: LogType,
        backfill: Option<Span>,
    ) -> LogReport {
        let config = self.config(log_type, backfill, ports.now());
        let span = tracing::info_span!("pull", %log_type);
        // Boxed because the future is large.
        let result = Box::pin(run_log(&ports, &config).instrument(span)).await;
        let now = ports.now();
        let is_shutdown = ports.is_shutdown_requested();
        let unmapped = ports.into_unmapped_fields();
        if !is_shutdown {
            self.count_unmapped_fields(log_type, &unmapped, now).await;
        }
        LogReport::new(log_type, result, now)
    }

    fn config(&self, log_type: LogType, backfill: Option<Span>, now: Millis) -> LogConfig {
        let Settings { limits, start, sink, .. } = &self.settings;
        let requests_per_minute = backfill
            .map_or(limits.requests_per_minute, |_| backfill_rate(limits.requests_per_minute));
        LogConfig {
            log_type,
            spec: log_type.spec(),
            limits: Limits { requests_per_minute, ..*limits },
            max_batch_bytes: self.sink.api().largest_body(),
            start: start.of(log_type, now),
            backfill,
            owner: self.owner.name(),
            destination: sink.fingerprint(),
        }
    }
}
