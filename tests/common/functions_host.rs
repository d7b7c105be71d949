//! A minimal Functions host: starts the handler, fires its timer and evaluates its responses as
//! azure-functions-host does (`HttpWorkerProcess`, `DefaultHttpWorkerService`).

use std::net::TcpStream;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use simulator::{Config, Simulator};
use tempfile::TempDir;
use tokio::process::Command;

use super::child::{Child, Lines};
use super::response::Invocation;
use super::settings::Settings;
use super::tenant::assert_nothing_lost;
use super::timer::Body;
use super::{package, tools, wire};

/// How often and how long the host polls until the handler is ready.
const POLL_EVERY: Duration = Duration::from_millis(25);
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Exit code of a handler that the host restarts at once, without counting an error.
pub(crate) const RESTART: i32 = 200;

/// A tenant, a handler with its state in a folder, and the folder.
pub(crate) async fn running(config: Config) -> (Simulator, FunctionsHost, TempDir) {
    running_with(config, |settings, _| settings).await
}

/// Like [`running`], with changed settings.
pub(crate) async fn running_with(
    config: Config,
    change: impl FnOnce(Settings, &Simulator) -> Settings,
) -> (Simulator, FunctionsHost, TempDir) {
    let simulator = Simulator::start(config).await.expect("free ports");
    let state = tools::temporary_folder();
    let settings = change(Settings::in_folder(&simulator, state.path()), &simulator);
    (simulator, FunctionsHost::start(&settings).await, state)
}

/// A running function app.
#[derive(Debug)]
pub(crate) struct FunctionsHost {
    app: TempDir,
    function: String,
    binding: String,
    port: u16,
    settings: Settings,
    child: Child,
    stdout: Lines,
    stderr: Lines,
    /// Time until the handler responded after its last start.
    pub(crate) ready_after: Duration,
}

impl FunctionsHost {
    /// Creates the app's folder and starts the handler; returns when it is ready.
    pub(crate) async fn start(settings: &Settings) -> Self {
        Self::start_with_arguments(settings, &[]).await
    }

    /// Like [`Self::start`], with `customHandler.description.arguments` in host.json.
    pub(crate) async fn start_with_arguments(settings: &Settings, arguments: &[&str]) -> Self {
        let is_clock_set = settings.get("CISCO_DUO_DEMO_CLOCK_SECONDS").is_some();
        let app = package::stage(arguments, is_clock_set);
        let (function, binding) = package::timer_function(app.path());
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let port = free_port();
        let began = Instant::now();
        let child = spawn(app.path(), port, settings, &stdout, &stderr);
        let mut host = Self {
            app,
            function,
            binding,
            port,
            settings: settings.clone(),
            child,
            stdout,
            stderr,
            ready_after: Duration::ZERO,
        };
        host.wait_until_ready(began).await;
        host
    }

    /// The folder of the package, which is the handler's working folder.
    pub(crate) fn app_root(&self) -> &Path {
        self.app.path()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// URL of the handler. The host forwards requests with the function key unchanged.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Fires the timer and waits for the response.
    pub(crate) async fn fire(&self) -> Invocation {
        self.fire_with(Body::Timer).await
    }

    /// Fires the timer with the given body.
    pub(crate) async fn fire_with(&self, body: Body) -> Invocation {
        let fired = self.begin(body).await;
        fired.unwrap_or_else(|error| panic!("no response: {error}; stderr: {:#?}", self.stderr()))
    }

    /// Fires the timer, now or when awaited. Returns an error if the handler disconnects.
    pub(crate) fn begin(
        &self,
        body: Body,
    ) -> impl Future<Output = std::io::Result<Invocation>> + use<> {
        static INVOCATIONS: AtomicU64 = AtomicU64::new(1);
        let number = INVOCATIONS.fetch_add(1, Ordering::Relaxed);
        let id = format!("5f3c9d0e-3a2e-4f43-9a0c-{number:012x}");
        let body = body.bytes(&self.function, &self.binding);
        let (port, path) = (self.port, format!("/{}", self.function));
        async move {
            let headers = [
                ("X-Azure-Functions-InvocationId", id.as_str()),
                ("X-Azure-Functions-HostVersion", "4.1044.400.0"),
                ("User-Agent", "Azure-Functions-Host/4.1044.400.0"),
                ("Content-Type", "application/json; charset=utf-8"),
            ];
            let response = wire::post(port, &path, &headers, &body).await?;
            Ok(Invocation::evaluate(id, &response))
        }
    }

    /// Fires the timer until every log has caught up. Panics if an invocation fails or more than
    /// `ticks` invocations are needed.
    pub(crate) async fn catch_up(&self, ticks: u32) {
        for _ in 0..ticks {
            let invocation = self.fire().await;
            invocation.summary();
            if invocation.is_caught_up() {
                return;
            }
            // A log backs off for one second in these tests.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        panic!("not caught up after {ticks} ticks");
    }

    /// Catches up, then asserts that no event is lost and at most `duplicates` rows are duplicates.
    pub(crate) async fn deliver_all(&self, simulator: &Simulator, duplicates: u64) {
        self.catch_up(10).await;
        assert_nothing_lost(simulator, duplicates).await;
    }

    /// Like [`Self::deliver_all`], but stops the handler before the rows are counted.
    pub(crate) async fn finish(&mut self, simulator: &Simulator, duplicates: u64) {
        self.catch_up(10).await;
        self.stop().await;
        assert_nothing_lost(simulator, duplicates).await;
    }

    /// Kills the handler without warning, as the platform does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await;
    }

    /// Starts the handler again on the same port, as the host does after it has ended.
    pub(crate) async fn restart(&mut self) {
        let began = Instant::now();
        let app = self.app.path();
        self.child = spawn(app, self.port, &self.settings, &self.stdout, &self.stderr);
        self.wait_until_ready(began).await;
    }

    /// Sends `TERM` or `INT` without waiting for the process to end.
    pub(crate) async fn signal(&self, name: &str) {
        self.child.signal(name).await;
    }

    /// Waits until the handler has ended.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        self.child.wait().await
    }

    /// Peak memory of the handler in bytes; 0 if the system does not report it.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.child.peak_memory()
    }

    /// The exit status, if the handler has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.ended()
    }

    /// Sends SIGTERM and asserts the exit code on which the host restarts the handler.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM").await;
        let code = self.wait().await.code();
        assert_eq!(code, Some(RESTART), "{:#?}", self.stderr());
    }

    /// Lines on stdout, of all starts.
    pub(crate) fn stdout(&self) -> Vec<String> {
        self.stdout.all()
    }

    /// Lines on stderr, of all starts.
    pub(crate) fn stderr(&self) -> Vec<String> {
        self.stderr.all()
    }

    async fn wait_until_ready(&mut self, began: Instant) {
        // Any HTTP response will do; only a refused connection means "not ready".
        while wire::get(self.port, "/").await.is_err() {
            assert!(
                began.elapsed() < READY_WITHIN && self.child.ended().is_none(),
                "the handler is not ready: {:#?}",
                self.stderr()
            );
            tokio::time::sleep(POLL_EVERY).await;
        }
        self.ready_after = began.elapsed();
    }
}

fn spawn(app: &Path, port: u16, settings: &Settings, stdout: &Lines, stderr: &Lines) -> Child {
    let host = package::host(app);
    let description = &host["customHandler"]["description"];
    let executable =
        description["defaultExecutablePath"].as_str().expect("host.json names the handler");
    let arguments = description["arguments"].as_array().cloned().unwrap_or_default();
    let mut command = Command::new(app.join(executable));
    command
        .args(arguments.iter().map(|argument| argument.as_str().expect("arguments are strings")))
        .current_dir(app)
        .env_clear();
    for name in ["PATH", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let port = port.to_string();
    command
        .envs(settings.iter())
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", &port)
        .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", "e6a9c1f0-0d3c-4c4e-8f7e-2f6a1f6f2b11")
        .env("FUNCTIONS_APP_ROOT_PATH", app)
        .env("FUNCTIONS_HTTPWORKER_PORT", &port)
        .env("FUNCTIONS_HTTPWORKER_ID", "e6a9c1f0-0d3c-4c4e-8f7e-2f6a1f6f2b11");
    Child::start(&mut command, stdout, stderr)
}

/// A port that is free now, below the range of outgoing connections, so that no connection takes it
/// between two starts of a handler. Tested by connecting: a listener would stay open for a moment
/// in any process that another test starts at that time.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).expect("the number is small");
    (0..10_000)
        .map(|_| 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)
        .find(|port| TcpStream::connect(("127.0.0.1", *port)).is_err())
        .expect("one of ten thousand ports is free")
}
