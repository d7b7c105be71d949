//! `demo`: the main job with no account. A simulated Duo and Azure Monitor, and between them this very program as
//! the Functions host runs it, with everything that goes wrong in a bad week.

mod handler;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use chrono::{TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use simulator::{Config, Fault, FaultKind, LogType, Simulator, Target};

use super::output::{self, number};
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
}

/// Ticks after which the demo gives up: a killed process that cannot be proved gone is waited for.
const MOST_TICKS: u32 = 200;
/// What an answer of the simulated Duo takes.
const DUO_LATENCY: Duration = Duration::from_millis(60);
/// What an answer of the simulated Azure Monitor takes.
const AZURE_LATENCY: Duration = Duration::from_millis(30);
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
    match Demo::new(arguments).await {
        Ok(mut demo) => match demo.play().await {
            Ok(complete) => u8::from(!complete),
            Err(fault) => failed(&fault),
        },
        Err(fault) => failed(&fault),
    }
}

fn failed(fault: &str) -> u8 {
    output::error(fault, None);
    super::FAILED
}

struct Demo {
    simulator: Simulator,
    handler: Handler,
    progress: ProgressBar,
    rows: PathBuf,
    state: PathBuf,
    ticks: u32,
}

impl Demo {
    async fn new(arguments: &Arguments) -> Result<Self, String> {
        let folder = &arguments.folder;
        prepare(folder).map_err(|fault| format!("{} cannot be used: {fault}", folder.display()))?;
        let (rows, state) = (folder.join("rows"), folder.join("state"));
        #[expect(clippy::disallowed_methods, reason = "the simulated day ends now")]
        let now = Utc::now();
        let config = Config {
            seed: arguments.seed,
            volumes: SHARES
                .map(|(log, share)| (log, (arguments.events * share / 1000).max(1)))
                .into(),
            from: now - TimeDelta::hours(23),
            to: now - TimeDelta::minutes(10),
            duo_latency: DUO_LATENCY,
            log_analytics_latency: AZURE_LATENCY,
            rows_dir: Some(rows.clone()),
            ..Config::default()
        };
        let events: u64 = config.volumes.values().sum();
        let simulator = Simulator::start(config)
            .await
            .map_err(|fault| format!("the simulators: {fault}"))?;
        let handler = Handler::start(&simulator, &state).await?;
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
            handler,
            progress,
            rows,
            state,
            ticks: 0,
        })
    }

    /// Plays the bad week and tells how it went; `true` when nothing was lost.
    async fn play(&mut self) -> Result<bool, String> {
        self.tick("all is well").await?;
        self.spoil_duo();
        self.tick("Duo: too many requests, a server error, an answer cut off")
            .await?;
        self.spoil_azure();
        self.tick("Azure Monitor: takes a call but its answer is lost; unavailable")
            .await?;
        self.kill().await?;
        let before = self.delivered();
        while !self.tick("").await? {
            if self.ticks > MOST_TICKS {
                return Err("the logs never caught up".to_owned());
            }
        }
        self.line(
            "all is well again, until every log is caught up",
            self.delivered() - before,
        );
        self.handler.stop().await?;
        self.progress.finish_and_clear();
        Ok(self.tell().await)
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
        faults.push(Fault::once(Target::LogAnalytics, FaultKind::AnswerLost).after(1));
        faults.push(Fault::once(Target::LogAnalytics, FaultKind::Status(503)).after(1));
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
            let calls = self.simulator.calls().log_analytics.requests;
            for _ in 0..200 {
                if self.simulator.calls().log_analytics.requests > calls + 2 {
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
        self.handler.restart().await
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

    fn line(&self, what: &str, delivered: u64) {
        self.progress.suspend(|| {
            output::talk(format!(
                "  tick {:2}  {what:72} {:>7} rows",
                self.ticks,
                number(delivered)
            ));
        });
    }

    fn delivered(&self) -> u64 {
        self.simulator.calls().log_analytics.rows.values().sum()
    }

    /// The numbers that matter.
    async fn tell(&self) -> bool {
        let report = self.simulator.report().await;
        let mut rows: Vec<[String; 5]> = Vec::new();
        let mut row = |name: &str, counts: [u64; 4]| {
            let [shown, delivered, twice, lost] = counts.map(number);
            rows.push([name.to_owned(), shown, delivered, twice, lost]);
        };
        for (log, counts) in &report.logs {
            row(
                log.name(),
                [
                    counts.shown,
                    counts.delivered,
                    counts.duplicates,
                    counts.missing,
                ],
            );
        }
        row(
            "total",
            [
                report.shown(),
                report.delivered(),
                report.duplicates(),
                report.missing(),
            ],
        );
        output::data(format!(
            "\n{}",
            output::table(
                ["log", "events in Duo", "delivered", "repeated", "lost"],
                rows,
                1
            )
        ));
        output::data(format!("\nlost {}", number(report.missing())));
        if report.duplicates() > 0 {
            output::data(format!(
                "{} rows were sent again after the lost answer and the kill; they carry the\n\
                 same event_uid, so that queries can tell them",
                number(report.duplicates())
            ));
        }
        for problem in &report.first_problems {
            output::data(format!("altered: {problem}"));
        }
        output::data(format!(
            "rows   {}",
            self.rows.join("CiscoDuo_CL.ndjson").display()
        ));
        output::data(format!("state  {}", self.state.display()));
        report.is_complete()
    }
}

/// Left in the folder of a demo, so that the next one knows what it may replace.
const MARK: &str = "made-by-duo-sentinel-demo";

/// Empties the folder of an earlier demo, or makes a new one; anything else in the way stays as it is.
fn prepare(folder: &Path) -> io::Result<()> {
    let is_ours = folder.join(MARK).exists();
    for part in [folder.join("rows"), folder.join("state")] {
        if part.exists() && !is_ours {
            let fault = format!(
                "{} is there and not of a demo; give another --folder",
                part.display()
            );
            return Err(io::Error::other(fault));
        }
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
    }
    fs::write(folder.join(MARK), "")
}
