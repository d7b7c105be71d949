//! A gate in front of a service: it counts the calls that pass, and spoils one of them. Byte by byte, so that an answer
//! can be cut anywhere.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// The connection is closed before the service hears of the call.
    Closed,
    /// The service did what was asked; the connection is closed in the middle of its answer.
    Cut,
    /// This status instead of an answer; the service does not hear of the call.
    Status(u16),
    /// The service did what was asked; its answer is lost.
    AnswerLost,
    /// No answer, for as long as the caller waits.
    Hang,
}

/// What happened at a gate.
#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    /// The call to spoil, by its number from 1.
    spoil: Option<(u64, Spoil)>,
    /// Method and path of the call that was spoilt.
    spoilt: Option<String>,
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
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
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
        Self {
            port,
            seen,
            listening,
        }
    }

    /// Where the gate is, in place of the address of its service.
    pub(crate) fn instead_of(&self, address: &str) -> String {
        address.replace(authority(address), &format!("127.0.0.1:{}", self.port))
    }

    /// Spoils a call, by its number from 1.
    pub(crate) fn spoil(&self, call: u64, spoil: Spoil) {
        lock(&self.seen).spoil = Some((call, spoil));
    }

    /// Calls that came.
    pub(crate) fn calls(&self) -> u64 {
        lock(&self.seen).calls
    }

    /// Method and path of the call that was spoilt, if it came.
    pub(crate) fn spoilt(&self) -> Option<String> {
        lock(&self.seen).spoilt.clone()
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
    let Some(request) = read_request(&mut caller).await? else {
        // A connection that was opened and not used.
        return Ok(());
    };
    let spoil = {
        let mut seen = lock(seen);
        seen.calls += 1;
        let calls = seen.calls;
        let spoil = seen.spoil.take_if(|(call, _)| *call == calls);
        if spoil.is_some() {
            let mut words = request.head.split([' ', '?']);
            let (method, path) = (words.next(), words.next());
            seen.spoilt = Some([method, path].map(Option::unwrap_or_default).join(" "));
        }
        spoil.map(|(_, spoil)| spoil)
    };
    match spoil {
        None => caller.write_all(&request.ask(upstream).await?).await,
        Some(Spoil::Closed) => Ok(()),
        Some(Spoil::Cut) => {
            let answer = request.ask(upstream).await?;
            caller.write_all(&answer[..middle(&answer)]).await
        }
        Some(Spoil::Status(status)) => {
            let answer = format!(
                "HTTP/1.1 {status} Spoilt\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            caller.write_all(answer.as_bytes()).await
        }
        Some(Spoil::AnswerLost) => request.ask(upstream).await.map(drop),
        Some(Spoil::Hang) => caller.read(&mut [0]).await.map(drop),
    }
}

/// A call as it came.
struct Request {
    head: String,
    body: Vec<u8>,
}

async fn read_request(caller: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = head_end(&bytes) {
            break end;
        }
        if caller.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut body = bytes.split_off(end);
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    assert_eq!(header("transfer-encoding"), None, "a body in chunks");
    let length: usize =
        header("content-length").map_or(0, |length| length.parse().expect("a length is a number"));
    while body.len() < length {
        if caller.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Request { head, body }))
}

impl Request {
    /// The whole answer of the service. Each call has a connection of its own, here and there: its end is the answer's.
    async fn ask(&self, upstream: &str) -> io::Result<Vec<u8>> {
        let lines = self.head.trim_end().split("\r\n");
        let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let mut head = kept.collect::<Vec<_>>().join("\r\n");
        head.push_str("\r\nConnection: close\r\n\r\n");
        let mut service = TcpStream::connect(upstream).await?;
        service.write_all(head.as_bytes()).await?;
        service.write_all(&self.body).await?;
        let mut answer = Vec::new();
        service.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

/// Where the head of a message ends, with its empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let place = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(place + 4)
}

/// The middle of the body, or of the head where there is no body to cut.
fn middle(answer: &[u8]) -> usize {
    let end = head_end(answer).unwrap_or(answer.len());
    match answer.len() - end {
        0 | 1 => end / 2,
        body => end + body / 2,
    }
}
