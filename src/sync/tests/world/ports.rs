//! The ports of a simulated instance: every operation waits for a reply from the world.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::model::{
    Batch, FetchError, FetchErrorKind, IngestionApi, LogType, Millis, PageRequest, PageResponse,
    SendError, SendErrorKind, Tries,
};
use crate::storage::{BlobStore, DeadLetters, LogState, StorageError, Version, WriteError};
use crate::sync::{ACCOUNT_SHARE, Ports, RunCounts, TokenBucket};

pub(in crate::sync::tests) const HOST: &str = "api-00000000.duosecurity.com";

/// Container of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sync::tests) enum Container {
    State,
    DeadLetters,
}

/// An operation that an instance waits for, and its kind.
#[derive(Clone, Debug, strum::EnumDiscriminants)]
#[strum_discriminants(name(Kind))]
pub(in crate::sync::tests) enum Operation {
    Read(Container, String),
    Write { container: Container, name: String, content: Vec<u8>, expected: Option<Version> },
    Append { name: String, content: Vec<u8> },
    Remove(String),
    List(String),
    Fetch(PageRequest),
    Send(Batch),
    Sleep(TimeDelta),
}

impl Operation {
    pub(super) fn kind(&self) -> Kind {
        self.into()
    }

    /// Whether it is a storage operation.
    pub(super) fn is_storage(&self) -> bool {
        !matches!(self, Self::Fetch(_) | Self::Send(_) | Self::Sleep(_))
    }

    /// Whether it reads, replaces or removes a blob of the state.
    pub(super) fn is_of_state(&self) -> bool {
        use Container::State;
        matches!(
            self,
            Self::Read(State, _)
                | Self::Write { container: State, .. }
                | Self::Remove(_)
                | Self::List(_)
        )
    }

    /// Whether it appends to the ledger.
    pub(super) fn is_append(&self) -> bool {
        matches!(self, Self::Append { .. })
    }

    /// Pages of ids appended to the ledger: more than one only for a quarantined blob.
    pub(super) fn pages_appended(&self, page_size: usize) -> u64 {
        match self {
            Self::Append { content, .. } => (content.len() / 24).div_ceil(page_size) as u64,
            _ => 0,
        }
    }
}

/// The reply to an operation.
#[derive(Debug)]
pub(in crate::sync::tests) enum Reply {
    Read(Option<(Vec<u8>, Version)>),
    Written(Version),
    Conflict,
    Done,
    Listed(Vec<(String, u64)>),
    StorageFailed,
    Page(Result<PageResponse, FetchErrorKind>),
    Sent(Result<(), SendErrorKind>),
}

/// State shared by an instance and the world.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) now: Millis,
    pub(super) is_shutdown: bool,
    pub(super) is_owner_gone: bool,
    pub(super) account: Arc<Mutex<Option<TokenBucket>>>,
    pub(super) requests_per_minute: u32,
    pub(super) rng: fastrand::Rng,
    /// Waiting operations, in order of request.
    pub(super) waiting: VecDeque<(u64, Operation)>,
    replies: BTreeMap<u64, Reply>,
    wakers: BTreeMap<u64, Waker>,
    next: u64,
    /// Progress of a backfill.
    pub(super) reached: Option<Millis>,
}

impl Mailbox {
    pub(super) fn new(
        now: Millis,
        account: Arc<Mutex<Option<TokenBucket>>>,
        requests_per_minute: u32,
    ) -> Self {
        Self {
            now,
            is_shutdown: false,
            is_owner_gone: false,
            account,
            requests_per_minute,
            rng: fastrand::Rng::with_seed(7),
            waiting: VecDeque::new(),
            replies: BTreeMap::new(),
            wakers: BTreeMap::new(),
            next: 0,
            reached: None,
        }
    }

    /// Delivers the reply to an operation.
    pub(super) fn reply(&mut self, number: u64, reply: Reply) {
        self.replies.insert(number, reply);
        if let Some(waker) = self.wakers.remove(&number) {
            waker.wake();
        }
    }
}

/// A shared handle to the mailbox.
#[derive(Clone, Debug)]
pub(super) struct SharedMailbox(pub(super) Arc<Mutex<Mailbox>>);

impl SharedMailbox {
    pub(super) fn lock(&self) -> MutexGuard<'_, Mailbox> {
        self.0.lock().unwrap()
    }

    async fn request(&self, operation: Operation) -> Reply {
        let number = {
            let mut mailbox = self.lock();
            mailbox.next += 1;
            let number = mailbox.next;
            mailbox.waiting.push_back((number, operation));
            number
        };
        poll_fn(|context| {
            let mut mailbox = self.lock();
            if let Some(reply) = mailbox.replies.remove(&number) {
                return Poll::Ready(reply);
            }
            mailbox.wakers.insert(number, context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// A simulated store.
#[derive(Clone, Debug)]
pub(super) struct SimulatedStore {
    mailbox: SharedMailbox,
    container: Container,
}

fn failed(name: &str) -> StorageError {
    StorageError {
        action: "reach",
        name: name.to_owned(),
        reason: "simulated".to_owned(),
        hint: None,
    }
}

#[async_trait]
impl BlobStore for SimulatedStore {
    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError> {
        match self.mailbox.request(Operation::Read(self.container, name.to_owned())).await {
            Reply::Read(found) => Ok(found),
            Reply::StorageFailed => Err(failed(name)),
            reply => panic!("{reply:?} to a read"),
        }
    }

    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let (container, name) = (self.container, name.to_owned());
        let expected = expected.cloned();
        match self
            .mailbox
            .request(Operation::Write { container, name: name.clone(), content, expected })
            .await
        {
            Reply::Written(version) => Ok(version),
            Reply::Conflict => Err(WriteError::Conflict),
            Reply::StorageFailed => Err(failed(&name).into()),
            reply => panic!("{reply:?} to a write"),
        }
    }

    async fn append(&self, name: &str, content: Vec<u8>, _unit: usize) -> Result<(), WriteError> {
        let name = name.to_owned();
        match self.mailbox.request(Operation::Append { name: name.clone(), content }).await {
            Reply::Done => Ok(()),
            Reply::StorageFailed => Err(failed(&name).into()),
            reply => panic!("{reply:?} to an append"),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, StorageError> {
        match self.mailbox.request(Operation::List(prefix.to_owned())).await {
            Reply::Listed(found) => Ok(found),
            Reply::StorageFailed => Err(failed(prefix)),
            reply => panic!("{reply:?} to a list"),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), StorageError> {
        match self.mailbox.request(Operation::Remove(name.to_owned())).await {
            Reply::Done => Ok(()),
            Reply::StorageFailed => Err(failed(name)),
            reply => panic!("{reply:?} to a removal"),
        }
    }

    fn location(&self) -> String {
        "simulated store".to_owned()
    }
}

/// The ports of one instance.
pub(super) struct SimulatedPorts {
    mailbox: SharedMailbox,
    state: LogState,
    dead_letters: DeadLetters,
}

impl SimulatedPorts {
    pub(super) fn new(mailbox: &SharedMailbox, log_type: LogType, backfill: Option<&str>) -> Self {
        let store = |container| {
            let mailbox = mailbox.clone();
            Arc::new(SimulatedStore { mailbox, container })
        };
        let state = LogState::new(store(Container::State), HOST, log_type);
        Self {
            mailbox: mailbox.clone(),
            state: backfill.map_or(state.clone(), |id| state.of_backfill(id)),
            dead_letters: DeadLetters::new(store(Container::DeadLetters), HOST),
        }
    }
}

impl Ports for SimulatedPorts {
    fn state(&self) -> &LogState {
        &self.state
    }

    fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    fn now(&self) -> Millis {
        self.mailbox.lock().now
    }

    fn random(&self, range: RangeInclusive<i64>) -> i64 {
        self.mailbox.lock().rng.i64(range)
    }

    fn is_shutdown_requested(&self) -> bool {
        self.mailbox.lock().is_shutdown
    }

    fn is_gone(&self, _owner: &str) -> bool {
        self.mailbox.lock().is_owner_gone
    }

    fn take_account_token(&self, known: TokenBucket) -> (Result<(), TimeDelta>, TokenBucket) {
        let mailbox = self.mailbox.lock();
        let mut shared = mailbox.account.lock().unwrap();
        let mut bucket = shared.map_or(known, |shared| shared.max(known));
        let taken = bucket.take(mailbox.requests_per_minute, ACCOUNT_SHARE, mailbox.now);
        *shared = Some(bucket);
        (taken, bucket)
    }

    async fn sleep(&self, pause: TimeDelta) {
        self.mailbox.request(Operation::Sleep(pause)).await;
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<PageResponse, FetchError> {
        match self.mailbox.request(Operation::Fetch(request.clone())).await {
            Reply::Page(page) => page.map_err(|kind| FetchError {
                kind,
                path: "/simulated",
                status: None,
                reason: "simulated".to_owned(),
                clock_ahead: None,
                tries: Tries::default(),
                source: None,
            }),
            reply => panic!("{reply:?} to a page request"),
        }
    }

    async fn send(&self, batch: &Batch, _timeout: Duration) -> Result<(), SendError> {
        match self.mailbox.request(Operation::Send(batch.clone())).await {
            Reply::Sent(sent) => sent.map_err(|kind| SendError {
                api: IngestionApi::DataCollector,
                kind,
                status: (kind == SendErrorKind::Unreachable).then_some(500),
                code: None,
                reason: "simulated".to_owned(),
                tries: Tries::default(),
                source: None,
            }),
            reply => panic!("{reply:?} to a batch"),
        }
    }

    fn progress(&self, reached: Option<Millis>, _: &RunCounts) {
        self.mailbox.lock().reached = reached;
    }
}
