//! A minimal Functions host for a custom handler: starts the program on a port, fires its timer,
//! and kills it without warning, as the platform does.
//!
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use bytes::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// Polling interval; the real host polls every 25 ms.
const POLL_EVERY: Duration = Duration::from_micros(500);
const TIMER: &str = r#"{"Data":{"myTimer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{}}"#;

/// A program that runs as a custom handler. Dropping it kills the program.
#[derive(Debug)]
pub struct FunctionsHost {
    program: PathBuf,
    environment: BTreeMap<String, String>,
    port: u16,
    child: Child,
}

impl FunctionsHost {
    /// Starts the program with only this environment; returns when it responds.
    pub async fn start(
        program: impl Into<PathBuf>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        // A port that is free now; the real host also selects one before the handler listens on it.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let program = program.into();
        let mut environment: BTreeMap<_, _> = environment.into_iter().collect();
        environment.insert("FUNCTIONS_CUSTOMHANDLER_PORT".to_owned(), port.to_string());
        let child = spawn(&program, &environment)?;
        let mut host = Self { program, environment, port, child };
        host.ready().await?;
        Ok(host)
    }

    /// The process id of the program while it runs.
    pub fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills the program.
    pub async fn kill(&mut self) -> Result<(), String> {
        self.child.kill().await.map_err(|error| format!("the handler cannot be killed: {error}"))
    }

    /// Starts the program again on the same port, with one setting added.
    pub async fn restart_with(&mut self, name: &str, value: String) -> Result<(), String> {
        self.environment.insert(name.to_owned(), value);
        self.child = spawn(&self.program, &self.environment)?;
        self.ready().await
    }

    /// Fires the timer and returns the response.
    pub async fn fire(&self) -> Result<Value, String> {
        self.json(Method::POST, "/CiscoDuoTimer", TIMER).await
    }

    /// Requests the status as JSON.
    pub async fn status(&self) -> Result<Value, String> {
        self.json(Method::GET, "/api/CiscoDuoStatus?format=json", "").await
    }

    async fn json(&self, method: Method, path: &str, body: &'static str) -> Result<Value, String> {
        let response = self.request(method, path, body).await;
        let response = response.map_err(|error| format!("the handler: {error}"))?;
        serde_json::from_slice(&response)
            .map_err(|error| format!("the handler's response: {error}"))
    }

    async fn ready(&mut self) -> Result<(), String> {
        let ready = async {
            while self.request(Method::GET, "/", "").await.is_err() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("the handler ended: {status}"));
                }
                sleep(POLL_EVERY).await;
            }
            Ok(())
        };
        timeout(READY_WITHIN, ready).await.map_err(|_| "the handler does not respond".to_owned())?
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: &'static str,
    ) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
        static REQUESTS: AtomicU64 = AtomicU64::new(1);
        let id = uuid::Uuid::from_u128(REQUESTS.fetch_add(1, Ordering::Relaxed).into());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", format!("127.0.0.1:{}", self.port))
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Azure-Functions-InvocationId", id.to_string())
            .body(Body::from(body))?;
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        Ok(to_bytes(Body::new(response.into_body()), usize::MAX).await?)
    }
}

fn spawn(program: &Path, environment: &BTreeMap<String, String>) -> Result<Child, String> {
    let mut command = Command::new(program);
    // Settings of a real account in this shell must not be used.
    command.env_clear();
    if cfg!(windows) {
        #[expect(clippy::disallowed_methods, reason = "Windows needs it to open a socket")]
        command.envs(std::env::var("SystemRoot").map(|root| ("SystemRoot", root)));
    }
    command
        .arg("serve")
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the handler cannot be started: {error}"))
}
