//! The stored result of the last diagnostics, and what the status shows of it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::code::Code;
use crate::model::{HOUR, Millis};
use crate::storage::{Document, Header};

/// The result of the last diagnostics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCheck {
    #[serde(flatten)]
    header: Header,
    /// When it began.
    pub checked_at: Millis,
    /// Version of the program that checked.
    pub program: String,
    /// SHA-256 of that program's file.
    pub sha256: Option<String>,
    /// The result of each check.
    pub findings: Vec<Found>,
}

/// The stored result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What was checked: `clock`, `Duo activity`, `storage`.
    pub subject: String,
    /// The error, if there is one.
    pub code: Option<Code>,
    /// HTTP status of the response that caused it.
    pub http_status: Option<u16>,
}

impl Document for LastCheck {}

impl LastCheck {
    /// Name of the stored form; `host` is the API hostname of the account.
    pub fn name(host: &str) -> String {
        format!("{host}/self/check.json")
    }

    /// The findings of this program, to be stored.
    pub fn new(
        checked_at: Millis,
        program: &str,
        sha256: Option<&str>,
        findings: Vec<Found>,
    ) -> Self {
        Self {
            header: Header::default(),
            checked_at,
            program: program.to_owned(),
            sha256: sha256.map(str::to_owned),
            findings,
        }
    }

    /// Whether the next one is due: after an hour, or when another program runs. A time in the future comes from a wrong clock.
    pub fn is_over(&self, now: Millis, sha256: Option<&str>) -> bool {
        !(TimeDelta::zero()..HOUR).contains(&(now - self.checked_at))
            || self.sha256.as_deref() != sha256
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckStatus {
    pub(crate) checked_at: Millis,
    pub(crate) program: String,
    pub(crate) looked_at: usize,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) subject: String,
    pub(crate) code: Code,
    pub(crate) message: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) http_status: Option<u16>,
}

impl From<LastCheck> for CheckStatus {
    fn from(check: LastCheck) -> Self {
        let looked_at = check.findings.len();
        let problems = check.findings.into_iter().filter_map(|found| {
            let code = found.code?;
            Some(Problem {
                subject: found.subject,
                code,
                message: code.sentence(),
                remedy: code.hint(),
                http_status: found.http_status,
            })
        });
        Self {
            checked_at: check.checked_at,
            program: check.program,
            looked_at,
            problems: problems.collect(),
        }
    }
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
    fn the_next_one_is_due_after_an_hour_and_for_another_program() {
        assert!(!last().is_over(NOW, Some("ab")));
        assert!(!last().is_over((NOW + HOUR).previous(), Some("ab")));
        assert!(last().is_over(NOW + HOUR, Some("ab")));
        assert!(last().is_over(NOW.previous(), Some("ab")));
        assert!(last().is_over(NOW, Some("cd")));
    }
}
