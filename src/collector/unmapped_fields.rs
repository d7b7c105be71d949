//! Unmapped fields, the number of rows that had them, and the columns of the first ones. Names only,
//! never values.
//!
//! With the Data Collector API, Azure Monitor creates a column for every field. The first columns of
//! unmapped fields are stored before rows with them are sent, so that every run and process of a log
//! uses the same ones; other values are sent in `AdditionalFields`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::debug;

use super::health::reason;
use super::{Collector, lock};
use crate::model::{HOUR, LogType, Millis};
use crate::storage::{Document, Header, document};
use crate::transform::MAX_UNMAPPED_COLUMNS;

const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time that counts of known names stay unstored.
const LONGEST_UNSTORED: TimeDelta = HOUR;
/// Maximum fields counted by name; Duo adds far fewer.
const MAX_NAMES: usize = 200;
/// Maximum length of a name, in bytes.
const LONGEST_NAME: usize = 200;

/// Unmapped fields of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedFields {
    #[serde(flatten)]
    header: Header,
    /// Rows with the field, by its path.
    pub fields: BTreeMap<String, u64>,
    /// Rows with fields beyond the maximum.
    #[serde(default)]
    pub others: u64,
    /// The columns that unmapped fields have with the Data Collector API.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub columns: BTreeSet<String>,
}

impl Document for UnmappedFields {}

impl UnmappedFields {
    /// Counts one row with the field.
    pub fn count(&mut self, name: &str) {
        self.add_rows(name, 1);
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (name, rows) in &other.fields {
            self.add_rows(name, *rows);
        }
        self.others = self.others.saturating_add(other.others);
    }

    /// Adds columns, up to the maximum.
    pub fn add_columns(&mut self, wanted: &[String]) {
        for column in wanted {
            if self.columns.len() < MAX_UNMAPPED_COLUMNS {
                self.columns.insert(column.clone());
            }
        }
    }

    /// Whether there are no counts.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.others == 0
    }

    /// Whether another field can be added.
    pub fn has_room(&self) -> bool {
        self.fields.len() < MAX_NAMES
    }

    fn add_rows(&mut self, name: &str, rows: u64) {
        let has_room = self.has_room() && name.len() <= LONGEST_NAME;
        if has_room && !self.fields.contains_key(name) {
            self.fields.insert(name.to_owned(), 0);
        }
        let count = self.fields.get_mut(name).unwrap_or(&mut self.others);
        *count = count.saturating_add(rows);
    }
}

/// Unstored counts of one log.
#[derive(Debug, Default)]
pub(super) struct UnstoredFields {
    counts: UnmappedFields,
    /// Counts that this process stored before.
    stored: UnmappedFields,
    stored_at: Option<Millis>,
}

impl UnstoredFields {
    /// Whether to store the counts now: new names at once, known ones once an hour.
    fn is_due(&self, now: Millis) -> bool {
        let is_new = |name: &String| !self.stored.fields.contains_key(name);
        let has_news = self.stored.has_room() && self.counts.fields.keys().any(is_new);
        let has_waited = self.stored_at.is_none_or(|stored_at| now - stored_at >= LONGEST_UNSTORED);
        !self.counts.is_empty() && (has_news || has_waited)
    }

    fn stored(&mut self, now: Millis) {
        self.stored_at = Some(now);
        self.stored.add(&std::mem::take(&mut self.counts));
    }
}

impl Collector {
    /// The columns of unmapped fields, as far as this process knows them.
    pub(super) fn unmapped_columns(&self, log_type: LogType) -> Arc<BTreeSet<String>> {
        lock(&self.unmapped_columns).get(&log_type).cloned().unwrap_or_default()
    }

    /// Stores the columns that records want, and returns the stored ones. After an error no column
    /// is added: the values stay in `AdditionalFields`.
    pub(super) async fn add_columns(
        &self,
        log_type: LogType,
        wanted: &[String],
    ) -> Arc<BTreeSet<String>> {
        let name = self.state_of(log_type).fields_name();
        let mut columns = BTreeSet::new();
        let stored = document::update(&self.store, &name, |known: &mut UnmappedFields| {
            known.add_columns(wanted);
            columns.clone_from(&known.columns);
        });
        match timeout(STORE_TIMEOUT, stored).await {
            Ok(Ok(())) => {
                let columns = Arc::new(columns);
                lock(&self.unmapped_columns).insert(log_type, Arc::clone(&columns));
                columns
            }
            failed => {
                debug!(%log_type, reason = reason(failed), "unmapped_columns_not_stored");
                self.unmapped_columns(log_type)
            }
        }
    }

    /// Adds the counts of a run and stores them when due; keeps them after a storage error.
    pub(super) async fn count_unmapped_fields(
        &self,
        log_type: LogType,
        counts: &UnmappedFields,
        now: Millis,
    ) {
        let mut unstored = lock(&self.unstored_fields).remove(&log_type).unwrap_or_default();
        unstored.counts.add(counts);
        if unstored.is_due(now) {
            let name = self.state_of(log_type).fields_name();
            let stored = document::update(&self.store, &name, |known: &mut UnmappedFields| {
                known.add(&unstored.counts);
            });
            match timeout(STORE_TIMEOUT, stored).await {
                Ok(Ok(())) => unstored.stored(now),
                failed => debug!(%log_type, reason = reason(failed), "unmapped_fields_not_stored"),
            }
        }
        lock(&self.unstored_fields).insert(log_type, unstored);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        LONGEST_NAME, LONGEST_UNSTORED, MAX_NAMES, MAX_UNMAPPED_COLUMNS, UnmappedFields,
        UnstoredFields,
    };
    use crate::model::Millis;
    use crate::storage::Document as _;

    #[test]
    fn counts_are_added_and_survive_a_round_trip() {
        let mut counts = UnmappedFields::default();
        assert!(counts.is_empty());
        counts.count("a_b");
        counts.count("a_b");
        let mut stored = UnmappedFields::from_json(&counts.to_json()).unwrap();
        assert_eq!(stored, counts);
        counts.count("c");
        stored.add(&counts);
        assert_eq!((stored.fields["a_b"], stored.fields["c"]), (4, 1));
        assert!(!stored.is_empty());
    }

    #[test]
    fn the_number_and_length_of_names_are_limited() {
        let mut counts = UnmappedFields::default();
        for number in 0..MAX_NAMES + 5 {
            counts.count(&number.to_string());
        }
        assert_eq!((counts.fields.len(), counts.others), (MAX_NAMES, 5));
        assert!(!counts.has_room());
        counts.count("0");
        assert_eq!(counts.fields["0"], 2);
        let mut counts = UnmappedFields::default();
        counts.count(&"x".repeat(LONGEST_NAME + 1));
        assert_eq!((counts.fields.len(), counts.others), (0, 1));
        assert!(!counts.is_empty());
    }

    #[test]
    fn the_first_columns_are_kept_beside_the_counts() {
        let names = |from: usize| -> Vec<String> {
            (from..from + 30).map(|number| format!("new_{number:03}_s")).collect()
        };
        let mut known = counts(&["a"]);
        known.add_columns(&names(0)[..5]);
        known.add_columns(&names(0)[3..7]);
        assert_eq!(known.columns.len(), 7);
        known.add_columns(&names(100));
        assert_eq!(known.columns.len(), MAX_UNMAPPED_COLUMNS);
        let mut stored = UnmappedFields::from_json(&known.to_json()).unwrap();
        assert_eq!(stored, known);
        stored.add(&counts(&["a", "b"]));
        stored.add_columns(&names(200));
        assert_eq!((stored.columns, stored.fields["a"]), (known.columns, 2));
    }

    #[test]
    fn fields_of_a_later_release_are_kept() {
        let text = r#"{"version":2,"min_reader":1,"fields":{"a":1},"since":"x"}"#;
        let mut counts = UnmappedFields::from_json(text.as_bytes()).unwrap();
        counts.count("a");
        let json: serde_json::Value = serde_json::from_slice(&counts.to_json()).unwrap();
        assert_eq!((&json["since"], &json["fields"]["a"]), (&"x".into(), &2.into()));
        assert!(UnmappedFields::from_json(b"{\"min_reader\":9,\"fields\":{}}").is_err());
    }

    const NOW: Millis = Millis(1_795_348_800_000);

    fn counts(names: &[&str]) -> UnmappedFields {
        let mut counts = UnmappedFields::default();
        for name in names {
            counts.count(name);
        }
        counts
    }

    /// Adds the counts of a run; returns the stored counts.
    fn add(
        unstored: &mut UnstoredFields,
        counts: &UnmappedFields,
        now: Millis,
    ) -> Option<UnmappedFields> {
        unstored.counts.add(counts);
        let due = unstored.is_due(now).then(|| unstored.counts.clone());
        if due.is_some() {
            unstored.stored(now);
        }
        due
    }

    #[test]
    fn new_names_are_stored_at_once_and_known_ones_once_an_hour() {
        let mut unstored = UnstoredFields::default();
        assert_eq!(add(&mut unstored, &UnmappedFields::default(), NOW), None);
        assert_eq!(add(&mut unstored, &counts(&["a"]), NOW), Some(counts(&["a"])));
        assert_eq!(add(&mut unstored, &counts(&["a"]), NOW.next()), None);
        assert_eq!(add(&mut unstored, &counts(&["a"]), (NOW + LONGEST_UNSTORED).previous()), None);
        let later = add(&mut unstored, &counts(&["a"]), NOW + LONGEST_UNSTORED).unwrap();
        assert_eq!(later.fields["a"], 3);
        let new = add(&mut unstored, &counts(&["a", "b"]), (NOW + LONGEST_UNSTORED).next());
        assert_eq!(new, Some(counts(&["a", "b"])));
    }

    #[test]
    fn new_names_beyond_the_maximum_are_not_stored_with_every_run() {
        let mut unstored = UnstoredFields::default();
        let mut due = 0;
        for run in 0..400 {
            let name = format!("n{run}");
            due += u32::from(add(&mut unstored, &counts(&[&name]), NOW).is_some());
        }
        assert_eq!(due, 200);
    }
}
