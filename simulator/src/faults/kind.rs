//! What can go wrong, and with which calls.

use std::time::Duration;

use chrono::TimeDelta;

use crate::LogType;

/// The calls a fault may hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Requests for one Duo log.
    Duo(LogType),
    /// Requests for any Duo log.
    AnyDuo,
    /// Posts to the Data Collector API.
    LogAnalytics,
    /// Calls of the Logs Ingestion API.
    LogsIngestion,
    /// Requests for a token, from either endpoint.
    Identity,
}

/// How a call goes wrong.
///
/// Unless said otherwise a kind suits every call; a kind that does not suit a call passes it by
/// without being used up. A kind that spoils a record does nothing to an empty page, yet
/// is used up by it.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// A right answer after this additional time.
    Latency(Duration),
    /// 429, with a `Retry-After` of so many seconds if given.
    TooManyRequests {
        /// Seconds to name in `Retry-After`; `None` leaves the header out, as Duo does.
        retry_after: Option<u64>,
    },
    /// This HTTP status with the documented error body.
    Status(u16),
    /// Duo: 403/40301, "Access forbidden". Logs Ingestion: 403 `OperationFailed`, as while the role on
    /// the rule has not spread yet.
    Forbidden,
    /// The connection is closed before any byte of an answer.
    Reset,
    /// Duo, identity: the whole length is promised, half the body sent, the connection closed. Logs
    /// Ingestion: the same with a 200, after the rows were accepted.
    Truncated,
    /// No answer, until the client gives up (or ten minutes have passed).
    Hang,
    /// Azure Monitor: the rows are accepted and counted, then the connection closes unanswered.
    ResponseLost,
    /// Duo, identity: 200 with an HTML page.
    NotJson,
    /// Duo: 200 and `"stat":"OK"` around a response of another shape.
    WrongEnvelope,
    /// Duo: one further record, which is the string `"not an event"`.
    NotAnObject,
    /// Duo: one event's name starts with the escape `\ud800`, which no `String` can hold.
    LoneSurrogate,
    /// Duo, on a request with a cursor: the answer names the cursor it was asked with.
    RepeatCursor,
    /// Duo v2: one record is left out while `total_objects` still counts it.
    ShortCount,
    /// Duo v2: `total_objects` is wrong by so many.
    WrongCount(i64),
    /// Duo: the keys of each record stand in another order, with blanks between them.
    KeyOrder,
    /// Duo, on a request with a cursor: 400/40002.
    BadCursor,
    /// Duo: the `Date` header is wrong by `offset`, or absent.
    BadDate {
        /// Added to the true time; `None` leaves the header out.
        offset: Option<TimeDelta>,
    },
    /// Duo: 500 with an error body whose `code` is the empty string.
    EmptyCode,
    /// Azure Monitor: 404 (Data Collector) or 413 (Logs Ingestion), as for a request that is too large.
    TooLarge,
    /// Azure Monitor: 400 for every post whose body (unpacked) contains this text.
    InvalidRecord {
        /// For example the Duo identifier of one event.
        needle: String,
    },
}

/// A scripted fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The calls it may hit.
    pub target: Target,
    /// What happens to them.
    pub kind: FaultKind,
    /// How many matching calls pass before it first strikes.
    pub after: u32,
    /// How many calls it strikes; [`Fault::FOREVER`] for all until it is cleared.
    pub times: u32,
}

impl Fault {
    /// For [`Fault::times`]: until cleared.
    pub const FOREVER: u32 = u32::MAX;

    /// Strikes the next matching call.
    pub const fn once(target: Target, kind: FaultKind) -> Self {
        Self { target, kind, after: 0, times: 1 }
    }

    /// Strikes every matching call until cleared.
    pub const fn always(target: Target, kind: FaultKind) -> Self {
        Self { target, kind, after: 0, times: Self::FOREVER }
    }

    /// The same fault, but `calls` matching calls pass first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// The same fault, striking `calls` calls.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.times = calls;
        self
    }
}

/// What a plan needs to know of a call to choose a fault for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call<'a> {
    /// A request for a Duo log, and whether it carries a cursor.
    Duo { log: LogType, has_cursor: bool },
    /// A post with this body.
    LogAnalytics { body: &'a [u8] },
    /// A call of the Logs Ingestion API with these rows.
    LogsIngestion { body: &'a [u8] },
    /// A request for a token.
    Identity,
}

impl Call<'_> {
    /// The endpoint that is called, never [`Target::AnyDuo`].
    pub(super) fn endpoint(self) -> Target {
        match self {
            Self::Duo { log, .. } => Target::Duo(log),
            Self::LogAnalytics { .. } => Target::LogAnalytics,
            Self::LogsIngestion { .. } => Target::LogsIngestion,
            Self::Identity => Target::Identity,
        }
    }
}

impl Fault {
    pub(super) fn matches(&self, call: Call<'_>) -> bool {
        let endpoint = call.endpoint();
        let hit = self.target == endpoint
            || (self.target == Target::AnyDuo && matches!(endpoint, Target::Duo(_)));
        hit && self.kind.suits(call)
    }
}

impl FaultKind {
    pub(super) fn suits(&self, call: Call<'_>) -> bool {
        match (self, call) {
            (
                Self::Latency(_)
                | Self::TooManyRequests { .. }
                | Self::Status(_)
                | Self::Reset
                | Self::Hang,
                _,
            )
            | (
                Self::ResponseLost | Self::TooLarge,
                Call::LogAnalytics { .. } | Call::LogsIngestion { .. },
            )
            | (Self::Forbidden | Self::Truncated, Call::LogsIngestion { .. })
            | (Self::Truncated | Self::NotJson, Call::Identity)
            | (
                Self::Forbidden
                | Self::Truncated
                | Self::NotJson
                | Self::WrongEnvelope
                | Self::NotAnObject
                | Self::LoneSurrogate
                | Self::KeyOrder
                | Self::BadDate { .. }
                | Self::EmptyCode,
                Call::Duo { .. },
            ) => true,
            (Self::RepeatCursor | Self::BadCursor, Call::Duo { has_cursor, .. }) => has_cursor,
            (Self::ShortCount | Self::WrongCount(_), Call::Duo { log, .. }) => {
                !log.is_v1() && log != LogType::TrustMonitor
            }
            (
                Self::InvalidRecord { needle },
                Call::LogAnalytics { body } | Call::LogsIngestion { body },
            ) => contains(body, needle.as_bytes()),
            _ => false,
        }
    }
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && body.windows(needle.len()).any(|window| window == needle)
}
