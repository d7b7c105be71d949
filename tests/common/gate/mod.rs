//! A gate in front of a service: it counts the calls that pass, and spoils some of the calls.
//! Byte by byte, so that an answer can be cut anywhere.

mod call;
mod errors;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use simulator::Simulator;

use super::{Azurite, Container, Settings, tenant};
use call::Call;
pub(crate) use errors::{Spoil, StorageFault};

/// What happened at a gate.
#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    trouble: Option<StorageFault>,
    /// Method and path of the first call that was spoilt, and how many were.
    spoilt: Option<String>,
    struck: u64,
}

/// A listening gate; it closes when dropped.
#[derive(Debug)]
pub(crate) struct Gate {
    port: u16,
    seen: Arc<Mutex<Seen>>,
    listening: JoinHandle<()>,
}

impl Gate {
    /// Opens a gate to a service at this address, `http://127.0.0.1:PORT` with anything behind it.
    pub(crate) async fn to(address: &str) -> Self {
        let upstream = authority(address).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = Arc::clone(&seen);
        let listening = tokio::spawn(async move {
            // Calls end with their gate.
            let mut calls = tokio::task::JoinSet::new();
            while let Ok((caller, _)) = listener.accept().await {
                let (upstream, seen) = (upstream.clone(), Arc::clone(&shared));
                calls.spawn(async move { pass(caller, &upstream, &seen).await });
                while calls.try_join_next().is_some() {}
            }
        });
        Self { port, seen, listening }
    }

    /// Where the gate is, in place of the address of its service.
    pub(crate) fn instead_of(&self, address: &str) -> String {
        address.replace(authority(address), &format!("127.0.0.1:{}", self.port))
    }

    /// Begins this trouble; what was before is over.
    pub(crate) fn begin(&self, trouble: StorageFault) {
        let mut seen = lock(&self.seen);
        (seen.trouble, seen.spoilt, seen.struck) = (Some(trouble), None, 0);
    }

    /// Ends the trouble.
    pub(crate) fn end(&self) {
        lock(&self.seen).trouble = None;
    }

    /// Calls that came.
    pub(crate) fn calls(&self) -> u64 {
        lock(&self.seen).calls
    }

    /// Method and path of the first call that the trouble met, if one came.
    pub(crate) fn spoilt(&self) -> Option<String> {
        lock(&self.seen).spoilt.clone()
    }

    /// How many calls the trouble met.
    pub(crate) fn struck(&self) -> u64 {
        lock(&self.seen).struck
    }
}

impl Drop for Gate {
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

/// Lets one call pass, or not.
async fn pass(mut caller: TcpStream, upstream: &str, seen: &Mutex<Seen>) -> io::Result<()> {
    let Some(call) = Call::read(&mut caller).await? else {
        // A connection that was opened and not used.
        return Ok(());
    };
    let spoil = {
        let mut seen = lock(seen);
        seen.calls += 1;
        let name = call.name();
        let spoil = seen.trouble.as_mut().and_then(|trouble| trouble.strike(&name));
        if spoil.is_some() {
            seen.struck += 1;
            seen.spoilt.get_or_insert(name);
        }
        spoil
    };
    match spoil {
        None => caller.write_all(&call.ask(upstream).await?).await,
        Some(Spoil::Closed) => Ok(()),
        Some(Spoil::Cut) => {
            let answer = call.ask(upstream).await?;
            caller.write_all(&answer[..call::middle(&answer)]).await
        }
        Some(Spoil::Status(status)) => {
            let answer = format!(
                "HTTP/1.1 {status} Spoilt\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            caller.write_all(answer.as_bytes()).await
        }
        Some(Spoil::Storage(status, code)) => {
            caller.write_all(errors::refusal(status, code).as_bytes()).await
        }
        Some(Spoil::ResponseLost) => call.ask(upstream).await.map(drop),
        Some(Spoil::Hang) => caller.read(&mut [0]).await.map(drop),
        Some(Spoil::Slow(pause)) => {
            tokio::time::sleep(pause).await;
            caller.write_all(&call.ask(upstream).await?).await
        }
    }
}

/// A tenant, its storage, and a gate between the storage and the program.
pub(crate) struct Gated {
    pub(crate) simulator: Simulator,
    pub(crate) gate: Gate,
    pub(crate) container: Container,
    pub(crate) settings: Settings,
}

impl Gated {
    /// A tenant with so many events of each log.
    pub(crate) async fn new(seed: u64, events: u64, name: &str) -> Self {
        let simulator = Simulator::start(tenant(seed, events)).await.expect("free ports");
        let azurite = Azurite::shared();
        let gate = Gate::to(&azurite.endpoint()).await;
        let connection = gate.instead_of(&azurite.connection_string());
        let settings = Settings::in_storage(&simulator, &connection, name);
        Self { simulator, gate, container: azurite.container(name), settings }
    }
}
