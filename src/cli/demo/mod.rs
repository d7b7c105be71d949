//! `demo`: runs this program as the Functions host does, with simulated services and faults.

mod closing;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use chrono::{TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use simulator::{
    Config, Fault, FaultKind, FunctionsHost, LogType, LogsIngestionConfig, Report, Simulator,
    Target,
};

use super::{output, simulated};
use crate::model::{IngestionApi, number};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Events in the simulated Duo, over all six logs
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=2_000_000))]
    events: u64,
    /// Seed of the simulated events: the same seed makes the same events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the delivered rows and the state; replaces those of an earlier demo
    #[arg(long, default_value = "duo-sentinel-demo")]
    folder: PathBuf,
    /// Send rows through the Logs Ingestion API instead of the HTTP Data Collector API
    #[arg(long)]
    logs_ingestion: bool,
}

/// Maximum ticks; the lease of a killed process may have to expire.
const MAX_TICKS: u32 = 200;
const AZURE_LATENCY: Duration = Duration::from_millis(30);
/// Clock offset after which Duo returns all late events.
const DAY: TimeDelta = TimeDelta::hours(25);
/// Events of each log, per thousand.
const SHARES: [(LogType, u64); 6] = [
    (LogType::Authentication, 700),
    (LogType::Administrator, 40),
    (LogType::Telephony, 50),
    (LogType::OfflineEnrollment, 10),
    (LogType::TrustMonitor, 20),
    (LogType::Activity, 180),
];

pub(super) async fn demo(arguments: &Arguments) -> Result<(), u8> {
    let complete = async {
        let mut demo = Demo::new(arguments).await?;
        let before_last_day = demo.play().await?;
        Ok(demo.report(&before_last_day).await)
    };
    let complete = complete.await.unwrap_or_else(|error: String| {
        output::error(&error, None);
        false
    });
    super::failed_unless(complete)
}

struct Demo {
    simulator: Simulator,
    api: IngestionApi,
    host: FunctionsHost,
    progress: ProgressBar,
    rows: PathBuf,
    state: PathBuf,
    ticks: u32,
    /// The last tick that a line reported.
    reported: u32,
}

impl Demo {
    async fn new(arguments: &Arguments) -> Result<Self, String> {
        let api = simulated::selected(arguments.logs_ingestion);
        let folder = &arguments.folder;
        prepare(folder).map_err(|error| format!("{} cannot be used: {error}", folder.display()))?;
        let (rows, state) = (folder.join("rows"), folder.join("state"));
        #[expect(clippy::disallowed_methods, reason = "the simulated day ends at the current time")]
        let now = Utc::now();
        let config = Config {
            seed: arguments.seed,
            volumes: SHARES
                .map(|(log, share)| (log, (arguments.events * share / 1000).max(1)))
                .into(),
            from: now - TimeDelta::hours(23),
            to: now - TimeDelta::minutes(10),
            duo_latency: Duration::from_millis(60),
            log_analytics_latency: AZURE_LATENCY,
            // One event in a hundred appears a day late.
            late_per_mille: 10,
            late_by: Duration::from_secs(24 * 60 * 60),
            rows_dir: Some(rows.clone()),
            logs_ingestion: LogsIngestionConfig { latency: AZURE_LATENCY, ..simulated::rule() },
            ..Config::default()
        };
        let events: u64 = config.volumes.values().sum();
        let simulator =
            Simulator::start(config).await.map_err(|error| format!("the simulators: {error}"))?;
        let mut settings = simulated::settings(api, &simulator);
        settings.extend([
            ("CISCO_DUO_STATE_DIR", state.display().to_string()),
            // No rate limit, and runs that end before everything is delivered.
            ("CISCO_DUO_REQUESTS_PER_MINUTE", "0".to_owned()),
            ("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "1".to_owned()),
            ("CISCO_DUO_THROTTLE_BACKOFF_SECONDS", "1".to_owned()),
        ]);
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let host = FunctionsHost::start(program, settings).await?;
        output::talk(format!(
            "A simulated Duo with {} events of the last day, a simulated Azure Monitor,\n\
             and between them this program, run the way the Azure Functions host runs it.\n\
             Nothing leaves this machine.\n",
            number(events)
        ));
        let progress = ProgressBar::new(events).with_style(
            ProgressStyle::with_template("  {bar:40} {human_pos} of {human_len} events  {elapsed}")
                .expect("a valid template"),
        );
        Ok(Self { simulator, api, host, progress, rows, state, ticks: 0, reported: 0 })
    }

    /// Plays the scenario. Returns the report before the last day.
    async fn play(&mut self) -> Result<Report, String> {
        self.tick("no errors").await?;
        self.add_duo_faults();
        self.tick("Duo: HTTP 429, HTTP 500, a truncated response").await?;
        self.add_azure_faults();
        self.tick("Azure Monitor: a lost response, HTTP 503").await?;
        self.kill().await?;
        self.catch_up("no errors, until every log is caught up").await?;
        // Events delivered so far are not late.
        let before_last_day = self.simulator.report().await;
        self.pass_a_day().await?;
        self.catch_up("a day later: late events, found by reconciliation").await?;
        self.progress.finish_and_clear();
        Ok(before_last_day)
    }

    /// Fires the timer until every log has caught up.
    async fn catch_up(&mut self, what: &str) -> Result<(), String> {
        let before = self.delivered();
        let mut quiet = 0;
        // Runs that deliver nothing more reconcile the hours left at the run time limit.
        while quiet < 2 {
            let delivered = self.delivered();
            let caught_up = self.tick("").await?;
            quiet = if caught_up && self.delivered() == delivered { quiet + 1 } else { 0 };
            if self.ticks > MAX_TICKS {
                return Err("the logs did not catch up".to_owned());
            }
        }
        self.line(what, self.delivered() - before);
        Ok(())
    }

    async fn pass_a_day(&mut self) -> Result<(), String> {
        self.host.kill().await?;
        self.simulator.clock().set_offset(DAY);
        self.restart(DAY).await
    }

    fn add_duo_faults(&self) {
        let throttled = FaultKind::TooManyRequests { retry_after: Some(1) };
        for (log, kind) in [
            (LogType::Activity, throttled),
            (LogType::Telephony, FaultKind::Status(500)),
            (LogType::Authentication, FaultKind::Truncated),
        ] {
            let fault = Fault::once(Target::Duo(log), kind).after(1);
            self.simulator.faults().push(fault);
        }
    }

    fn add_azure_faults(&self) {
        for kind in [FaultKind::ResponseLost, FaultKind::Status(503)] {
            let fault = Fault::once(simulated::target(self.api), kind).after(1);
            self.simulator.faults().push(fault);
        }
    }

    /// Fires the timer and waits for the response. Returns whether every log has caught up.
    async fn tick(&mut self, what: &str) -> Result<bool, String> {
        let before = self.delivered();
        self.ticks += 1;
        let response = self.watch(self.host.fire()).await?;
        let logs = response["ReturnValue"]["logs"].as_array();
        let logs = logs.ok_or("the handler's response names no logs")?;
        let caught_up = logs.iter().all(|log| log["outcome"] == "caught_up");
        if !what.is_empty() {
            self.line(what, self.delivered() - before);
        }
        if !caught_up {
            // Logs may be backing off.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(caught_up)
    }

    /// Fires the timer, kills the process during the run, and restarts it.
    async fn kill(&mut self) -> Result<(), String> {
        let before = self.delivered();
        self.ticks += 1;
        let mid_run = async {
            let requests = || simulated::requests_and_rows(self.api, &self.simulator).0;
            let enough = requests() + 2;
            while requests() <= enough {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = mid_run => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = self.host.fire() => {}
        }
        self.host.kill().await?;
        self.line("the process is killed in mid-run and started again", self.delivered() - before);
        self.restart(TimeDelta::zero()).await
    }

    /// Restarts the killed process with a clock offset.
    async fn restart(&mut self, clock_ahead: TimeDelta) -> Result<(), String> {
        let seconds = clock_ahead.num_seconds().to_string();
        self.host.restart_with("CISCO_DUO_DEMO_CLOCK_SECONDS", seconds).await
    }

    async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    let rows = self.delivered().min(self.progress.length().unwrap_or_default());
                    self.progress.set_position(rows);
                }
            }
        }
    }

    fn line(&mut self, what: &str, delivered: u64) {
        let ticks = match self.ticks - self.reported {
            0 | 1 => format!("tick {}", self.ticks),
            _ => format!("ticks {}-{}", self.reported + 1, self.ticks),
        };
        self.reported = self.ticks;
        self.progress.suspend(|| {
            output::talk(format!("  {ticks:11}  {what:53} {:>6} rows", number(delivered)));
        });
    }

    fn delivered(&self) -> u64 {
        simulated::requests_and_rows(self.api, &self.simulator).1
    }
}

/// Marks the folder of a demo, so that the next one replaces nothing else.
const MARK: &str = "made-by-duo-sentinel-demo";

/// Empties the folder of an earlier demo or creates one. Fails for other folders with content.
fn prepare(folder: &Path) -> io::Result<()> {
    let is_ours = folder.join(MARK).exists();
    for part in [folder.join("rows"), folder.join("state")] {
        if part.exists() {
            if !is_ours {
                let part = part.display();
                let error =
                    format!("{part} exists and is not from a demo; choose another --folder");
                return Err(io::Error::other(error));
            }
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
    }
    fs::write(folder.join(MARK), "")
}
