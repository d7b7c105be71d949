//! What is stored of the last check: what was looked at, and what is wrong, as known codes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::code::Code;
use crate::model::{HOUR, Millis};
use crate::storage::{StateError, Store, Version, WriteError};
use crate::sync::{Unreadable, stored};

/// Version of the form that this release writes.
const VERSION: u32 = 1;

/// The last check of everything that collection needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCheck {
    version: u32,
    min_reader: u32,
    /// When it began.
    pub checked_at: Millis,
    /// Version of the program that checked.
    pub program: String,
    /// SHA-256 of that program's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What was looked at.
    pub findings: Vec<Found>,
    /// Fields of a later release, kept as they are.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What was looked at: `clock`, `Duo activity`, `storage`.
    pub subject: String,
    /// What is wrong with it; none where it is in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// HTTP status of the answer behind it, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
}

impl LastCheck {
    /// What a check found.
    pub fn new(
        checked_at: Millis,
        program: &str,
        sha256: Option<&str>,
        findings: Vec<Found>,
    ) -> Self {
        Self {
            version: VERSION,
            min_reader: VERSION,
            checked_at,
            program: program.to_owned(),
            sha256: sha256.map(str::to_owned),
            findings,
            unknown: Map::new(),
        }
    }

    /// Reads what is stored.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        stored::from_json(bytes, VERSION)
    }

    /// The stored form.
    pub fn to_json(&self) -> Vec<u8> {
        stored::to_json(self)
    }

    /// Reads the last check of an account, by its API hostname; a damaged one counts as none.
    pub async fn load(
        store: &Store,
        host: &str,
    ) -> Result<(Option<Self>, Option<Version>), StateError> {
        store.read_json(&name(host), Self::from_json).await
    }

    /// Stores the check in place of the expected one.
    pub async fn save(
        &self,
        store: &Store,
        host: &str,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        store.write(&name(host), self.to_json(), expected).await
    }

    /// Whether it is time for the next one: an hour later, or when another program is at work. A time in the future comes from
    /// a clock that was wrong.
    pub fn is_over(&self, now: Millis, sha256: Option<&str>) -> bool {
        !(0..HOUR).contains(&(now - self.checked_at)) || self.sha256.as_deref() != sha256
    }
}

fn name(host: &str) -> String {
    format!("{host}/self/check.json")
}

#[cfg(test)]
mod tests {
    use super::{Found, LastCheck};
    use crate::model::{HOUR, Millis};
    use crate::status::Code;

    const NOW: Millis = Millis(1_795_348_800_000);

    fn last() -> LastCheck {
        let found = Found {
            subject: "Duo activity".to_owned(),
            code: Some(Code::DuoForbidden),
            http_status: Some(403),
        };
        LastCheck::new(NOW, "1.0.0", Some("ab"), vec![found])
    }

    #[test]
    fn it_comes_back_as_it_was_stored() {
        assert_eq!(LastCheck::from_json(&last().to_json()).unwrap(), last());
    }

    #[test]
    fn the_next_one_is_due_after_an_hour_and_for_another_program() {
        assert!(!last().is_over(NOW, Some("ab")));
        assert!(!last().is_over(NOW + HOUR - 1, Some("ab")));
        assert!(last().is_over(NOW + HOUR, Some("ab")));
        assert!(last().is_over(NOW - 1, Some("ab")));
        assert!(last().is_over(NOW, Some("cd")));
    }
}
