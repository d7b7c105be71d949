//! A proxy in front of a service: counts requests and makes some of them fail. Works on bytes, so
//! that a response can be truncated anywhere.

mod errors;
mod request;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use simulator::Simulator;

use super::{Azurite, Container, Settings, tenant};
pub(crate) use errors::{Failure, StorageFault};
use request::Request;

/// Requests and failures at a proxy.
#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    fault: Option<StorageFault>,
    /// Method and path of the first request that failed, and the number of failed requests.
    failed: Option<String>,
    failed_count: u64,
}

/// A listening proxy; it closes when dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    seen: Arc<Mutex<Seen>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy for the service at `address`: `http://127.0.0.1:PORT` with any path.
    pub(crate) async fn to(address: &str) -> Self {
        let upstream = authority(address).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("the listener is bound").port();
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = Arc::clone(&seen);
        let listening = tokio::spawn(async move {
            // Requests end with their proxy.
            let mut requests = tokio::task::JoinSet::new();
            while let Ok((caller, _)) = listener.accept().await {
                let (upstream, seen) = (upstream.clone(), Arc::clone(&shared));
                requests.spawn(async move { pass(caller, &upstream, &seen).await });
                while requests.try_join_next().is_some() {}
            }
        });
        Self { port, seen, listening }
    }

    /// `address` with the proxy's authority in place of the service's.
    pub(crate) fn instead_of(&self, address: &str) -> String {
        address.replace(authority(address), &format!("127.0.0.1:{}", self.port))
    }

    /// Starts this fault; it replaces an earlier one.
    pub(crate) fn begin(&self, fault: StorageFault) {
        let mut seen = lock(&self.seen);
        (seen.fault, seen.failed, seen.failed_count) = (Some(fault), None, 0);
    }

    /// Ends the fault.
    pub(crate) fn end(&self) {
        lock(&self.seen).fault = None;
    }

    /// Number of requests received.
    pub(crate) fn requests(&self) -> u64 {
        lock(&self.seen).requests
    }

    /// Method and path of the first request that failed, if any.
    pub(crate) fn failed(&self) -> Option<String> {
        lock(&self.seen).failed.clone()
    }

    /// Number of requests that failed.
    pub(crate) fn failed_count(&self) -> u64 {
        lock(&self.seen).failed_count
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// `HOST:PORT` of an address.
fn authority(address: &str) -> &str {
    let behind = address.split_once("://").map_or(address, |(_, rest)| rest);
    behind.split('/').next().unwrap_or_default()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forwards one request, or makes it fail.
async fn pass(mut caller: TcpStream, upstream: &str, seen: &Mutex<Seen>) -> io::Result<()> {
    let Some(request) = Request::read(&mut caller).await? else {
        // A connection that was opened and not used.
        return Ok(());
    };
    let failure = {
        let mut seen = lock(seen);
        seen.requests += 1;
        let name = request.name();
        let failure = seen.fault.as_mut().and_then(|fault| fault.apply(&name));
        if failure.is_some() {
            seen.failed_count += 1;
            seen.failed.get_or_insert(name);
        }
        failure
    };
    match failure {
        None => caller.write_all(&request.ask(upstream).await?).await,
        Some(Failure::Closed) => Ok(()),
        Some(Failure::Truncated) => {
            let response = request.ask(upstream).await?;
            caller.write_all(&response[..request::middle(&response)]).await
        }
        Some(Failure::Status(status)) => {
            let response = format!(
                "HTTP/1.1 {status} Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            caller.write_all(response.as_bytes()).await
        }
        Some(Failure::Intercepted(status)) => {
            caller.write_all(errors::page(status).as_bytes()).await
        }
        Some(Failure::Storage(status, code)) => {
            caller.write_all(errors::refusal(status, code).as_bytes()).await
        }
        Some(Failure::ResponseLost) => request.ask(upstream).await.map(drop),
        Some(Failure::Hang) => caller.read(&mut [0]).await.map(drop),
        Some(Failure::Slow(pause)) => {
            tokio::time::sleep(pause).await;
            caller.write_all(&request.ask(upstream).await?).await
        }
    }
}

/// A tenant, its storage, and a proxy between the storage and the program.
pub(crate) struct Proxied {
    pub(crate) simulator: Simulator,
    pub(crate) proxy: Proxy,
    pub(crate) container: Container,
    pub(crate) settings: Settings,
}

impl Proxied {
    /// A tenant with `events` events per log.
    pub(crate) async fn new(seed: u64, events: u64, name: &str) -> Self {
        let simulator = Simulator::start(tenant(seed, events)).await.expect("free ports");
        let azurite = Azurite::shared();
        let proxy = Proxy::to(&azurite.endpoint()).await;
        let connection = proxy.instead_of(&azurite.connection_string());
        let settings = Settings::in_storage(&simulator, &connection, name);
        Self { simulator, proxy, container: azurite.container(name), settings }
    }
}
