//! How the run of a log ended, in one word.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// How the run of a log ended, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that Duo returns was delivered.
    #[strum(to_string = "caught up")]
    CaughtUp,
    /// There is more; the next run continues.
    #[strum(to_string = "more to fetch")]
    MoreToFetch,
    /// The log backs off; its checkpoint is kept.
    #[strum(to_string = "parked")]
    Parked,
    /// Duo does not give this log to this application.
    #[strum(to_string = "unavailable")]
    Unavailable,
    /// Another instance holds the lease.
    #[strum(to_string = "held elsewhere")]
    HeldElsewhere,
    /// An operator must act.
    #[strum(to_string = "failed")]
    Failed,
    /// An outcome of a later release.
    #[serde(other)]
    #[strum(to_string = "unknown")]
    Unknown,
}

impl Outcome {
    /// The outcome in words.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the log advanced, or there was nothing new.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::CaughtUp | Self::MoreToFetch)
    }
}
