//! Simulated Cisco Duo Admin API, Azure Monitor and Functions host, for the demo and the tests of duo-sentinel.
//!
//! ```text
//! events (made from a seed) --> duo: the log endpoints --> the connector under test
//!    |                                        identity: tokens --+
//!    +--> judge: shown against accepted <-- log_analytics <-------+
//!
//! functions_host: starts the connector, fires its timer, kills it
//! ```
//!
//! All servers are strict: they check signatures with code of their own and refuse what the real
//! services refuse. Nothing here is shared with the connector, so an error in it cannot hide in its
//! own test.

mod calls;
mod clock;
mod config;
mod duo;
mod events;
mod faults;
mod form;
mod functions_host;
mod identity;
mod json;
mod judge;
mod log_analytics;
mod log_type;
mod random;
mod report;
mod response;
mod server;

use std::sync::Arc;

pub use calls::{Calls, DuoCalls, IdentityCalls, IngestionCalls, PostCalls};
pub use clock::Clock;
pub use config::Config;
pub use faults::{Fault, FaultKind, FaultPlan, Target};
pub use functions_host::FunctionsHost;
pub use identity::IdentityConfig;
pub use json::RawMembers;
pub use log_analytics::IngestionApi;
pub use log_analytics::logs_ingestion::{DeclarationFault, LogsIngestionConfig, StreamDeclaration};
pub use log_analytics::tables::{Column, ColumnType, Table, TableRow, columns};
pub use log_type::LogType;
pub use report::{LogReport, Report};

use calls::CallCounter;
use events::World;
use identity::Tokens;
use judge::Judge;
use log_analytics::{data_collector, logs_ingestion};
use server::Server;

/// What the servers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) world: Arc<World>,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultPlan,
    pub(crate) calls: CallCounter,
    pub(crate) tokens: Tokens,
}

/// The simulators, running. Dropping it stops them at once.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    judge: Arc<Judge>,
    duo: Server,
    log_analytics: Server,
    logs_ingestion: Server,
    identity: Server,
}

/// A page of `log` as the simulated Duo serves it: every event of a tenant, without a server.
pub fn page(config: Config, log: LogType) -> String {
    duo::page(&Arc::new(Shared::new(config)), log)
}

impl Shared {
    fn new(config: Config) -> Self {
        Self {
            world: Arc::new(World::new(&config)),
            clock: Clock::default(),
            faults: FaultPlan::default(),
            calls: CallCounter::default(),
            tokens: Tokens::new(config.seed),
            config,
        }
    }
}

impl Simulator {
    /// Makes the events and starts all servers on 127.0.0.1.
    ///
    /// Fails when a port is taken or the folder for rows cannot be made.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(config));
        let config = &shared.config;
        let judge = Arc::new(Judge::start(config, Arc::clone(&shared.world))?);
        let (duo_port, log_analytics_port) = (config.duo_port, config.log_analytics_port);
        let (ingestion_port, identity_port) = (config.logs_ingestion.port, config.identity.port);
        let duo = Server::start(duo_port, duo::router(Arc::clone(&shared))).await?;
        let router = data_collector::router(Arc::clone(&shared), Arc::clone(&judge));
        let log_analytics = Server::start(log_analytics_port, router).await?;
        let router = logs_ingestion::router(Arc::clone(&shared), Arc::clone(&judge));
        let logs_ingestion = Server::start(ingestion_port, router).await?;
        let router = identity::router(Arc::clone(&shared));
        let identity = Server::start(identity_port, router).await?;
        Ok(Self { shared, judge, duo, log_analytics, logs_ingestion, identity })
    }

    /// Where the Duo Admin API answers: `http://127.0.0.1:PORT`.
    pub fn duo_url(&self) -> String {
        self.duo.url()
    }

    /// Where the Data Collector API answers: `http://127.0.0.1:PORT`.
    pub fn log_analytics_url(&self) -> String {
        self.log_analytics.url()
    }

    /// Where the Logs Ingestion API answers: `http://127.0.0.1:PORT`.
    pub fn logs_ingestion_url(&self) -> String {
        self.logs_ingestion.url()
    }

    /// Where the function app's identity answers, the value of `IDENTITY_ENDPOINT`.
    pub fn identity_url(&self) -> String {
        format!("{}{}", self.identity.url(), identity::APP_SERVICE_PATH)
    }

    /// The authority of Entra's token endpoint, `http://127.0.0.1:PORT`; the tenant ID comes behind it.
    pub fn authority_url(&self) -> String {
        self.identity.url()
    }

    /// Withdraws every token issued so far: the Logs Ingestion API answers 401 to them from now on.
    pub fn withdraw_tokens(&self) {
        self.shared.tokens.withdraw();
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

    /// The table that `api` filled, by its name with `_CL`, after every accepted row was stored.
    ///
    /// `None` if no row arrived there, or [`Config::keep_tables`] is off.
    pub async fn table(&self, api: IngestionApi, name: &str) -> Option<Table> {
        self.judge.table(api, name).await
    }

    /// The verdict on everything visible by now, after every accepted row was looked at.
    pub async fn report(&self) -> Report {
        let now = self.shared.clock.now_milliseconds();
        self.judge.report(now).await
    }

    /// Stops all servers, drops open connections and ends the judge after its last row.
    pub async fn stop(self) {
        self.duo.stop().await;
        self.log_analytics.stop().await;
        self.logs_ingestion.stop().await;
        self.identity.stop().await;
        self.judge.stop().await;
    }
}
