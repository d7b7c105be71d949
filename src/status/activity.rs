//! Totals of runs.

use std::ops::AddAssign;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::sync::RunCounts;

/// Totals of one or more runs of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Number of runs.
    pub runs: u64,
    /// What they did; zeros are not stored.
    #[serde(flatten, serialize_with = "without_zeros")]
    pub counts: RunCounts,
}

fn without_zeros<S: Serializer>(counts: &RunCounts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut counts = serde_json::to_value(counts).map_err(S::Error::custom)?;
    if let Some(counts) = counts.as_object_mut() {
        counts.retain(|_, count| *count != 0);
    }
    counts.serialize(serializer)
}

impl Activity {
    /// Whether something happened that is worth a row of its own.
    pub const fn has_moved(&self) -> bool {
        self.counts.events > 0 || self.counts.dead_letters > 0 || self.counts.throttled > 0
    }
}

impl AddAssign for Activity {
    fn add_assign(&mut self, other: Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.counts += other.counts;
    }
}
