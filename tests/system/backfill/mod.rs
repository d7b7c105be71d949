//! `backfill` on Azurite, beside a function app with the same state.

mod beside;
mod refused;
mod resumed;

use std::process::{Output, Stdio};

use crate::common::{
    Azurite, Container, FunctionsHost, Settings, accepted_rows, binary, duo_sentinel,
    temporary_folder,
};
use serde_json::Value;
use simulator::{Config, Simulator};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A tenant with five hours of events, and a state whose live log begins two hours ago: a backfill
/// ends with a whole hour behind the window delay, which may be more than an hour ago.
struct Scene {
    simulator: Simulator,
    settings: Settings,
    container: Container,
    rows: TempDir,
    folder: TempDir,
}

impl Scene {
    async fn new(container: &str, seed: u64, change: impl FnOnce(Config) -> Config) -> Self {
        let rows = temporary_folder();
        let config =
            Config { rows_dir: Some(rows.path().to_owned()), ..crate::common::tenant(seed, 300) };
        let simulator = Simulator::start(change(config)).await.unwrap();
        let azurite = Azurite::shared();
        let settings = Settings::in_storage(&simulator, &azurite.connection_string(), container)
            .with("CISCO_DUO_LOOKBACK_HOURS", "2");
        Self {
            simulator,
            settings,
            container: azurite.container(container),
            rows,
            folder: temporary_folder(),
        }
    }

    /// Runs the function until the live log has caught up.
    async fn catch_up_live(&self) {
        let mut host = FunctionsHost::start(&self.settings).await;
        host.catch_up(5).await;
        host.stop().await;
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let arguments = [&["backfill"], arguments].concat();
        duo_sentinel(&self.settings, self.folder.path(), &arguments).await
    }

    /// Runs a backfill that must succeed.
    async fn succeed(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        output
    }

    /// Runs a backfill that must fail before the first request to Duo, and returns its error text.
    async fn be_refused(&self, arguments: &[&str]) -> String {
        let before = self.simulator.counts().duo;
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
        assert_eq!(self.simulator.counts().duo, before, "{arguments:?}: a request reached Duo");
        stderr(&output)
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(binary());
        command.arg("backfill").args(arguments).current_dir(self.folder.path());
        command.env_clear().envs(self.settings.iter()).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The first hour of the tenant's events.
    fn from(&self) -> String {
        self.simulator.config().from.format("%Y-%m-%dT%H").to_string()
    }

    /// The accepted rows of a table.
    fn rows(&self, table: &str) -> Vec<Value> {
        accepted_rows(self.rows.path(), table)
    }

    /// Names of the stored checkpoints of backfills.
    async fn checkpoints(&self) -> Vec<String> {
        let blobs = self.container.list().await.into_iter();
        let names = blobs.map(|blob| blob.name);
        names.filter(|name| name.contains("/backfill/")).collect()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn parsed(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}
