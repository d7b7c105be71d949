//! The Duo logs and the differences between them.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Time that Duo keeps events.
pub(crate) const DUO_KEEPS: TimeDelta = TimeDelta::days(180);
/// Age up to which events are requested: five minutes less, because Duo refuses a request for
/// anything older, and a request may wait.
pub(crate) const RETENTION: TimeDelta = TimeDelta::minutes(DUO_KEEPS.num_minutes() - 5);

/// A Duo log, named as in the setting `CISCO_DUO_LOG_TYPES` and in the column `eventtype_s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LogType {
    /// Sign-ins of users.
    Authentication,
    /// Actions of administrators (v1 log).
    Administrator,
    /// Text messages and phone calls that cost credits.
    Telephony,
    /// Offline access enrolments on Windows and macOS.
    OfflineEnrollment,
    /// Events that Duo Trust Monitor surfaced.
    TrustMonitor,
    /// Actions of users and administrators (v2 log).
    Activity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// `mintime` and `maxtime` in ms, inclusive; `next_offset` is sent back in `parameter`.
    Cursor {
        parameter: &'static str,
        /// Whether the endpoint accepts `sort=ts:asc`.
        sorted: bool,
    },
    /// Only `mintime` in seconds, inclusive: returns about a thousand of the earliest records as a
    /// bare array in undocumented order. The next page starts at the last second of this one.
    LastSecond,
}

impl Paging {
    pub const fn has_cursor(self) -> bool {
        matches!(self, Self::Cursor { .. })
    }

    /// Whether Duo returns record counts: only with sorting.
    pub const fn has_counts(self) -> bool {
        matches!(self, Self::Cursor { sorted: true, .. })
    }
}

/// Endpoint properties of one log: <https://duo.com/docs/adminapi#logs>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSpec {
    pub path: &'static str,
    pub paging: Paging,
    /// Maximum page size; `None` if the endpoint has no `limit` parameter.
    pub limit: Option<u32>,
    /// Key of the records inside `response`; `None` if `response` is the array itself.
    pub records_key: Option<&'static str>,
    /// Field that identifies a record together with its time; `None` if the log has no id.
    pub id_field: Option<&'static str>,
    /// Whether 403, 404 and 410 always mean that the log is retired or not licensed.
    pub may_be_retired: bool,
    /// Time after an event during which it is read again every day, because Duo changes it.
    pub followed_for: TimeDelta,
}

impl LogType {
    /// All logs, in reporting order.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The endpoint properties of the log; no other code chooses requests by log type.
    pub const fn spec(self) -> LogSpec {
        match self {
            Self::Authentication => v2("/admin/v2/logs/authentication", "authlogs", "txid"),
            Self::Activity => v2("/admin/v2/logs/activity", "items", "activity_id"),
            Self::Telephony => v2("/admin/v2/logs/telephony", "items", "telephony_id"),
            Self::Administrator => v1("/admin/v1/logs/administrator"),
            Self::OfflineEnrollment => v1("/admin/v1/logs/offline_enrollment"),
            Self::TrustMonitor => LogSpec {
                path: "/admin/v1/trust_monitor/events",
                // Sent back as `offset`; with `next_offset`, Duo would return page one forever.
                paging: Paging::Cursor { parameter: "offset", sorted: false },
                limit: Some(200),
                records_key: Some("events"),
                id_field: Some("sekey"),
                may_be_retired: true,
                // Administrators triage events for days.
                followed_for: TimeDelta::days(14),
            },
        }
    }

    /// The name in settings, state and rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses a log name, ignoring case; the error lists the valid names.
    pub fn named(name: &str) -> Result<Self, String> {
        let error = |_| format!("\"{name}\" is not a Duo log; use any of {}", Self::names());
        name.to_ascii_lowercase().parse().map_err(error)
    }

    /// The names of all logs, comma-separated.
    pub fn names() -> String {
        Self::ALL.iter().map(|log| log.as_str()).collect::<Vec<_>>().join(", ")
    }
}

const fn v2(path: &'static str, records_key: &'static str, id_field: &'static str) -> LogSpec {
    LogSpec {
        path,
        paging: Paging::Cursor { parameter: "next_offset", sorted: true },
        limit: Some(1000),
        records_key: Some(records_key),
        id_field: Some(id_field),
        may_be_retired: false,
        followed_for: TimeDelta::zero(),
    }
}

const fn v1(path: &'static str) -> LogSpec {
    LogSpec {
        path,
        paging: Paging::LastSecond,
        limit: None,
        records_key: None,
        id_field: None,
        may_be_retired: false,
        followed_for: TimeDelta::zero(),
    }
}
