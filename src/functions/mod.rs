//! The server that the Functions host talks to.
//!
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

mod answer;
mod invocation;
mod lines;
mod status;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::Utc;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info, info_span};

use crate::collector::Collector;
use crate::diagnostics::Hourly;
use crate::logging::LogEvent;
use crate::model::Millis;
use crate::release;
use answer::Answer;

pub use invocation::Invocation;
use lines::tell;

/// How long requests in flight may take to end once the process was asked to.
const DRAIN: Duration = Duration::from_secs(35);

/// Makes the collector, or says in one line why there is none. The server stays up and says so with each invocation, because
/// a handler that exits takes the host down with it; and tries again with the next one: what was missing may have come.
pub type Start = Box<dyn Fn() -> Result<Collector, String> + Send + Sync>;

/// What the server needs.
struct App {
    /// Makes the collector.
    start: Start,
    /// The collector, once there is one.
    collector: OnceLock<Collector>,
    /// Held by the run that is at work.
    running: Arc<Mutex<()>>,
    /// When everything was last looked at.
    hourly: Hourly,
    /// The last answer about how the logs fare.
    status: status::Kept,
    interrupt: CancellationToken,
}

/// Listens on the loopback port that the host names. The host uses the same port again after a restart of this
/// process, so it is bound even while connections of the process before linger.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(64)
}

/// Serves invocations until `shutdown`, then lets the run at work end at its next commit.
pub async fn serve(
    listener: TcpListener,
    start: Start,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let interrupt = CancellationToken::new();
    let app = App {
        start,
        collector: OnceLock::new(),
        running: Arc::new(Mutex::new(())),
        hourly: Hourly::default(),
        status: status::Kept::default(),
        interrupt: interrupt.clone(),
    };
    if let Err(fault) = app.collector() {
        error!(event = %LogEvent::Settings, "{fault}");
    }
    let asked_to_end = interrupt.clone();
    let server = axum::serve(listener, router(Arc::new(app))).with_graceful_shutdown(async move {
        shutdown.await;
        info!(event = %LogEvent::Ending, "asked to end; the run at work ends at its next commit");
        asked_to_end.cancel();
    });
    tokio::select! {
        ended = async { server.await } => ended,
        () = async { interrupt.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        // Asked every 25 ms until it answers, and later as a sign of life: no work here.
        .route(
            "/",
            get(async || format!("duo-sentinel {}\n", release::VERSION)),
        )
        .route("/CiscoDuoTimer", post(timer))
        // The host forwards the request as it came, with the path that people see.
        .route("/api/CiscoDuoStatus", get(status::status))
        // It compares paths without regard to case and to a slash at the end.
        .route("/{prefix}/{name}", get(named).fallback(unknown_function))
        .route("/{prefix}/{name}/", get(named).fallback(unknown_function))
        .fallback(unknown_function)
        .with_state(app)
}

async fn timer(State(app): State<Arc<App>>, request: Request) -> Response {
    let invocation = Invocation::read(request).await;
    let span = info_span!("invocation", invocation_id = %invocation.id);
    // A task of its own: a host that gives up waiting must not break the run off in the middle of a page.
    let run = tokio::spawn(async move { app.invoke(&invocation).await }.instrument(span));
    run.await
        .unwrap_or_else(|_| Answer::failed("the invocation broke off by a fault of this program"))
        .into_response()
}

async fn named(app: State<Arc<App>>, query: RawQuery, request: Request) -> Response {
    let path = request.uri().path().trim_end_matches('/');
    if path.eq_ignore_ascii_case("/api/CiscoDuoStatus") {
        return status::status(app, query).await;
    }
    unknown_function(request).await
}

async fn unknown_function(request: Request) -> Response {
    let path: String = request
        .uri()
        .path()
        .chars()
        .filter(|char| !char.is_control())
        .take(100)
        .collect();
    error!(
        event = %LogEvent::UnknownFunction,
        path,
        "no such function; this package has CiscoDuoTimer and CiscoDuoStatus"
    );
    (StatusCode::NOT_FOUND, Answer::failed("no such function")).into_response()
}

impl App {
    fn collector(&self) -> Result<&Collector, String> {
        if let Some(collector) = self.collector.get() {
            return Ok(collector);
        }
        let collector = (self.start)()?;
        Ok(self.collector.get_or_init(|| collector))
    }

    async fn invoke(&self, invocation: &Invocation) -> Answer {
        let collector = match self.collector() {
            Ok(collector) => collector,
            Err(fault) => {
                error!(event = %LogEvent::Settings, "{fault}");
                return Answer::failed(&fault);
            }
        };
        let Ok(_running) = Arc::clone(&self.running).try_lock_owned() else {
            info!(event = %LogEvent::AlreadyRunning, "already running; this invocation does nothing");
            return Answer::already_running();
        };
        if invocation.is_past_due {
            info!(event = %LogEvent::PastDue, "past due: the host missed ticks before this one");
        }
        let report = collector.run(&self.interrupt).await;
        tell(&report);
        #[expect(clippy::disallowed_methods, reason = "the check begins here")]
        let now = Millis::from(Utc::now()) + collector.settings().clock_offset;
        tokio::select! {
            () = self.hourly.check(collector, now) => {}
            () = self.interrupt.cancelled() => {}
        }
        Answer::of_run(&report)
    }
}
