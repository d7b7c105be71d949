//! Counting fields that have no column of their own, as rows with them are accepted.
//!
//! Only the Logs Ingestion road counts: there the connector lays each value into its column and so knows what has none.
//! On the Data Collector the service makes a column of every field, and finding out which are new would mean laying out
//! each row a second time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tracing::debug;

use super::Collector;
use crate::model::{HOUR, LogType, Millis};
use crate::sync::FieldCounts;

/// Longest time that storing them may take: they are worth no run.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time that counts of known names wait to be stored, in milliseconds.
const LONGEST_WAIT: i64 = HOUR;

/// What was counted by this process and is not stored yet, by log.
#[derive(Debug, Default)]
pub(super) struct Uncounted(Mutex<BTreeMap<LogType, Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    counts: FieldCounts,
    /// What this process stored before.
    stored: FieldCounts,
    stored_at: Option<Millis>,
}

impl Waiting {
    /// Whether it is time to store them: at once for a new name, else once an hour.
    fn is_due(&self, now: Millis) -> bool {
        let is_new = |name: &String| !self.stored.fields.contains_key(name);
        let has_news = self.stored.has_room() && self.counts.fields.keys().any(is_new);
        let has_waited = self
            .stored_at
            .is_none_or(|stored_at| now - stored_at >= LONGEST_WAIT);
        !self.counts.is_empty() && (has_news || has_waited)
    }
}

impl Uncounted {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<LogType, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a run counted; returns what is to be stored now.
    fn add(&self, log_type: LogType, counts: &FieldCounts, now: Millis) -> Option<FieldCounts> {
        let mut waiting = self.lock();
        let waiting = waiting.entry(log_type).or_default();
        waiting.counts.add(counts);
        waiting
            .is_due(now)
            .then(|| std::mem::take(&mut waiting.counts))
    }

    fn stored(&self, log_type: LogType, counts: &FieldCounts, now: Millis) {
        let mut waiting = self.lock();
        let waiting = waiting.entry(log_type).or_default();
        waiting.stored_at = Some(now);
        waiting.stored.add(counts);
    }
}

impl Collector {
    /// Takes what a run of a log counted, and stores it now and then. What cannot be stored waits for the next run.
    pub(super) async fn count_fields(&self, log_type: LogType, counts: &FieldCounts, now: Millis) {
        let Some(due) = self.uncounted.add(log_type, counts, now) else {
            return;
        };
        let state = self.state_of(log_type);
        match timeout(PATIENCE, state.add_fields(&due)).await {
            Ok(Ok(())) => self.uncounted.stored(log_type, &due, now),
            failed => {
                let reason = match failed {
                    Ok(Err(fault)) => fault.to_string(),
                    _ => "no answer in time".to_owned(),
                };
                debug!(%log_type, reason, "unknown fields were not stored");
                self.uncounted
                    .lock()
                    .entry(log_type)
                    .or_default()
                    .counts
                    .add(&due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_WAIT, Uncounted};
    use crate::model::{LogType, Millis};
    use crate::sync::FieldCounts;

    const NOW: Millis = Millis(1_795_348_800_000);

    fn counts(names: &[&str]) -> FieldCounts {
        let mut counts = FieldCounts::default();
        for name in names {
            counts.count(name);
        }
        counts
    }

    #[test]
    fn new_names_are_stored_at_once_and_known_ones_once_an_hour() {
        let uncounted = Uncounted::default();
        let log = LogType::Activity;
        assert_eq!(uncounted.add(log, &FieldCounts::default(), NOW), None);
        let first = uncounted.add(log, &counts(&["a"]), NOW).unwrap();
        uncounted.stored(log, &first, NOW);
        assert_eq!(uncounted.add(log, &counts(&["a"]), NOW + 1), None);
        assert_eq!(
            uncounted.add(log, &counts(&["a"]), NOW + LONGEST_WAIT - 1),
            None
        );
        let later = uncounted
            .add(log, &counts(&["a"]), NOW + LONGEST_WAIT)
            .unwrap();
        assert_eq!(later.fields["a"], 3);
        uncounted.stored(log, &later, NOW + LONGEST_WAIT);
        let new = uncounted.add(log, &counts(&["a", "b"]), NOW + LONGEST_WAIT + 1);
        assert_eq!(new, Some(counts(&["a", "b"])));
        assert_eq!(
            uncounted.add(LogType::Telephony, &FieldCounts::default(), NOW),
            None
        );
    }

    #[test]
    fn names_without_end_are_not_stored_with_every_run() {
        let uncounted = Uncounted::default();
        let mut due = 0;
        for run in 0..400 {
            let name = format!("n{run}");
            if let Some(counts) = uncounted.add(LogType::Activity, &counts(&[&name]), NOW) {
                uncounted.stored(LogType::Activity, &counts, NOW);
                due += 1;
            }
        }
        assert_eq!(due, 200);
    }
}
