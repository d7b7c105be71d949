//! The six Duo logs.

use std::fmt;

use serde::{Serialize, Serializer};

/// A log of the Duo Admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogType {
    /// `/admin/v2/logs/authentication`
    Authentication,
    /// `/admin/v1/logs/administrator`
    Administrator,
    /// `/admin/v2/logs/telephony`
    Telephony,
    /// `/admin/v1/logs/offline_enrollment`
    OfflineEnrollment,
    /// `/admin/v1/trust_monitor/events`
    TrustMonitor,
    /// `/admin/v2/logs/activity`
    Activity,
}

impl LogType {
    /// Every log, in the order of the setting.
    pub const ALL: [Self; 6] = [
        Self::Authentication,
        Self::Administrator,
        Self::Telephony,
        Self::OfflineEnrollment,
        Self::TrustMonitor,
        Self::Activity,
    ];

    /// The name used in settings and in the `eventtype` of a row.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Administrator => "administrator",
            Self::Telephony => "telephony",
            Self::OfflineEnrollment => "offline_enrollment",
            Self::TrustMonitor => "trust_monitor",
            Self::Activity => "activity",
        }
    }

    /// The path of the endpoint of this log.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Authentication => "/admin/v2/logs/authentication",
            Self::Administrator => "/admin/v1/logs/administrator",
            Self::Telephony => "/admin/v2/logs/telephony",
            Self::OfflineEnrollment => "/admin/v1/logs/offline_enrollment",
            Self::TrustMonitor => "/admin/v1/trust_monitor/events",
            Self::Activity => "/admin/v2/logs/activity",
        }
    }

    /// Whether the endpoint is of version 1: times in seconds, no cursor, no identifier.
    pub const fn is_v1(self) -> bool {
        matches!(self, Self::Administrator | Self::OfflineEnrollment)
    }

    /// The resolution of event times in this log, in microseconds.
    pub(crate) const fn time_step(self) -> i64 {
        match self {
            Self::Authentication | Self::Activity | Self::Telephony => 1,
            Self::TrustMonitor => 1_000,
            Self::Administrator | Self::OfflineEnrollment => 1_000_000,
        }
    }
}

impl fmt::Display for LogType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for LogType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
