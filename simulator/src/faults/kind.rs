//! Kinds of faults, and the requests they apply to.

use std::time::Duration;

use chrono::TimeDelta;

use crate::LogType;

/// The requests that a fault applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Requests for one Duo log.
    Duo(LogType),
    /// Requests for any Duo log.
    AnyDuo,
    /// Requests to the Data Collector API.
    LogAnalytics,
    /// Requests to the Logs Ingestion API.
    LogsIngestion,
    /// Requests for a token, from either endpoint.
    Identity,
}

/// How a request fails.
///
/// A kind applies to every request unless stated otherwise; a request it does not apply to does not
/// use it up. A kind that damages a record has no effect on an empty page, but is used up.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// A correct response after this additional time.
    Latency(Duration),
    /// 429, with `Retry-After` if given.
    TooManyRequests {
        /// Seconds in `Retry-After`; `None` omits the header, as Duo does.
        retry_after: Option<u64>,
    },
    /// This HTTP status with the documented error body.
    Status(u16),
    /// Duo: 403/40301, "Access forbidden". Logs Ingestion: 403 `OperationFailed`, as before the
    /// role assignment on the rule is effective.
    Forbidden,
    /// Duo: 403/40301 with the detail "Wrong integration type for this API."
    WrongIntegrationType,
    /// The connection is closed before any byte of a response.
    Reset,
    /// Duo, identity: the response declares its whole length, but ends after half the body. Logs
    /// Ingestion: the same with a 200, after the rows were accepted.
    Truncated,
    /// No response until the client gives up (or ten minutes have passed).
    Hang,
    /// Azure Monitor: the rows are accepted, then the connection is closed without a response.
    ResponseLost,
    /// Duo, identity: 200 with an HTML page.
    NotJson,
    /// Duo: 200 and `"stat":"OK"` with a response of another shape. Identity: 200 with JSON that
    /// has no token.
    WrongEnvelope,
    /// Duo: the page is compressed with gzip, if the request accepts that.
    Gzip,
    /// Duo: a small body that is 1 GiB of spaces after decompression, if the request accepts gzip.
    GzipBomb,
    /// Duo, with this status: an HTML page, as a proxy sends it.
    Intercepted(u16),
    /// Duo: an additional record that is the string `"not an event"`.
    NotAnObject,
    /// Duo: one event's name starts with the escape `\ud800`, which no `String` can hold.
    LoneSurrogate,
    /// Duo, on a request with a cursor: the response returns the cursor of the request.
    RepeatCursor,
    /// Duo v2: one record is omitted, but counted in `total_objects`.
    ShortCount,
    /// Duo v2: one record is returned twice, and its neighbour omitted.
    RepeatedRecord,
    /// Duo, except the v1 logs: `metadata` is empty, so there is neither cursor nor count.
    NoMetadata,
    /// Duo v2: `total_objects` is wrong by this number.
    WrongCount(i64),
    /// Duo: the keys of each record are in another order, with whitespace between them.
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
    /// Azure Monitor: 404 (Data Collector) or 413 (Logs Ingestion), as for a large request.
    TooLarge,
    /// Azure Monitor: 400 for every request whose uncompressed body contains this text.
    InvalidRecord {
        /// For example the Duo identifier of one event.
        needle: String,
    },
}

/// A fault to inject.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The requests it applies to.
    pub target: Target,
    /// What happens to them.
    pub kind: FaultKind,
    /// Number of matching requests that pass first.
    pub after: u32,
    /// Number of requests that fail; [`Fault::FOREVER`] for all until it is cleared.
    pub times: u32,
}

impl Fault {
    /// For [`Fault::times`]: until cleared.
    pub const FOREVER: u32 = u32::MAX;

    /// Applies to the next matching request.
    pub const fn once(target: Target, kind: FaultKind) -> Self {
        Self { target, kind, after: 0, times: 1 }
    }

    /// Applies to every matching request until cleared.
    pub const fn always(target: Target, kind: FaultKind) -> Self {
        Self { target, kind, after: 0, times: Self::FOREVER }
    }

    /// Lets `requests` matching requests pass first.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// Applies to `requests` requests.
    #[must_use]
    pub fn times(mut self, requests: u32) -> Self {
        self.times = requests;
        self
    }
}

/// The properties of a request by which a fault is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Incoming<'a> {
    /// A request for a Duo log, and whether it carries a cursor.
    Duo { log: LogType, has_cursor: bool },
    /// A request to the Data Collector API with this body.
    LogAnalytics { body: &'a [u8] },
    /// A request to the Logs Ingestion API with these rows.
    LogsIngestion { body: &'a [u8] },
    /// A request for a token.
    Identity,
}

impl Incoming<'_> {
    /// The endpoint of the request, never [`Target::AnyDuo`].
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
    pub(super) fn matches(&self, request: Incoming<'_>) -> bool {
        let endpoint = request.endpoint();
        let hit = self.target == endpoint
            || (self.target == Target::AnyDuo && matches!(endpoint, Target::Duo(_)));
        hit && self.kind.suits(request)
    }
}

impl FaultKind {
    pub(super) fn suits(&self, request: Incoming<'_>) -> bool {
        match (self, request) {
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
                Incoming::LogAnalytics { .. } | Incoming::LogsIngestion { .. },
            )
            | (Self::Forbidden | Self::Truncated, Incoming::LogsIngestion { .. })
            | (Self::Truncated | Self::NotJson | Self::WrongEnvelope, Incoming::Identity)
            | (
                Self::Forbidden
                | Self::WrongIntegrationType
                | Self::Truncated
                | Self::NotJson
                | Self::WrongEnvelope
                | Self::Gzip
                | Self::GzipBomb
                | Self::Intercepted(_)
                | Self::NotAnObject
                | Self::LoneSurrogate
                | Self::KeyOrder
                | Self::BadDate { .. }
                | Self::EmptyCode,
                Incoming::Duo { .. },
            ) => true,
            (Self::RepeatCursor | Self::BadCursor, Incoming::Duo { has_cursor, .. }) => has_cursor,
            (
                Self::ShortCount | Self::RepeatedRecord | Self::WrongCount(_),
                Incoming::Duo { log, .. },
            ) => !log.is_v1() && log != LogType::TrustMonitor,
            (Self::NoMetadata, Incoming::Duo { log, .. }) => !log.is_v1(),
            (
                Self::InvalidRecord { needle },
                Incoming::LogAnalytics { body } | Incoming::LogsIngestion { body },
            ) => contains(body, needle.as_bytes()),
            _ => false,
        }
    }
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && body.windows(needle.len()).any(|window| window == needle)
}
