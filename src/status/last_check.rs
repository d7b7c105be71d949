//! The stored result of the last diagnostics, for the status.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::code::Cause;
use crate::model::{HOUR, Millis};
use crate::storage::{Document, Header};

/// The stored form of the last diagnostics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCheck {
    #[serde(flatten)]
    header: Header,
    /// SHA-256 of the program that ran the diagnostics.
    pub sha256: Option<String>,
    /// The result.
    pub check: CheckStatus,
}

/// The result of diagnostics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStatus {
    /// Start of the diagnostics.
    pub checked_at: Millis,
    /// Version of the program that ran the diagnostics.
    pub program: String,
    /// Number of checks.
    pub check_count: usize,
    /// Checks that found an error.
    pub errors: Vec<CheckError>,
}

/// A check that found an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckError {
    /// Subject of the check: `clock`, `Duo activity`, `storage`.
    pub subject: String,
    /// The error.
    #[serde(flatten)]
    pub cause: Cause,
}

impl Document for LastCheck {}

impl LastCheck {
    /// Name of the stored document; `host` is the API hostname of the account.
    pub fn name(host: &str) -> String {
        format!("{host}/self/diagnostics.json")
    }

    /// Creates the stored form; `sha256` is that of the program.
    pub fn new(sha256: Option<&str>, check: CheckStatus) -> Self {
        Self { header: Header::default(), sha256: sha256.map(str::to_owned), check }
    }

    /// Whether diagnostics are due: after an hour, for another program, for a future time.
    pub fn is_over(&self, now: Millis, sha256: Option<&str>) -> bool {
        !(TimeDelta::zero()..HOUR).contains(&(now - self.check.checked_at))
            || self.sha256.as_deref() != sha256
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckError, CheckStatus, LastCheck};
    use crate::model::{HOUR, Millis};
    use crate::status::{Cause, Code};
    use crate::storage::Document as _;

    const NOW: Millis = Millis(1_795_348_800_000);

    fn last() -> LastCheck {
        let cause = Cause { code: Some(Code::DuoForbidden), http_status: Some(403) };
        let errors = vec![CheckError { subject: "Duo activity".to_owned(), cause }];
        let program = "1.0.0".to_owned();
        LastCheck::new(Some("ab"), CheckStatus { checked_at: NOW, program, check_count: 7, errors })
    }

    #[test]
    fn diagnostics_are_due_after_an_hour_and_for_another_program() {
        assert!(!last().is_over(NOW, Some("ab")));
        assert!(!last().is_over((NOW + HOUR).previous(), Some("ab")));
        assert!(last().is_over(NOW + HOUR, Some("ab")));
        assert!(last().is_over(NOW.previous(), Some("ab")));
        assert!(last().is_over(NOW, Some("cd")));
    }

    #[test]
    fn the_result_survives_a_round_trip_and_has_hints() {
        let json: serde_json::Value = serde_json::from_slice(&last().to_json()).unwrap();
        let problem = &json["check"]["errors"][0];
        assert_eq!(problem["message"], Code::DuoForbidden.sentence());
        assert_eq!(problem["hint"], Code::DuoForbidden.hint());
        assert_eq!(LastCheck::from_json(&last().to_json()).unwrap(), last());
    }
}
