//! Stored JSON whose form is defined elsewhere.

use super::{StateError, Store, Version};
use crate::sync::Unreadable;

impl Store {
    /// Reads stored JSON, and what a write that replaces it has to expect. Damaged JSON counts as none: the next write replaces
    /// it. JSON that only a later release can read is an error.
    pub async fn read_json<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
    ) -> Result<(Option<T>, Option<Version>), StateError> {
        let Some((content, version)) = self.read(name).await? else {
            return Ok((None, None));
        };
        match parse(&content) {
            Ok(value) => Ok((Some(value), Some(version))),
            Err(Unreadable::Damaged(_)) => Ok((None, Some(version))),
            Err(error) => Err(StateError {
                action: "use",
                name: format!("{name} in the {}", self.place()),
                reason: error.to_string(),
                hint: Some("run the release that wrote it, or remove it".to_owned()),
            }),
        }
    }
}
