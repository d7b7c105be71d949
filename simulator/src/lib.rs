//! Simulated Cisco Duo Admin API and Azure Monitor, for the demo and the tests of duo-sentinel.
//!
//! ```text
//! events (made from a seed) --> duo: the log endpoints --> the connector under test
//!    |                                                            |
//!    +--> judge: shown against accepted <-- log_analytics <-------+
//! ```
//!
//! Both servers are strict: they check signatures with code of their own and refuse what the real
//! services refuse. Nothing here is shared with the connector, so an error in it cannot hide in its
//! own test.

mod calls;
mod clock;
mod config;
mod duo;
mod events;
mod faults;
mod judge;
mod log_analytics;
mod log_type;
mod random;
mod report;
mod server;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use calls::{Calls, DuoCalls, PostCalls};
pub use clock::Clock;
pub use config::{Config, LastPage, TotalObjects};
pub use faults::{Fault, FaultKind, FaultPlan, Target};
pub use log_type::{LogType, UnknownLogType};
pub use report::{LogReport, Report};

use calls::CallCounter;
use events::World;
use judge::Judge;
use server::Server;

/// What both servers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) world: Arc<World>,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultPlan,
    pub(crate) calls: CallCounter,
}

/// Both simulators, running. Dropping it stops them at once.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    judge: Arc<Judge>,
    duo: Server,
    log_analytics: Server,
}

impl Simulator {
    /// Makes the events and starts both servers on 127.0.0.1.
    ///
    /// Fails when a port is taken or the folder for rows cannot be made.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let clock = Clock::default();
        let world = Arc::new(World::new(&config));
        let judge = Arc::new(Judge::start(&config, Arc::clone(&world))?);
        let (duo_port, log_analytics_port) = (config.duo_port, config.log_analytics_port);
        let (faults, calls) = (FaultPlan::default(), CallCounter::default());
        let shared = Arc::new(Shared {
            config,
            world,
            clock,
            faults,
            calls,
        });
        let duo = Server::start(duo_port, duo::router(Arc::clone(&shared))).await?;
        let router = log_analytics::router(Arc::clone(&shared), Arc::clone(&judge));
        let log_analytics = Server::start(log_analytics_port, router).await?;
        Ok(Self {
            shared,
            judge,
            duo,
            log_analytics,
        })
    }

    /// Where the Duo Admin API answers: `http://127.0.0.1:PORT`.
    pub fn duo_url(&self) -> String {
        self.duo.url()
    }

    /// Where the Data Collector API answers: `http://127.0.0.1:PORT`.
    pub fn log_analytics_url(&self) -> String {
        self.log_analytics.url()
    }

    /// The settings it was started with.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The faults in force, to be changed at any time.
    pub fn faults(&self) -> &FaultPlan {
        &self.shared.faults
    }

    /// The simulated time, to be changed at any time.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What was asked so far.
    pub fn calls(&self) -> Calls {
        self.shared.calls.snapshot()
    }

    /// The verdict on everything visible by now, after every accepted row was looked at.
    pub async fn report(&self) -> Report {
        self.report_between(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC)
            .await
    }

    /// The verdict on events with `from` <= event time <= `through` alone.
    ///
    /// Rows that are unknown or altered count whatever their time.
    pub async fn report_between(&self, from: DateTime<Utc>, through: DateTime<Utc>) -> Report {
        self.judge
            .report(from, through, self.shared.clock.now_milliseconds())
            .await
    }

    /// Stops both servers, drops open connections and ends the judge after its last row.
    pub async fn stop(self) {
        self.duo.stop().await;
        self.log_analytics.stop().await;
        self.judge.stop().await;
    }
}
