use std::future::pending;

#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::collector::Collector;
use crate::functions;
use crate::logging::LogEvent;
use crate::release;
use crate::settings::{Environment, Settings};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// Loopback port to listen on [default: the one that the Functions host assigns]
    #[arg(long)]
    port: Option<u16>,
}

/// Variables with the port from the Functions host, the newer one first.
const PORT_NAMES: [&str; 2] = ["FUNCTIONS_CUSTOMHANDLER_PORT", "FUNCTIONS_HTTPWORKER_PORT"];

/// Exit code after a signal, so that the Functions host restarts the handler; after 0 it would not.
const RESTART: u8 = 200;

pub(super) async fn serve(arguments: &Arguments) -> u8 {
    let environment = Environment::of_process();
    let assigned = PORT_NAMES.iter().find_map(|name| environment.get(name));
    let Some(port) = arguments.port.or_else(|| assigned?.parse().ok()) else {
        super::output::error(
            "no port to listen on: FUNCTIONS_CUSTOMHANDLER_PORT is not set",
            Some(
                "the Functions host sets it (\"func start\"); use \"duo-sentinel run\" to collect once, or give --port",
            ),
        );
        return super::USAGE;
    };
    // Listen first: the host waits for the port, and shows errors reported afterwards.
    let listener = match functions::listen(port) {
        Ok(listener) => listener,
        Err(error) => {
            error!(event = %LogEvent::PortInUse, "cannot listen on 127.0.0.1:{port}: {error}");
            return super::FAILED;
        }
    };
    let settings = Settings::read(&environment).map_err(|errors| errors.one_line());
    if let Ok(settings) = &settings {
        let logs = settings.log_types.iter().map(|log| log.as_str());
        info!(event = %LogEvent::Ready, port, logs = logs.collect::<Vec<_>>().join(","), "ready");
    }
    // In the background, so that the host does not wait.
    tokio::task::spawn_blocking(|| {
        let (version, sha256) = (release::VERSION, release::sha256().unwrap_or("unknown"));
        info!(event = %LogEvent::Startup, version, sha256, "startup");
    });
    let start = move || {
        Collector::new(settings.clone()?)
            .map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
    };
    match functions::serve(listener, Box::new(start), shutdown_requested()).await {
        Ok(()) if environment.get(PORT_NAMES[0]).is_some() => RESTART,
        Ok(()) => 0,
        Err(error) => {
            error!(event = %LogEvent::ServerEnded, "the server ended: {error}");
            super::FAILED
        }
    }
}

/// Runs `work`. On a shutdown request, calls `report`; the work ends at its next commit.
pub(super) async fn until_shutdown<T>(
    work: impl Future<Output = T>,
    shutdown: &CancellationToken,
    report: impl FnOnce(),
) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => done,
        () = shutdown_requested() => {
            report();
            shutdown.cancel();
            work.await
        }
    }
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn shutdown_requested() {
    let terminate = async {
        #[cfg(unix)]
        if let Ok(mut signal) = signal(SignalKind::terminate()) {
            signal.recv().await;
            return;
        }
        pending::<()>().await;
    };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
