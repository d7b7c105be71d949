//! What is stored of the last check: what was looked at, and what is wrong, as known codes.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::code::Code;
use crate::model::{HOUR, Millis};
use crate::storage::Document;

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

impl Document for LastCheck {}

impl LastCheck {
    /// Name of the stored form; `host` is the API hostname of the account.
    pub fn name(host: &str) -> String {
        format!("{host}/self/check.json")
    }

    /// What a check found.
    pub fn new(
        checked_at: Millis,
        program: &str,
        sha256: Option<&str>,
        findings: Vec<Found>,
    ) -> Self {
        Self {
            version: Self::VERSION,
            min_reader: Self::VERSION,
            checked_at,
            program: program.to_owned(),
            sha256: sha256.map(str::to_owned),
            findings,
            unknown: Map::new(),
        }
    }

    /// Whether it is time for the next one: an hour later, or when another program is at work. A time in the future comes from
    /// a clock that was wrong.
    pub fn is_over(&self, now: Millis, sha256: Option<&str>) -> bool {
        !(TimeDelta::zero()..HOUR).contains(&(now - self.checked_at))
            || self.sha256.as_deref() != sha256
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, LastCheck};
    use crate::model::{HOUR, Millis};
    use crate::status::Code;
    use crate::storage::Document as _;

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
        assert!(!last().is_over((NOW + HOUR).previous(), Some("ab")));
        assert!(last().is_over(NOW + HOUR, Some("ab")));
        assert!(last().is_over(NOW.previous(), Some("ab")));
        assert!(last().is_over(NOW, Some("cd")));
    }
}
