//! Simulated Cisco Duo Admin API, Azure Monitor and Functions host, for demo and tests.
//!
//! ```text
//! events (generated from a seed) --> duo: the log endpoints --> the connector under test
//!    |                                          identity: tokens --+
//!    +--> verifier: returned against accepted <-- log_analytics <----+
//!
//! functions_host: starts the connector, fires its timer, kills it
//! ```
//!
//! All servers are strict: they check signatures with their own code and refuse what the real
//! services refuse. They share nothing with the connector, so an error cannot hide in its own test.

mod clock;
mod config;
mod counts;
mod duo;
mod events;
mod faults;
mod form;
mod functions_host;
mod identity;
mod json;
mod log_analytics;
mod log_type;
mod random;
mod report;
mod response;
mod server;
mod verifier;

use std::sync::Arc;

pub use clock::Clock;
pub use config::Config;
pub use counts::{Counts, DuoCounts, IdentityCounts, IngestionCounts, PostCounts};
pub use faults::{Fault, FaultKind, FaultPlan, Target};
pub use functions_host::FunctionsHost;
pub use identity::{IdentityConfig, ManagedForm};
pub use json::RawMembers;
pub use log_analytics::IngestionApi;
pub use log_analytics::logs_ingestion::{DeclarationError, LogsIngestionConfig, StreamDeclaration};
pub use log_analytics::tables::{Column, ColumnType, Table, TableRow, columns};
pub use log_type::LogType;
pub use report::{LogReport, Report};

use counts::Counter;
use duo::GivenRecords;
use events::World;
use identity::Tokens;
use log_analytics::{data_collector, logs_ingestion};
use server::Server;
use verifier::Verifier;

/// State that the servers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) world: Arc<World>,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultPlan,
    pub(crate) given: GivenRecords,
    pub(crate) counts: Counter,
    pub(crate) tokens: Tokens,
}

/// The running simulators. Dropping it stops them immediately.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    verifier: Arc<Verifier>,
    duo: Server,
    log_analytics: Server,
    logs_ingestion: Server,
    identity: Server,
}

/// Every event of a log as one page of the simulated Duo, without a server.
pub fn page(config: Config, log: LogType) -> String {
    duo::page(&Arc::new(Shared::new(config)), log)
}

impl Shared {
    fn new(config: Config) -> Self {
        Self {
            world: Arc::new(World::new(&config)),
            clock: Clock::default(),
            faults: FaultPlan::default(),
            given: GivenRecords::default(),
            counts: Counter::default(),
            tokens: Tokens::new(config.seed),
            config,
        }
    }
}

impl Simulator {
    /// Generates the events and starts all servers on 127.0.0.1.
    ///
    /// Returns an error if a port is in use or the folder for rows cannot be created.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(config));
        let config = &shared.config;
        let verifier = Arc::new(Verifier::start(config, Arc::clone(&shared.world))?);
        let (duo_port, log_analytics_port) = (config.duo_port, config.log_analytics_port);
        let (ingestion_port, identity_port) = (config.logs_ingestion.port, config.identity.port);
        let duo = Server::start(duo_port, duo::router(Arc::clone(&shared))).await?;
        let router = data_collector::router(Arc::clone(&shared), Arc::clone(&verifier));
        let log_analytics = Server::start(log_analytics_port, router).await?;
        let router = logs_ingestion::router(Arc::clone(&shared), Arc::clone(&verifier));
        let logs_ingestion = Server::start(ingestion_port, router).await?;
        let router = identity::router(Arc::clone(&shared));
        let identity = Server::start(identity_port, router).await?;
        Ok(Self { shared, verifier, duo, log_analytics, logs_ingestion, identity })
    }

    /// URL of the Duo Admin API: `http://127.0.0.1:PORT`.
    pub fn duo_url(&self) -> String {
        self.duo.url()
    }

    /// URL of the Data Collector API: `http://127.0.0.1:PORT`.
    pub fn log_analytics_url(&self) -> String {
        self.log_analytics.url()
    }

    /// URL of the Logs Ingestion API: `http://127.0.0.1:PORT`.
    pub fn logs_ingestion_url(&self) -> String {
        self.logs_ingestion.url()
    }

    /// URL of the function app's identity endpoint, for `IDENTITY_ENDPOINT`.
    pub fn identity_url(&self) -> String {
        format!("{}{}", self.identity.url(), identity::APP_SERVICE_PATH)
    }

    /// The authority of Entra's token endpoint, `http://127.0.0.1:PORT`, without the tenant ID.
    pub fn authority_url(&self) -> String {
        self.identity.url()
    }

    /// Revokes every token issued so far: the Logs Ingestion API responds with 401 to them.
    pub fn revoke_tokens(&self) {
        self.shared.tokens.revoke();
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The active faults, which can be changed at any time.
    pub fn faults(&self) -> &FaultPlan {
        &self.shared.faults
    }

    /// Replaces the events of a log other than the v1 logs by these records, each with its time in
    /// milliseconds since 1970. Duo returns them in one page, and counts them. They are no events of
    /// the [`Simulator::report`].
    pub fn give_records(&self, log: LogType, records: Vec<(i64, String)>) {
        self.shared.given.set(log, records);
    }

    /// The simulated time, which can be changed at any time.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Counts of the requests so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts.snapshot()
    }

    /// The table that `api` filled, by name with `_CL`, after every accepted row was stored.
    ///
    /// `None` if no row arrived there, or [`Config::keep_tables`] is off.
    pub async fn table(&self, api: IngestionApi, name: &str) -> Option<Table> {
        self.verifier.table(api, name).await
    }

    /// The report on all events visible now, after every accepted row was verified.
    pub async fn report(&self) -> Report {
        let now = self.shared.clock.now_milliseconds();
        self.verifier.report(now).await
    }

    /// Stops all servers, drops open connections and ends the verification after its last row.
    pub async fn stop(self) {
        self.duo.stop().await;
        self.log_analytics.stop().await;
        self.logs_ingestion.stop().await;
        self.identity.stop().await;
        self.verifier.stop().await;
    }
}
