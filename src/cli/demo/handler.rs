//! This program as a child process, started and spoken to as the Functions host does.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use simulator::Simulator;
use tokio::process::{Child, Command};

use crate::cli::road::Road;
use crate::http::Transport;

/// Longest wait for the handler to answer.
const READY: Duration = Duration::from_secs(30);

/// The running handler.
pub(super) struct Handler {
    child: Child,
    port: u16,
    http: reqwest::Client,
    environment: Vec<(&'static str, String)>,
}

/// How an invocation ended.
pub(super) struct Invoked {
    /// Whether every log is caught up.
    pub(super) caught_up: bool,
}

impl Handler {
    /// Starts the handler against the simulators, its state in a folder.
    pub(super) async fn start(
        simulator: &Simulator,
        road: Road,
        state: &Path,
    ) -> Result<Self, String> {
        let config = simulator.config();
        let mut environment = vec![
            ("CISCO_DUO_INTEGRATION_KEY", config.integration_key.clone()),
            ("CISCO_DUO_SECRET_KEY", config.secret_key.clone()),
            ("CISCO_DUO_API_HOSTNAME", simulator.duo_url()),
            ("CISCO_DUO_STATE_DIR", state.display().to_string()),
            // A day in seconds: no waiting for Duo's rate limit, and runs that end before everything is done.
            ("CISCO_DUO_CALLS_PER_MINUTE", "0".to_owned()),
            ("CISCO_DUO_RUN_SECONDS", "1".to_owned()),
            ("CISCO_DUO_PARK_SECONDS", "1".to_owned()),
        ];
        environment.extend(road.settings(simulator));
        // A port that is free now; the host, too, names one before the handler listens on it.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|fault| format!("no free port: {fault}"))?
            .port();
        let http = Transport::new()
            .map_err(|fault| fault.to_string())?
            .direct();
        let child = spawn(port, &environment)?;
        let handler = Self {
            child,
            port,
            http,
            environment,
        };
        handler.ready().await?;
        Ok(handler)
    }

    /// Kills the process, as the platform does, without a word before.
    pub(super) async fn kill(&mut self) -> Result<(), String> {
        self.child
            .kill()
            .await
            .map_err(|fault| format!("the handler cannot be killed: {fault}"))
    }

    /// Starts the handler again, on the same port, its clock as far ahead of this machine's.
    pub(super) async fn restart(&mut self, clock_ahead: TimeDelta) -> Result<(), String> {
        let name = "CISCO_DUO_DEMO_CLOCK_SECONDS";
        self.environment.retain(|(known, _)| *known != name);
        self.environment
            .push((name, clock_ahead.num_seconds().to_string()));
        self.child = spawn(self.port, &self.environment)?;
        self.ready().await
    }

    /// Ends the handler.
    pub(super) async fn stop(&mut self) -> Result<(), String> {
        self.kill().await
    }

    /// Fires the timer.
    pub(super) fn invoke(&self) -> impl Future<Output = Result<Invoked, String>> + use<> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            return_value: ReturnValue,
        }
        #[derive(Deserialize)]
        struct ReturnValue {
            logs: Vec<Log>,
        }
        #[derive(Deserialize)]
        struct Log {
            outcome: String,
        }
        let request = self
            .http
            .post(format!("http://127.0.0.1:{}/CiscoDuoTimer", self.port))
            .header("X-Azure-Functions-InvocationId", format!("{:032x}", fastrand::u128(..)))
            .header("Content-Type", "application/json; charset=utf-8")
            .body(r#"{"Data":{"myTimer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{}}"#);
        async move {
            let answer = request
                .send()
                .await
                .map_err(|fault| format!("the handler: {fault}"))?;
            let text = answer
                .text()
                .await
                .map_err(|fault| format!("the handler: {fault}"))?;
            let answer: Answer = serde_json::from_str(&text)
                .map_err(|fault| format!("the handler's answer: {fault}"))?;
            let caught_up = answer
                .return_value
                .logs
                .iter()
                .all(|log| log.outcome == "caught_up");
            Ok(Invoked { caught_up })
        }
    }

    async fn ready(&self) -> Result<(), String> {
        let asked = async {
            while self
                .http
                .get(format!("http://127.0.0.1:{}/", self.port))
                .send()
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        };
        tokio::time::timeout(READY, asked)
            .await
            .map_err(|_| "the handler does not answer".to_owned())
    }
}

fn spawn(port: u16, environment: &[(&'static str, String)]) -> Result<Child, String> {
    let program: PathBuf = std::env::current_exe().map_err(|fault| fault.to_string())?;
    let mut command = Command::new(program);
    // Only what the demo sets: a real account's settings in this shell must not be used.
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
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|fault| format!("the handler cannot be started: {fault}"))
}
