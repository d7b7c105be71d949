//! How a log fares, as it is stored.

use super::LogState;
use crate::health::LogHealth;
use crate::storage::{StateError, Version, WriteError};
use crate::sync::Unreadable;

impl LogState {
    /// Reads how the log fares. What is damaged begins anew: it is no proof of anything.
    pub async fn health(&self) -> Result<(LogHealth, Option<Version>), StateError> {
        let name = self.health_name();
        let Some((content, version)) = self.store.read(&name).await? else {
            return Ok((LogHealth::default(), None));
        };
        match LogHealth::from_json(&content) {
            Ok(health) => Ok((health, Some(version))),
            Err(Unreadable::Damaged(_)) => Ok((LogHealth::default(), Some(version))),
            Err(fault) => Err(StateError {
                action: "use",
                name: format!("{name} in the {}", self.store.place()),
                reason: fault.to_string(),
                hint: Some("run the release that wrote it, or remove it".to_owned()),
            }),
        }
    }

    /// Stores how the log fares in place of what was read.
    pub async fn save_health(
        &self,
        health: &LogHealth,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let name = self.health_name();
        self.store.write(&name, health.to_json(), expected).await
    }

    fn health_name(&self) -> String {
        format!("{}/health.json", self.prefix)
    }
}
