//! One catch-up in which one call goes wrong, played to its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use simulator::{LogType, Simulator};

use crate::common::{
    Azurite, Container, Gate, Settings, Spoil, StorageFault, duo_sentinel, temporary_folder, tenant,
};

/// Events of each log.
const EVENTS: u64 = 90;
/// Most records on a page of the logs with cursors. The v1 logs keep the page of all small tenants, into which the most
/// crowded second fits: what does not fit, Duo never shows.
const PAGE: usize = 25;
/// Length of a window, so that the six hours of a catch-up take several.
const WINDOW_MINUTES: &str = "150";
/// Runs in which everything must be over. A log that was refused waits an hour, which is the second run's.
const MOST_RUNS: usize = 6;
/// Pause of a log that backs off, and a little more.
const PARKED: Duration = Duration::from_millis(1_100);
/// How far a log that was refused is from being asked again.
const REFUSED_SECONDS: i64 = 3_700;
/// Longest time of one process.
const LONGEST_RUN: Duration = Duration::from_secs(180);

/// Who is called.
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

/// Which call goes wrong, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) side: Side,
    /// By its number from 1.
    pub(crate) call: u64,
    pub(crate) spoil: Spoil,
}

/// How a play went.
#[derive(Debug)]
pub(crate) struct Played {
    /// Calls of each side.
    pub(crate) calls: [u64; 3],
    /// Whether the call came that was to go wrong.
    pub(crate) is_struck: bool,
    pub(crate) repeated: u64,
}

/// Collects a tenant to its end; the error says which promise was broken, and by what.
pub(crate) async fn play(azurite: &Azurite, schedule: Option<Schedule>) -> Result<Played, String> {
    static PLAYS: AtomicU64 = AtomicU64::new(0);
    let number = PLAYS.fetch_add(1, Ordering::Relaxed);
    let mut config = tenant(71, EVENTS);
    (config.max_limit, config.trust_monitor_limit) = (PAGE, PAGE);
    let simulator = Simulator::start(config).await.expect("free ports");
    let name = format!("call-{number}");
    let gates = [
        Gate::to(&simulator.duo_url()).await,
        Gate::to(&simulator.log_analytics_url()).await,
        Gate::to(&azurite.endpoint()).await,
    ];
    if let Some(schedule) = schedule {
        gates[schedule.side.index()].begin(schedule.trouble());
    }
    let [duo, sink, blob] = &gates;
    let storage = blob.instead_of(&azurite.connection_string());
    let settings = Settings::in_storage(&simulator, &storage, &name)
        .with("CISCO_DUO_API_HOSTNAME", duo.instead_of(&simulator.duo_url()))
        .with("logAnalyticsUri", sink.instead_of(&simulator.log_analytics_url()))
        .with("MAX_SYNC_WINDOW_PER_RUN_MINUTES", WINDOW_MINUTES);
    let mut play = Play { simulator, container: azurite.container(&name), settings, runs: 0 };
    let result = play.run_to_the_end().await;
    let spoilt = schedule.and_then(|schedule| gates[schedule.side.index()].spoilt());
    let told = |fault: String| format!("{schedule:?} ({spoilt:?}), run {}: {fault}", play.runs);
    result.map_err(told)?;
    let may_repeat = schedule.is_some_and(|schedule| schedule.may_repeat(spoilt.as_deref()));
    let repeated = play.judge(may_repeat).await.map_err(told)?;
    // Azurite writes down all that it has every few seconds: the blobs of thousands of plays would bring it to a halt.
    play.container.delete().await;
    Ok(Played {
        calls: Side::ALL.map(|side| gates[side.index()].calls()),
        is_struck: spoilt.is_some(),
        repeated,
    })
}

impl Schedule {
    fn trouble(self) -> StorageFault {
        StorageFault::every(self.spoil).after(self.call - 1).times(1)
    }

    /// Whether rows may have been accepted without the ledger knowing: only then may they be sent again. `call` is the
    /// method and path of the call that went wrong.
    fn may_repeat(self, call: Option<&str>) -> bool {
        match self.side {
            Side::Duo => false,
            Side::Sink => matches!(self.spoil, Spoil::Cut | Spoil::ResponseLost | Spoil::Hang),
            // The ids of what was just accepted are refused, which the client rightly does not try again.
            Side::Blob => {
                let call = call.unwrap_or_default();
                let is_ids = call.starts_with("PUT") && call.contains("ledger%2F");
                is_ids && self.spoil == Spoil::Status(403)
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
    /// Runs again and again, each time in a new process, until every log is caught up.
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
            if self.runs == MOST_RUNS {
                return Err(format!("not caught up: {report:#}"));
            }
            tokio::time::sleep(PARKED).await;
            if self.runs == 2 {
                self.let_an_hour_pass();
            }
        }
    }

    /// One process that collects once.
    async fn run(&self) -> Result<Value, String> {
        let folder = temporary_folder();
        let run = duo_sentinel(&self.settings, folder.path(), &["run", "--json"]);
        let output = tokio::time::timeout(LONGEST_RUN, run)
            .await
            .map_err(|_| "the process does not end".to_owned())?;
        serde_json::from_slice(&output.stdout).map_err(|fault| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            format!("{fault}: {}: {stderr}", output.status)
        })
    }

    /// The clocks of everybody but the storage go on.
    fn let_an_hour_pass(&mut self) {
        let clock = self.simulator.clock();
        clock.advance(chrono::TimeDelta::seconds(REFUSED_SECONDS));
        let ahead = REFUSED_SECONDS.to_string();
        let settings = self.settings.clone();
        self.settings = settings.with("CISCO_DUO_DEMO_CLOCK_SECONDS", ahead);
    }

    /// Rows repeated, if the judge is content.
    async fn judge(&self, may_repeat: bool) -> Result<u64, String> {
        let report = self.simulator.report().await;
        if !report.is_complete() || report.delivered() != EVENTS * 6 {
            return Err(format!("lost or altered: {report:#?}"));
        }
        let repeating = LogType::ALL.map(|log| report.logs[&log].duplicates > 0);
        if repeating.iter().filter(|repeats| **repeats).count() > 1 {
            return Err(format!("one call went wrong, and several logs repeat: {report:#?}"));
        }
        for log in LogType::ALL {
            let page = if log.is_v1() { self.simulator.config().v1_page } else { PAGE };
            let bound = if may_repeat { page as u64 } else { 0 };
            let repeated = report.logs[&log].duplicates;
            if repeated > bound {
                return Err(format!("{log}: {repeated} rows repeated, {bound} allowed"));
            }
        }
        Ok(report.duplicates())
    }
}
