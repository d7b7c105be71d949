//! What the last check found, as it is stored: one text an account.

use super::{StateError, Store, Version, WriteError};
use crate::health::LastCheck;
use crate::sync::Unreadable;

impl Store {
    /// Reads what the last check of an account found; `host` is its API hostname. What is damaged counts as none: the next
    /// check writes it anew.
    pub async fn last_check(
        &self,
        host: &str,
    ) -> Result<(Option<LastCheck>, Option<Version>), StateError> {
        let name = name(host);
        let Some((content, version)) = self.read(&name).await? else {
            return Ok((None, None));
        };
        match LastCheck::from_json(&content) {
            Ok(check) => Ok((Some(check), Some(version))),
            Err(Unreadable::Damaged(_)) => Ok((None, Some(version))),
            Err(fault) => Err(StateError {
                action: "use",
                name: format!("{name} in the {}", self.place()),
                reason: fault.to_string(),
                hint: Some("run the release that wrote it, or remove it".to_owned()),
            }),
        }
    }

    /// Stores what a check found in place of what was read.
    pub async fn save_last_check(
        &self,
        host: &str,
        check: &LastCheck,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        self.write(&name(host), check.to_json(), expected).await
    }
}

fn name(host: &str) -> String {
    format!("{host}/self/check.json")
}
