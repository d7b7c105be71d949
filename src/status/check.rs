//! What the hourly check found.

use serde::Serialize;

use super::{Code, LastCheck};
use crate::model::Millis;

/// What the last check found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckStatus {
    /// When it was made.
    pub checked_at: Millis,
    /// Version of the program that made it.
    pub program: String,
    /// How many things it looked at.
    pub looked_at: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Something that the last check found wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// What was looked at.
    pub subject: String,
    /// What is wrong, as a code; docs/operate.md says more.
    pub code: Code,
    /// What is wrong, in plain words.
    pub message: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// HTTP status of the answer behind it.
    pub http_status: Option<u16>,
}

impl CheckStatus {
    pub(super) fn of(check: LastCheck) -> Self {
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
