//! The shell around the core: does what it says, side by side for each log, and reports what happened.

mod asides;
mod backfill;
mod call;
mod fields;
mod health;
mod hours_found;
mod ledger;
mod notice;
mod owner;
mod report;
mod resend;
mod worker;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use chrono::Utc;
use futures::FutureExt as _;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::duo::DuoClient;
use crate::http::Transport;
use crate::ingestion::{IdentityError, Sink};
use crate::model::{LogType, Millis};
use crate::settings::Settings;
use crate::status::Status;
use crate::storage::{DeadLetters, LogState, StateError, Store};
use crate::sync::{ACCOUNT_SHARE, Bucket};

pub use backfill::{Advance, Backfill, BackfillFault, BackfillPlan, Watcher};
pub use hours_found::HoursFound;
pub use notice::Told;
pub use report::{LogReport, RunReport};
pub use resend::{ResendError, Resent};

use fields::Uncounted;
use health::Vitals;
use owner::Owner;
use worker::Worker;

/// Everything that a run needs, built once.
#[derive(Debug)]
pub struct Collector {
    settings: Settings,
    duo: DuoClient,
    sink: Sink,
    store: Store,
    dead_letters: DeadLetters,
    owner: Owner,
    /// The account's rate bucket, shared by the logs of this process.
    account: Mutex<Option<Bucket>>,
    /// Fields without a column that were seen, as far as they are not stored.
    uncounted: Uncounted,
    /// How each log fares, as far as this process knows.
    vitals: Vitals,
    /// Numbers the calls of this process, for `ingest_batch`.
    calls: AtomicU32,
}

/// Why collection cannot even begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built: {0}")]
    Transport(#[from] reqwest::Error),
    /// The identity that tokens are asked for with cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The state cannot be reached in the way that the settings say.
    #[error(transparent)]
    State(#[from] StateError),
}

impl StartError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Transport(_) => Some(
                "check that the operating system's CA certificates are installed, and HTTPS_PROXY",
            ),
            Self::Identity(fault) => Some(fault.hint()),
            Self::State(fault) => fault.hint.as_deref(),
        }
    }
}

/// The time as this run sees it: wall-clock time at its start plus the time that passed, so that a clock that is
/// set while it runs cannot make it end early or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Millis,
    since: Instant,
}

impl Clock {
    /// `offset` is added to the time of this machine, in milliseconds.
    pub(crate) fn start(offset: i64) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where a run meets the clock"
        )]
        let now = Utc::now();
        Self {
            started: Millis::from(now) + offset,
            since: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.started + passed
    }
}

impl Collector {
    /// Builds the parts; nothing is asked or written yet.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        let transport = Transport::new()?;
        let duo = DuoClient::new(
            transport.client_for(&settings.duo.origin),
            settings.duo.clone(),
            settings.credentials.clone(),
            settings.signature,
        );
        let sink = Sink::new(&settings.sink.ingestion, &transport)?;
        let store = Store::open(&settings.state, &transport)?;
        let dead_letters = Store::open_dead_letters(&settings.state, &transport)?;
        let dead_letters = DeadLetters::new(dead_letters, &settings.duo.host);
        Ok(Self {
            settings,
            duo,
            sink,
            store,
            dead_letters,
            owner: Owner::of_process(),
            account: Mutex::new(None),
            uncounted: Uncounted::default(),
            vitals: Vitals::default(),
            calls: AtomicU32::new(0),
        })
    }

    /// The settings it was built from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The client of the Admin API.
    pub fn duo(&self) -> &DuoClient {
        &self.duo
    }

    /// The sink.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// Where state lives.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The originals of records that did not become whole rows.
    pub fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    /// Collects every configured log once, side by side. No log waits for, or fails with, another.
    pub async fn run(&self, interrupt: &CancellationToken) -> RunReport {
        let clock = Clock::start(self.settings.clock_offset);
        let logs = self.settings.log_types.iter().map(|&log_type| async move {
            let run = Worker::new(self, log_type, clock, interrupt).run();
            // A fault of ours in one log must not take the others with it.
            let report = AssertUnwindSafe(run).catch_unwind().await;
            report.unwrap_or_else(|_| LogReport::of_panic(log_type))
        });
        let logs = join_all(logs).await;
        if !interrupt.is_cancelled() {
            self.tell_health(&logs, clock).await;
        }
        RunReport {
            logs,
            elapsed_ms: clock.now() - clock.started,
        }
    }

    /// How each log fares, from what is stored.
    pub async fn status(&self, now: Millis) -> Status {
        let settings = &self.settings;
        Status::read(
            &self.store,
            &settings.duo.host,
            &settings.log_types,
            self.sink.api(),
            now,
        )
        .await
    }

    /// The state of one log.
    pub(crate) fn state_of(&self, log_type: LogType) -> LogState {
        LogState::new(self.store.clone(), &self.settings.duo.host, log_type)
    }

    /// Takes a call from the account's bucket, of which a log has seen `known`.
    fn draw(&self, known: Bucket, now: Millis) -> (Option<i64>, Bucket) {
        let rate = self.settings.pace.calls_per_minute;
        let mut account = self
            .account
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut bucket = account.map_or(known, |shared| {
            shared.lower(known, rate, ACCOUNT_SHARE, now)
        });
        let wait = bucket.take(rate, ACCOUNT_SHARE, now).err();
        *account = Some(bucket);
        (wait, bucket)
    }
}
