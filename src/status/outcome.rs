//! How a log's run ended, in one word.

use serde::{Deserialize, Serialize};

/// How a log's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that Duo shows was delivered.
    CaughtUp,
    /// More is there; the next run goes on.
    MoreToFetch,
    /// The log waits; its place is kept.
    Parked,
    /// Duo does not give this log to this application.
    Unavailable,
    /// Another instance is at work on it.
    HeldElsewhere,
    /// Somebody must act.
    Failed,
    /// An outcome that a later release knows.
    #[serde(other)]
    Unknown,
}

impl Outcome {
    /// Every outcome that a run of this release can have, from the best to the worst.
    pub const ALL: [Self; 6] = [
        Self::CaughtUp,
        Self::MoreToFetch,
        Self::Parked,
        Self::Unavailable,
        Self::HeldElsewhere,
        Self::Failed,
    ];

    /// The outcome in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CaughtUp => "caught up",
            Self::MoreToFetch => "more to fetch",
            Self::Parked => "parked",
            Self::Unavailable => "unavailable",
            Self::HeldElsewhere => "held elsewhere",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the log moved on, or had nothing to move.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::CaughtUp | Self::MoreToFetch)
    }
}
