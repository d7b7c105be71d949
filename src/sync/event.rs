//! What the core is told and what it answers.

use serde::Serialize;

use super::bucket::Bucket;
use super::checkpoint::Checkpoint;
use super::ending::Ending;
use super::hours::HourResult;
use super::page::BACKFILL_AGE;
use super::sweep::Span;
use crate::model::{Hour, Millis};

/// Identity of a row: the first 20 bytes of a SHA-256, shown as 40 hex digits in `event_uid`.
pub type RowId = [u8; 20];

/// The settings and facts that a run is decided by. Durations are in milliseconds.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of the log"
)]
pub struct Limits {
    /// Whether pages follow a cursor; otherwise the last second is read again (the v1 logs).
    pub cursor_paging: bool,
    /// Whether pages come oldest first, so that what follows a bad cursor is later than what was delivered.
    pub sorted: bool,
    /// Whether closed hours are looked at again.
    pub sweeps: bool,
    /// Whether a refusal (403, 404, 410) always means "retired or not licensed".
    pub may_be_retired: bool,
    /// How far behind now a window ends.
    pub settle: i64,
    /// Longest window.
    pub window: i64,
    /// Calls a minute for one log; 0 for no limit.
    pub calls_per_minute: u32,
    /// First pause after a refusal for too many calls without `Retry-After`.
    pub park: i64,
    /// Largest request body to Azure Monitor, in bytes.
    pub max_call_bytes: usize,
    /// Where the first run of this log begins.
    pub first_mintime: Millis,
    /// The span of whole hours that is read again, once, instead of the live log.
    pub backfill: Option<Span>,
    /// Identity of this process.
    pub owner: String,
    /// Fingerprint of where the rows go.
    pub destination: String,
}

/// One question to Duo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// First moment asked for, inclusive.
    pub mintime: Millis,
    /// Last moment asked for, inclusive. The v1 endpoints have no such bound: it is where the shell stops
    /// taking records.
    pub maxtime: Millis,
    /// The cursor of the page before, verbatim.
    pub cursor: Option<String>,
    /// Most records wanted, below what the endpoint grants; where only the count matters.
    pub limit: Option<u32>,
    /// Whether it is about closed hours.
    pub is_check: bool,
}

/// One record of a page, as far as the core needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Identity of the row.
    pub id: RowId,
    /// Event time; `None` where the record has none that can be read.
    pub time: Option<Millis>,
    /// Upper bound of the encoded row, in bytes.
    pub bytes: usize,
    /// Whether the row lacks a part of the record, because a value is larger than the service keeps.
    pub is_cut: bool,
}

/// A page that Duo gave.
#[derive(Clone, Debug, Default)]
pub struct PageSeen {
    /// The records, in Duo's order.
    pub records: Vec<Seen>,
    /// Cursor of the next page.
    pub cursor: Option<String>,
    /// How many records the whole question has, where Duo gave an exact number.
    pub total: Option<u64>,
}

/// Why Duo gave no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFault {
    /// Too many calls (429); `retry_after` in milliseconds where Duo said it.
    Throttled {
        /// How long Duo asks to wait.
        retry_after: Option<i64>,
    },
    /// No connection, an answer cut short, a timeout, 408 or 5xx: passes by itself.
    Unreachable,
    /// An answer that is not Duo's envelope.
    Garbled,
    /// The credentials or the date were refused (401).
    Credentials,
    /// The log is not permitted (403).
    Forbidden,
    /// The endpoint is not there (404, 410).
    Gone,
    /// The question was refused (400).
    Rejected,
    /// Anything that trying again cannot change.
    Fatal,
}

/// Why Azure Monitor did not accept a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFault {
    /// Too much or too often (429); `retry_after` in milliseconds where the service said it.
    Throttled {
        /// How long the service asks to wait.
        retry_after: Option<i64>,
    },
    /// No connection, no answer, a timeout, 408 or 5xx. The rows may have been accepted.
    Unreachable,
    /// The body is too large for the service.
    TooLarge,
    /// A record in the body is refused.
    BadRecord,
    /// The credentials are refused.
    Credentials,
    /// Anything that trying again cannot change.
    Fatal,
}

/// How a row came to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestKind {
    /// In its turn.
    Live,
    /// Seen only after its window had been closed.
    Late,
    /// More than 48 hours after it happened.
    Backfill,
}

impl IngestKind {
    /// The kind of a row of `time` that is sent once more at `now`, when its window is long closed.
    pub fn of_resent(time: Option<Millis>, now: Millis) -> Self {
        match time {
            Some(time) if now - time > BACKFILL_AGE => Self::Backfill,
            _ => Self::Late,
        }
    }

    /// The value of `ingest_kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Late => "late",
            Self::Backfill => "backfill",
        }
    }
}

/// Rows that go out in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Positions of the records in the page.
    pub records: Vec<usize>,
    /// The kind they all share.
    pub kind: IngestKind,
}

/// What was found out about hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conclusion {
    /// Results to add to what is known of these hours.
    pub results: Vec<(Hour, HourResult)>,
    /// Hours whose ids are not needed any more.
    pub forget: Vec<Hour>,
    /// Days whose results are not kept any longer, by their first hour.
    pub prune: Vec<Hour>,
}

/// What the shell reports.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run begins.
    Started,
    /// The stored checkpoint; `claim_is_dead` when its claim belongs to a process that provably ended.
    Loaded {
        /// `None` where none is stored yet.
        checkpoint: Option<Box<Checkpoint>>,
        /// Whether the claim's owner is proved gone.
        claim_is_dead: bool,
    },
    /// The checkpoint was stored.
    Saved,
    /// Somebody else stored another checkpoint since it was loaded.
    Conflict,
    /// State could not be read or written.
    StateFailed,
    /// The account's bucket gave a call, or says in how many milliseconds it will.
    Drawn {
        /// Milliseconds until a call is there; `None` when it was given.
        wait: Option<i64>,
        /// The account's bucket afterwards.
        account: Bucket,
    },
    /// Duo gave a page; `server_time` is its `Date`.
    Fetched {
        /// The page.
        page: PageSeen,
        /// Duo's clock.
        server_time: Option<Millis>,
    },
    /// Duo gave no page.
    FetchFailed(FetchFault),
    /// For each record of the page, whether the ledger has its id.
    Recalled(Vec<bool>),
    /// Azure Monitor accepted the call.
    Accepted,
    /// Azure Monitor did not accept it.
    SendFailed(SendFault),
    /// The dead letters are stored.
    SetAside,
    /// The ledger holds the ids of the call.
    Recorded,
    /// For each hour asked for, how many ids the ledger has.
    Tallied(Vec<u64>),
    /// The results of hours are stored.
    Concluded,
    /// The pause is over.
    Waited,
}

/// The one thing to do next.
#[derive(Clone, Debug)]
pub enum Action {
    /// Read the checkpoint.
    Load,
    /// Store the checkpoint if nobody else did since it was loaded.
    Save(Box<Checkpoint>),
    /// Take a call from the account's bucket.
    Draw(Bucket),
    /// Ask Duo.
    Fetch(PageRequest),
    /// Look the page's records up in the ledger of these hours.
    Recall(Vec<Hour>),
    /// Store the originals of these records of the page, whose rows lack a part of them.
    KeepOriginals(Vec<usize>),
    /// Send rows in one call.
    Send(Shipment),
    /// Store the original of a record that was refused even alone, with the answer. The page it stood on may be gone.
    SetAside(RowId),
    /// Add ids to the ledger, by hour.
    Record(Vec<(Hour, RowId)>),
    /// Say how many ids the ledger has of these hours.
    Tally(Vec<Hour>),
    /// Store what was found out about hours.
    Conclude(Conclusion),
    /// Do nothing for this many milliseconds.
    Wait(i64),
    /// The run is over.
    Stop(Ending),
}

#[cfg(test)]
mod tests {
    use super::IngestKind;
    use crate::model::{HOUR, Millis};

    #[test]
    fn what_is_sent_once_more_is_late_and_after_two_days_backfill() {
        let now = Millis(1_795_348_800_000);
        let kind = |age| IngestKind::of_resent(Some(now - age), now).as_str();
        assert_eq!(kind(0), "late");
        assert_eq!(kind(48 * HOUR), "late");
        assert_eq!(kind(48 * HOUR + 1), "backfill");
        assert_eq!(IngestKind::of_resent(None, now), IngestKind::Late);
        assert_eq!(IngestKind::Live.as_str(), "live");
    }
}
