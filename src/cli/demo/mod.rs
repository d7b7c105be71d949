//! `demo`: the main job with no account. A simulated Duo and Azure Monitor, and between them this very program as
//! the Functions host runs it, with everything that goes wrong in a bad week.

mod closing;
mod folder;
mod handler;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use simulator::{
    Config, Fault, FaultKind, LogType, LogsIngestionConfig, Report, Simulator, Target,
};

use super::output;
use super::road::{self, Road};
use crate::model::number;
use handler::Handler;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Events in the simulated Duo, over all six logs
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=2_000_000))]
    events: u64,
    /// Seed of the simulated events: the same seed makes the same events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the delivered rows and the state; what an earlier demo left in it is replaced
    #[arg(long, default_value = "duo-sentinel-demo")]
    folder: PathBuf,
    /// Send rows through the Logs Ingestion API instead of the HTTP Data Collector API
    #[arg(long)]
    logs_ingestion: bool,
}

/// Ticks after which the demo gives up: a killed process that cannot be proved gone is waited for.
const MOST_TICKS: u32 = 200;
/// What an answer of the simulated Duo takes.
const DUO_LATENCY: Duration = Duration::from_millis(60);
/// What an answer of the simulated Azure Monitor takes.
const AZURE_LATENCY: Duration = Duration::from_millis(30);
/// Of a thousand events, how many Duo shows a day late.
const LATE_PER_MILLE: u32 = 10;
const LATE_BY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the clocks are set ahead, so that Duo shows them all.
const DAY: TimeDelta = TimeDelta::hours(25);
/// Of a thousand events, how many are in each log.
const SHARES: [(LogType, u64); 6] = [
    (LogType::Authentication, 700),
    (LogType::Administrator, 40),
    (LogType::Telephony, 50),
    (LogType::OfflineEnrollment, 10),
    (LogType::TrustMonitor, 20),
    (LogType::Activity, 180),
];

/// Runs the demo; the exit code says whether everything was delivered.
pub(super) async fn demo(arguments: &Arguments) -> u8 {
    let road = Road::of(arguments.logs_ingestion);
    match play(arguments, road, now()).await {
        Ok(complete) => u8::from(!complete),
        Err(fault) => {
            output::error(&fault, None);
            super::FAILED
        }
    }
}

/// Plays one demo to its end; `true` when everything was delivered.
async fn play(arguments: &Arguments, road: Road, now: DateTime<Utc>) -> Result<bool, String> {
    let mut demo = Demo::new(arguments, road, &arguments.folder, now).await?;
    let in_turn = demo.play().await?;
    Ok(demo.tell(&in_turn).await)
}

/// The end of the simulated day.
fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the simulated day ends now")]
    Utc::now()
}

struct Demo {
    simulator: Simulator,
    road: Road,
    handler: Handler,
    progress: ProgressBar,
    rows: PathBuf,
    state: PathBuf,
    ticks: u32,
    /// The last tick that a line told of.
    told: u32,
}

impl Demo {
    async fn new(
        arguments: &Arguments,
        road: Road,
        folder: &Path,
        now: DateTime<Utc>,
    ) -> Result<Self, String> {
        folder::prepare(folder)
            .map_err(|fault| format!("{} cannot be used: {fault}", folder.display()))?;
        let (rows, state) = (folder.join("rows"), folder.join("state"));
        let config = Config {
            seed: arguments.seed,
            volumes: SHARES
                .map(|(log, share)| (log, (arguments.events * share / 1000).max(1)))
                .into(),
            from: now - TimeDelta::hours(23),
            to: now - TimeDelta::minutes(10),
            duo_latency: DUO_LATENCY,
            log_analytics_latency: AZURE_LATENCY,
            late_per_mille: LATE_PER_MILLE,
            late_by: LATE_BY,
            rows_dir: Some(rows.clone()),
            logs_ingestion: LogsIngestionConfig {
                latency: AZURE_LATENCY,
                ..road::rule()
            },
            ..Config::default()
        };
        let events: u64 = config.volumes.values().sum();
        let simulator = Simulator::start(config)
            .await
            .map_err(|fault| format!("the simulators: {fault}"))?;
        let handler = Handler::start(&simulator, road, &state).await?;
        output::talk(format!(
            "A simulated Duo with {} events of the last day, a simulated Azure Monitor, and between them\n\
             this program, run the way the Azure Functions host runs it. Nothing leaves this machine.\n",
            number(events)
        ));
        let progress = ProgressBar::new(events).with_style(
            ProgressStyle::with_template("  {bar:40} {human_pos} of {human_len} events  {elapsed}")
                .expect("a constant template"),
        );
        Ok(Self {
            simulator,
            road,
            handler,
            progress,
            rows,
            state,
            ticks: 0,
            told: 0,
        })
    }

    /// Plays the bad week; gives what was there before its last day.
    async fn play(&mut self) -> Result<Report, String> {
        self.tick("all is well").await?;
        self.spoil_duo();
        self.tick("Duo: too many requests, a server error, an answer cut off")
            .await?;
        self.spoil_azure();
        self.tick("Azure Monitor: takes a call but its answer is lost; unavailable")
            .await?;
        self.kill().await?;
        self.catch_up("all is well again, until every log is caught up")
            .await?;
        // Before the day ends: what is there now came in its turn.
        let in_turn = self.simulator.report().await;
        self.pass_a_day().await?;
        self.catch_up(
            "a day later Duo shows late events, and the checks of closed hours find them",
        )
        .await?;
        self.handler.stop().await?;
        self.progress.finish_and_clear();
        Ok(in_turn)
    }

    /// Fires the timer until every log is caught up.
    async fn catch_up(&mut self, what: &str) -> Result<(), String> {
        let before = self.delivered();
        let mut quiet = 0;
        // Checks that are left when a run's time is over do not keep a log from having caught up: a run that brings
        // nothing more ends them.
        while quiet < 2 {
            let delivered = self.delivered();
            let caught_up = self.tick("").await?;
            quiet = if caught_up && self.delivered() == delivered {
                quiet + 1
            } else {
                0
            };
            if self.ticks > MOST_TICKS {
                return Err("the logs never caught up".to_owned());
            }
        }
        self.line(what, self.delivered() - before);
        Ok(())
    }

    /// Sets all clocks a day ahead.
    async fn pass_a_day(&mut self) -> Result<(), String> {
        self.handler.kill().await?;
        self.simulator.clock().set_offset(DAY);
        self.handler.restart(DAY).await
    }

    fn spoil_duo(&self) {
        let faults = self.simulator.faults();
        let answer = |log, kind| Fault::once(Target::Duo(log), kind).after(1);
        faults.push(answer(
            LogType::Activity,
            FaultKind::TooManyRequests {
                retry_after: Some(1),
            },
        ));
        faults.push(answer(LogType::Telephony, FaultKind::Status(500)));
        faults.push(answer(LogType::Authentication, FaultKind::Truncated));
    }

    fn spoil_azure(&self) {
        let faults = self.simulator.faults();
        let target = self.road.target();
        faults.push(Fault::once(target, FaultKind::AnswerLost).after(1));
        faults.push(Fault::once(target, FaultKind::Status(503)).after(1));
    }

    /// Fires the timer and waits for the answer; `true` when every log is caught up.
    async fn tick(&mut self, what: &str) -> Result<bool, String> {
        let before = self.delivered();
        self.ticks += 1;
        let invoked = self.handler.invoke();
        let outcome = self.watch(invoked).await?;
        if !what.is_empty() {
            self.line(what, self.delivered() - before);
        }
        if !outcome.caught_up {
            // A log that was told to wait is not asked before.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(outcome.caught_up)
    }

    /// Fires the timer, kills the process once it is in the middle of its work, and starts it again.
    async fn kill(&mut self) -> Result<(), String> {
        let before = self.delivered();
        self.ticks += 1;
        let invoked = self.handler.invoke();
        let in_the_middle = async {
            let (calls, _) = self.road.calls_and_rows(&self.simulator);
            for _ in 0..200 {
                if self.road.calls_and_rows(&self.simulator).0 > calls + 2 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = in_the_middle => {}
            _ = invoked => {}
        }
        self.handler.kill().await?;
        self.line(
            "the process is killed in the middle of its work, and started again",
            self.delivered() - before,
        );
        self.handler.restart(TimeDelta::zero()).await
    }

    /// Waits for an invocation while the progress bar moves.
    async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(100)) => self.progress.set_position(self.delivered()),
            }
        }
    }

    fn line(&mut self, what: &str, delivered: u64) {
        let ticks = match self.ticks - self.told {
            0 | 1 => format!("tick {}", self.ticks),
            _ => format!("ticks {}-{}", self.told + 1, self.ticks),
        };
        self.told = self.ticks;
        self.progress.suspend(|| {
            output::talk(format!(
                "  {ticks:11}  {what:75} {:>6} rows",
                number(delivered)
            ));
        });
    }

    fn delivered(&self) -> u64 {
        self.road.calls_and_rows(&self.simulator).1
    }
}
