//! Verification: whether every event was delivered, how often, and unaltered.
//!
//! Runs on a separate thread, so that it does not delay responses.

mod compare;
mod identify;
mod ledger;
mod rows_file;
mod stream;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, oneshot};

use crate::events::World;
use crate::log_analytics::tables::{Origin, Table, Tables};
use crate::{Config, IngestionApi, Report};
use ledger::Ledger;
use rows_file::RowsFiles;

/// The table whose rows are Duo events; rows of others are only counted.
const EVENT_TABLE: &str = "CiscoDuo_CL";

/// Memory for bodies waiting for verification, in KiB; beyond it requests wait.
const LARGEST_BACKLOG: usize = 256 * 1_024;

/// Accepted rows.
pub(crate) struct Post {
    pub(crate) origin: Origin,
    /// The table, with `_CL`.
    pub(crate) table: String,
    /// A valid body: UTF-8, JSON, objects.
    pub(crate) body: Bytes,
    pub(crate) received: DateTime<Utc>,
}

/// The inbox of the thread.
#[derive(Debug)]
pub(crate) struct Verifier {
    inbox: Sender<Message>,
    room: Arc<Semaphore>,
}

enum Message {
    Post(Post),
    Report { now: i64, reply: oneshot::Sender<Report> },
    Table { api: IngestionApi, name: String, reply: oneshot::Sender<Option<Table>> },
    Stop(oneshot::Sender<()>),
}

impl Verifier {
    pub(crate) fn start(config: &Config, world: Arc<World>) -> std::io::Result<Self> {
        let files = RowsFiles::new(config.rows_dir.as_deref())?;
        let ledger = Ledger::new(config, world);
        let tables = Tables::new(config);
        let (inbox, messages) = channel();
        let room = Arc::new(Semaphore::new(LARGEST_BACKLOG));
        let freed = Arc::clone(&room);
        thread::Builder::new()
            .name("simulator-verifier".to_owned())
            .spawn(move || work(&messages, ledger, files, tables, &freed))?;
        Ok(Self { inbox, room })
    }

    /// Submits accepted rows.
    pub(crate) async fn submit(&self, post: Post) {
        let permits = self.room.acquire_many(size(&post.body)).await;
        permits.expect("the semaphore is never closed").forget();
        self.send(Message::Post(post));
    }

    /// The report on events visible at `now` (milliseconds), after all rows submitted before.
    pub(crate) async fn report(&self, now: i64) -> Report {
        let (reply, report) = oneshot::channel();
        self.send(Message::Report { now, reply });
        report.await.expect("the thread replies before it ends")
    }

    /// A table, after all rows submitted before.
    pub(crate) async fn table(&self, api: IngestionApi, name: &str) -> Option<Table> {
        let (reply, table) = oneshot::channel();
        let name = name.to_owned();
        self.send(Message::Table { api, name, reply });
        table.await.expect("the thread replies before it ends")
    }

    /// Ends the thread after all submitted rows.
    pub(crate) async fn stop(&self) {
        let (reply, stopped) = oneshot::channel();
        self.send(Message::Stop(reply));
        stopped.await.unwrap_or_default();
    }

    fn send(&self, message: Message) {
        // Fails only after `stop`, when the result does not matter.
        self.inbox.send(message).unwrap_or_default();
    }
}

/// Size of a body in the backlog, at most the whole backlog.
fn size(body: &Bytes) -> u32 {
    u32::try_from((body.len() / 1_024 + 1).min(LARGEST_BACKLOG)).expect("the backlog is small")
}

fn work(
    messages: &Receiver<Message>,
    mut ledger: Ledger,
    mut files: RowsFiles,
    mut tables: Tables,
    freed: &Semaphore,
) {
    // Also ends when the sender is dropped.
    while let Ok(message) = messages.recv() {
        match message {
            Message::Post(post) => {
                let text = std::str::from_utf8(&post.body)
                    .expect("the body was checked before it was accepted");
                let is_event = post.table == EVENT_TABLE;
                if is_event || files.is_enabled() || tables.is_enabled() {
                    crate::json::each_row(text, |row, members| {
                        files.append(&post.table, row);
                        tables.store(&post.table, &post.origin, &members, post.received);
                        if is_event {
                            ledger.row(&members, &post.origin);
                        }
                    });
                }
                if let Err(error) = files.flush() {
                    ledger.problem(format!("rows could not be written: {error}"));
                }
                freed.add_permits(size(&post.body) as usize);
            }
            // If the receiver's test timed out, the report is dropped.
            Message::Report { now, reply } => reply.send(ledger.report(now)).unwrap_or_default(),
            Message::Table { api, name, reply } => {
                reply.send(tables.table(api, &name)).unwrap_or_default();
            }
            Message::Stop(reply) => {
                reply.send(()).unwrap_or_default();
                return;
            }
        }
    }
}
