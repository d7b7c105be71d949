//! This program as a child process, started and invoked as by the Functions host.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use simulator::Simulator;
use tokio::process::{Child, Command};

use crate::cli::simulated;
use crate::http::Transport;
use crate::model::IngestionApi;

const READY: Duration = Duration::from_secs(30);

pub(super) struct Handler {
    child: Child,
    port: u16,
    http: reqwest::Client,
    environment: BTreeMap<&'static str, String>,
}

impl Handler {
    /// Starts the handler against the simulators, its state in a folder.
    pub(super) async fn start(
        simulator: &Simulator,
        api: IngestionApi,
        state: &Path,
    ) -> Result<Self, String> {
        let mut environment = BTreeMap::from([
            ("CISCO_DUO_STATE_DIR", state.display().to_string()),
            // A day in seconds: no waiting for Duo's rate limit, and runs that end before everything is done.
            ("CISCO_DUO_CALLS_PER_MINUTE", "0".to_owned()),
            ("CISCO_DUO_RUN_SECONDS", "1".to_owned()),
            ("CISCO_DUO_PARK_SECONDS", "1".to_owned()),
        ]);
        environment.extend(simulated::settings(api, simulator));
        // A port that is free now; the host, too, assigns one before the handler listens on it.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let http = Transport::new().map_err(|error| error.to_string())?;
        let handler =
            Self { child: spawn(port, &environment)?, port, http: http.direct, environment };
        handler.ready().await?;
        Ok(handler)
    }

    /// Kills the process without a warning, as the platform does.
    pub(super) async fn kill(&mut self) -> Result<(), String> {
        let killed = self.child.kill().await;
        killed.map_err(|error| format!("the handler cannot be killed: {error}"))
    }

    /// Starts the handler again, on the same port, its clock ahead of this machine's.
    pub(super) async fn restart(&mut self, clock_ahead: TimeDelta) -> Result<(), String> {
        let seconds = clock_ahead.num_seconds().to_string();
        self.environment.insert("CISCO_DUO_DEMO_CLOCK_SECONDS", seconds);
        self.child = spawn(self.port, &self.environment)?;
        self.ready().await
    }

    /// Fires the timer; `true` when every log is caught up.
    pub(super) fn invoke(&self) -> impl Future<Output = Result<bool, String>> + use<> {
        let request = self
            .http
            .post(format!("http://127.0.0.1:{}/CiscoDuoTimer", self.port))
            .header("X-Azure-Functions-InvocationId", format!("{:032x}", fastrand::u128(..)))
            .header("Content-Type", "application/json; charset=utf-8")
            .body(r#"{"Data":{"myTimer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{}}"#);
        async move {
            let text = async { request.send().await?.text().await };
            let text = text.await.map_err(|error| format!("the handler: {error}"))?;
            let response: Value = serde_json::from_str(&text)
                .map_err(|error| format!("the handler's response: {error}"))?;
            let logs = response["ReturnValue"]["logs"].as_array();
            let logs = logs.ok_or("the handler's response names no logs")?;
            Ok(logs.iter().all(|log| log["outcome"] == "caught_up"))
        }
    }

    async fn ready(&self) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{}/", self.port);
        let ready = async {
            while self.http.get(&url).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        let ready = tokio::time::timeout(READY, ready).await;
        ready.map_err(|_| "the handler does not respond".to_owned())
    }
}

fn spawn(port: u16, environment: &BTreeMap<&'static str, String>) -> Result<Child, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    // Only what the demo sets: settings of a real account in this shell must not be used.
    command.env_clear();
    if cfg!(windows) {
        #[expect(
            clippy::disallowed_methods,
            reason = "no setting: Windows needs it to open a socket"
        )]
        command.envs(std::env::var("SystemRoot").map(|root| ("SystemRoot", root)));
    }
    command
        .arg("serve")
        .envs(environment)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the handler cannot be started: {error}"))
}
