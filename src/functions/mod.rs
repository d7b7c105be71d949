//! The HTTP server for the Functions host.
//!
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

mod invocation;
mod lines;
mod response;
mod status;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info, info_span};

use crate::collector::Collector;
use crate::diagnostics::Hourly;
use crate::logging::LogEvent;
use crate::release;
use lines::log_report;
use response::InvocationResponse;

pub use invocation::Invocation;

/// Time limit for requests in flight after a shutdown request.
const DRAIN: Duration = Duration::from_secs(35);

/// Builds the collector, or returns the error in one line. Each invocation retries and reports it;
/// the server stays up, because a handler that exits takes the host down with it.
pub(crate) type Start = Box<dyn Fn() -> Result<Collector, String> + Send + Sync>;

struct App {
    start: Start,
    /// Empty until `start` succeeds.
    collector: OnceLock<Collector>,
    running: Mutex<()>,
    hourly: Hourly,
    status: status::StatusCache,
    shutdown: CancellationToken,
}

/// Listens on the loopback port that the host assigned. The host reuses the port after a restart,
/// so it is bound even while connections of the previous process linger.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(64)
}

/// Serves invocations until `shutdown`; the active run then ends at its next commit.
pub(crate) async fn serve(
    listener: TcpListener,
    start: Start,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let token = CancellationToken::new();
    let app = App {
        start,
        collector: OnceLock::new(),
        running: Mutex::default(),
        hourly: Hourly::default(),
        status: status::StatusCache::default(),
        shutdown: token.clone(),
    };
    if let Err(error) = app.collector() {
        error!(event = %LogEvent::Settings, "{error}");
    }
    let requested = token.clone();
    let server = axum::serve(listener, router(Arc::new(app))).with_graceful_shutdown(async move {
        shutdown.await;
        info!(event = %LogEvent::Shutdown, "shutdown requested; the active run ends at its next commit");
        requested.cancel();
    });
    tokio::select! {
        ended = async { server.await } => ended,
        () = async { token.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        // The host's liveness probe, every 25 ms until the first response: does no work.
        .route("/", get(async || format!("duo-sentinel {}\n", release::VERSION)))
        .route("/CiscoDuoTimer", post(timer))
        .fallback(by_path)
        .with_state(app)
}

async fn timer(State(app): State<Arc<App>>, request: Request) -> InvocationResponse {
    let invocation = Invocation::read(request).await;
    let span = info_span!("invocation", invocation_id = %invocation.id);
    // In its own task: a host that stops waiting must not interrupt the run within a page.
    let run = tokio::spawn(async move { app.invoke(&invocation).await }.instrument(span));
    run.await.unwrap_or_else(|_| failed("an internal error ended the invocation"))
}

/// Serves the status page. Like the host, ignores case and a final slash in the path.
async fn by_path(State(app): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path().trim_end_matches('/');
    if path.eq_ignore_ascii_case("/api/CiscoDuoStatus") {
        let query = request.uri().query().unwrap_or_default();
        return match *request.method() {
            Method::GET | Method::HEAD => status::status(&app, query).await,
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response(),
        };
    }
    let path = path.chars().filter(|char| !char.is_control()).take(100);
    error!(
        event = %LogEvent::UnknownFunction,
        path = path.collect::<String>(),
        "no such function; this package has CiscoDuoTimer and CiscoDuoStatus"
    );
    response::failed(StatusCode::NOT_FOUND, "no such function").into_response()
}

fn failed(reason: &str) -> InvocationResponse {
    response::failed(StatusCode::INTERNAL_SERVER_ERROR, reason)
}

impl App {
    fn collector(&self) -> Result<&Collector, String> {
        if let Some(collector) = self.collector.get() {
            return Ok(collector);
        }
        let collector = (self.start)()?;
        Ok(self.collector.get_or_init(|| collector))
    }

    async fn invoke(&self, invocation: &Invocation) -> InvocationResponse {
        let collector = match self.collector() {
            Ok(collector) => collector,
            Err(error) => {
                error!(event = %LogEvent::Settings, "{error}");
                return failed(&error);
            }
        };
        let Ok(_running) = self.running.try_lock() else {
            info!(event = %LogEvent::AlreadyRunning, "already running; this invocation does nothing");
            return response::already_running();
        };
        if invocation.is_past_due {
            info!(event = %LogEvent::PastDue, "past due: the host missed ticks before this one");
        }
        let report = collector.run(&self.shutdown).await;
        log_report(&report);
        tokio::select! {
            () = self.hourly.check(collector) => {}
            () = self.shutdown.cancelled() => {}
        }
        response::of_run(&report)
    }
}
