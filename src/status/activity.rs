//! Totals of runs.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Totals of one or more runs of a log. Zeros are not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Number of runs.
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
    /// Records whose originals were dead-lettered.
    #[serde(skip_serializing_if = "is_zero")]
    pub dead_letters: u64,
    /// Pages that Duo returned.
    #[serde(skip_serializing_if = "is_zero")]
    pub pages: u64,
    /// Requests to Duo.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Responses with HTTP 429.
    #[serde(skip_serializing_if = "is_zero")]
    pub throttled: u64,
    /// Requests made again after a transient error.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Activity {
    /// Whether something happened that is worth a row of its own.
    pub const fn has_moved(&self) -> bool {
        self.events > 0 || self.dead_letters > 0 || self.throttled > 0
    }
}

impl AddAssign for Activity {
    fn add_assign(&mut self, other: Self) {
        let add = |sum: &mut u64, more| *sum = sum.saturating_add(more);
        add(&mut self.runs, other.runs);
        add(&mut self.events, other.events);
        add(&mut self.late, other.late);
        add(&mut self.duplicates_dropped, other.duplicates_dropped);
        add(&mut self.dead_letters, other.dead_letters);
        add(&mut self.pages, other.pages);
        add(&mut self.requests, other.requests);
        add(&mut self.throttled, other.throttled);
        add(&mut self.retries, other.retries);
    }
}
