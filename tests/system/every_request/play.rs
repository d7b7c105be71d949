//! One catch-up in which one request fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use simulator::{LogType, Simulator};

use crate::common::{
    Azurite, Container, Failure, Proxy, Settings, StorageFault, duo_sentinel, temporary_folder,
    tenant,
};

/// Events per log.
const EVENTS: u64 = 90;
/// Records per page of the logs with cursors. v1 logs keep the page size of all small tenants,
/// which must hold the most crowded second: Duo never returns the rest.
const PAGE: usize = 25;
/// Length of a window, so that the six hours of a catch-up take several.
const WINDOW_MINUTES: &str = "150";
/// Maximum runs to catch up. An unavailable log is requested again after an hour, in run 3.
const MAX_RUNS: usize = 6;
/// Pause of a log that backs off, with some margin.
const BACK_OFF: Duration = Duration::from_millis(1_100);
/// Time after which an unavailable log is requested again.
const REFUSED_SECONDS: i64 = 3_700;
/// Time limit of one process.
const RUN_TIME_LIMIT: Duration = Duration::from_secs(180);

/// The service that receives the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Duo,
    Sink,
    Blob,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Duo, Self::Sink, Self::Blob];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// Which request fails, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) side: Side,
    /// Number of the request, from 1.
    pub(crate) request: u64,
    pub(crate) failure: Failure,
}

/// The result of a play.
#[derive(Debug)]
pub(crate) struct Played {
    /// Requests per side.
    pub(crate) requests: [u64; 3],
    /// Whether the request that was to fail arrived.
    pub(crate) has_failed: bool,
    pub(crate) duplicates: u64,
}

/// Collects a tenant until it has caught up. The error names the broken promise and its cause.
pub(crate) async fn play(azurite: &Azurite, schedule: Option<Schedule>) -> Result<Played, String> {
    static PLAYS: AtomicU64 = AtomicU64::new(0);
    let number = PLAYS.fetch_add(1, Ordering::Relaxed);
    let mut config = tenant(71, EVENTS);
    (config.max_limit, config.trust_monitor_limit) = (PAGE, PAGE);
    let simulator = Simulator::start(config).await.expect("free ports");
    let name = format!("call-{number}");
    let proxies = [
        Proxy::to(&simulator.duo_url()).await,
        Proxy::to(&simulator.log_analytics_url()).await,
        Proxy::to(&azurite.endpoint()).await,
    ];
    if let Some(schedule) = schedule {
        proxies[schedule.side.index()].begin(schedule.fault());
    }
    let [duo, sink, blob] = &proxies;
    let storage = blob.instead_of(&azurite.connection_string());
    let settings = Settings::in_storage(&simulator, &storage, &name)
        .with("CISCO_DUO_API_HOSTNAME", duo.instead_of(&simulator.duo_url()))
        .with("logAnalyticsUri", sink.instead_of(&simulator.log_analytics_url()))
        .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", WINDOW_MINUTES);
    let mut play = Play { simulator, container: azurite.container(&name), settings, runs: 0 };
    let result = play.run_to_the_end().await;
    let failed = schedule.and_then(|schedule| proxies[schedule.side.index()].failed());
    let describe = |error: String| format!("{schedule:?} ({failed:?}), run {}: {error}", play.runs);
    result.map_err(describe)?;
    let may_duplicate = schedule.is_some_and(|schedule| schedule.may_duplicate(failed.as_deref()));
    let duplicates = play.verify(may_duplicate).await.map_err(describe)?;
    // Azurite writes all its data every few seconds: the blobs of thousands of plays would stop it.
    play.container.delete().await;
    Ok(Played {
        requests: Side::ALL.map(|side| proxies[side.index()].requests()),
        has_failed: failed.is_some(),
        duplicates,
    })
}

impl Schedule {
    fn fault(self) -> StorageFault {
        StorageFault::every(self.failure).after(self.request - 1).times(1)
    }

    /// Whether rows may be accepted without an entry in the ledger, which allows duplicates. `call`
    /// is the method and path of the request that failed.
    fn may_duplicate(self, request: Option<&str>) -> bool {
        match self.side {
            Side::Duo => false,
            Side::Sink => {
                matches!(self.failure, Failure::Truncated | Failure::ResponseLost | Failure::Hang)
            }
            // A refused write of ids after acceptance, which the client correctly does not retry.
            Side::Blob => {
                let request = request.unwrap_or_default();
                let is_ids = request.starts_with("PUT") && request.contains("ledger%2F");
                is_ids && self.failure == Failure::Status(403)
            }
        }
    }
}

struct Play {
    simulator: Simulator,
    container: Container,
    settings: Settings,
    runs: usize,
}

impl Play {
    /// Runs new processes until every log has caught up.
    async fn run_to_the_end(&mut self) -> Result<(), String> {
        loop {
            self.runs += 1;
            let report = self.run().await?;
            let outcomes: Vec<&str> = report["logs"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|log| log["outcome"].as_str())
                .collect();
            if outcomes == ["caught_up"; 6] {
                return Ok(());
            }
            if self.runs == MAX_RUNS {
                return Err(format!("not caught up: {report:#}"));
            }
            tokio::time::sleep(BACK_OFF).await;
            if self.runs == 2 {
                self.let_an_hour_pass();
            }
        }
    }

    /// Runs one process that collects once.
    async fn run(&self) -> Result<Value, String> {
        let folder = temporary_folder();
        let run = duo_sentinel(&self.settings, folder.path(), &["run", "--json"]);
        let output = tokio::time::timeout(RUN_TIME_LIMIT, run)
            .await
            .map_err(|_| "the process does not end".to_owned())?;
        serde_json::from_slice(&output.stdout).map_err(|error| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            format!("{error}: {}: {stderr}", output.status)
        })
    }

    /// Advances the clocks of everything except storage.
    fn let_an_hour_pass(&mut self) {
        let clock = self.simulator.clock();
        clock.advance(chrono::TimeDelta::seconds(REFUSED_SECONDS));
        let ahead = REFUSED_SECONDS.to_string();
        let settings = self.settings.clone();
        self.settings = settings.with("CISCO_DUO_DEMO_CLOCK_SECONDS", ahead);
    }

    /// Checks the result and returns the number of duplicates.
    async fn verify(&self, may_duplicate: bool) -> Result<u64, String> {
        let report = self.simulator.report().await;
        if !report.is_complete() || report.delivered() != EVENTS * 6 {
            return Err(format!("lost or altered: {report:#?}"));
        }
        let duplicating = LogType::ALL.map(|log| report.logs[&log].duplicates > 0);
        if duplicating.iter().filter(|is_duplicating| **is_duplicating).count() > 1 {
            return Err(format!("several logs have duplicates: {report:#?}"));
        }
        for log in LogType::ALL {
            let page = if log.is_v1() { self.simulator.config().v1_page } else { PAGE };
            let bound = if may_duplicate { page as u64 } else { 0 };
            let duplicates = report.logs[&log].duplicates;
            if duplicates > bound {
                return Err(format!("{log}: {duplicates} duplicates, {bound} allowed"));
            }
        }
        Ok(report.duplicates())
    }
}
