//! What runs did, added up.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What one or more runs of a log did. What is zero is not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Runs.
    #[serde(skip_serializing_if = "is_zero")]
    pub runs: u64,
    /// Rows that Azure Monitor accepted.
    #[serde(skip_serializing_if = "is_zero")]
    pub events: u64,
    /// Rows among them that were seen only after their window had been closed.
    #[serde(skip_serializing_if = "is_zero")]
    pub late: u64,
    /// Records that had been delivered before and were not sent again.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicates_dropped: u64,
    /// Records whose originals were set aside.
    #[serde(skip_serializing_if = "is_zero")]
    pub dead_letters: u64,
    /// Pages that Duo gave.
    #[serde(skip_serializing_if = "is_zero")]
    pub pages: u64,
    /// Calls to Duo.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Answers that asked for fewer calls.
    #[serde(skip_serializing_if = "is_zero")]
    pub throttled: u64,
    /// Calls made again after a passing fault.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Activity {
    /// Whether something moved that is worth a row of its own.
    pub const fn has_moved(&self) -> bool {
        self.events > 0 || self.dead_letters > 0 || self.throttled > 0
    }
}

impl AddAssign for Activity {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in [
            (&mut self.runs, other.runs),
            (&mut self.events, other.events),
            (&mut self.late, other.late),
            (&mut self.duplicates_dropped, other.duplicates_dropped),
            (&mut self.dead_letters, other.dead_letters),
            (&mut self.pages, other.pages),
            (&mut self.requests, other.requests),
            (&mut self.throttled, other.throttled),
            (&mut self.retries, other.retries),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}
