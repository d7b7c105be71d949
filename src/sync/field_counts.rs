//! Fields that have no column of their own: which were seen, and how often. Names only, never values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::stored::{self, Unreadable};

/// Version of the form that this release writes.
const VERSION: u32 = 1;
/// Most fields that are told apart: what Duo adds in years is less, and what is no field must not grow without end.
const MOST_NAMES: usize = 200;
/// Longest name that is kept, in bytes.
const LONGEST_NAME: usize = 200;

/// Fields without a column of one log, by their paths, and in how many rows each was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldCounts {
    version: u32,
    min_reader: u32,
    /// Rows that had the field, by its path.
    pub fields: BTreeMap<String, u64>,
    /// How often there were more fields than are told apart.
    #[serde(default)]
    pub others: u64,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for FieldCounts {
    fn default() -> Self {
        Self {
            version: VERSION,
            min_reader: VERSION,
            fields: BTreeMap::new(),
            others: 0,
            unknown: Map::new(),
        }
    }
}

impl FieldCounts {
    /// Reads stored counts.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        stored::from_json(bytes, VERSION)
    }

    /// The stored form.
    pub fn to_json(&self) -> Vec<u8> {
        stored::to_json(self)
    }

    /// Counts a field of a row.
    pub fn count(&mut self, name: &str) {
        self.add_one(name, 1);
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (name, rows) in &other.fields {
            self.add_one(name, *rows);
        }
        self.others = self.others.saturating_add(other.others);
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.others == 0
    }

    /// Whether another field would find room.
    pub fn has_room(&self) -> bool {
        self.fields.len() < MOST_NAMES
    }

    fn add_one(&mut self, name: &str, rows: u64) {
        let has_room = self.has_room() && name.len() <= LONGEST_NAME;
        if has_room && !self.fields.contains_key(name) {
            self.fields.insert(name.to_owned(), 0);
        }
        let count = self.fields.get_mut(name).unwrap_or(&mut self.others);
        *count = count.saturating_add(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldCounts, LONGEST_NAME, MOST_NAMES};

    #[test]
    fn counts_add_up_and_come_back_as_they_were_stored() {
        let mut counts = FieldCounts::default();
        assert!(counts.is_empty());
        counts.count("a_b");
        counts.count("a_b");
        let mut stored = FieldCounts::from_json(&counts.to_json()).unwrap();
        assert_eq!(stored, counts);
        counts.count("c");
        stored.add(&counts);
        assert_eq!((stored.fields["a_b"], stored.fields["c"]), (4, 1));
        assert!(!stored.is_empty());
    }

    #[test]
    fn names_do_not_grow_without_end() {
        let mut counts = FieldCounts::default();
        for number in 0..MOST_NAMES + 5 {
            counts.count(&number.to_string());
        }
        assert_eq!((counts.fields.len(), counts.others), (MOST_NAMES, 5));
        assert!(!counts.has_room());
        counts.count("0");
        assert_eq!(counts.fields["0"], 2);
        let mut counts = FieldCounts::default();
        counts.count(&"x".repeat(LONGEST_NAME + 1));
        assert_eq!((counts.fields.len(), counts.others), (0, 1));
        assert!(!counts.is_empty());
    }

    #[test]
    fn what_a_later_release_stored_is_kept() {
        let text = r#"{"version":2,"min_reader":1,"fields":{"a":1},"since":"x"}"#;
        let mut counts = FieldCounts::from_json(text.as_bytes()).unwrap();
        counts.count("a");
        let json: serde_json::Value = serde_json::from_slice(&counts.to_json()).unwrap();
        assert_eq!(
            (&json["since"], &json["fields"]["a"]),
            (&"x".into(), &2.into())
        );
        assert!(FieldCounts::from_json(b"{\"min_reader\":9,\"fields\":{}}").is_err());
    }
}
