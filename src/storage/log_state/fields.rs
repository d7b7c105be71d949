//! Fields of a log that have no column of their own, as they were counted.

use super::{LogState, TRIES};
use crate::storage::{StateError, Version, WriteError};
use crate::sync::{FieldCounts, Unreadable};

impl LogState {
    /// What was counted so far.
    pub async fn fields(&self) -> Result<FieldCounts, StateError> {
        Ok(self.stored_fields().await?.0)
    }

    /// Adds to what was counted. Others may add at the same time.
    pub async fn add_fields(&self, counts: &FieldCounts) -> Result<(), StateError> {
        let name = self.fields_name();
        for _ in 0..TRIES {
            let (mut known, version) = self.stored_fields().await?;
            known.add(counts);
            let written = self.store.write(&name, known.to_json(), version.as_ref());
            match written.await {
                Ok(_) => return Ok(()),
                Err(WriteError::Conflict) => {}
                Err(WriteError::Failed(fault)) => return Err(fault),
            }
        }
        Err(self.fields_fault(
            "write",
            format!("it was changed by others {TRIES} times in a row"),
        ))
    }

    async fn stored_fields(&self) -> Result<(FieldCounts, Option<Version>), StateError> {
        let name = self.fields_name();
        let Some((content, version)) = self.store.read(&name).await? else {
            return Ok((FieldCounts::default(), None));
        };
        match FieldCounts::from_json(&content) {
            Ok(known) => Ok((known, Some(version))),
            // Counts are no proof of anything: they begin anew.
            Err(Unreadable::Damaged(_)) => Ok((FieldCounts::default(), Some(version))),
            Err(fault) => Err(self.fields_fault("use", fault.to_string())),
        }
    }

    fn fields_fault(&self, action: &'static str, reason: String) -> StateError {
        StateError {
            action,
            name: format!("{} in the {}", self.fields_name(), self.store.place()),
            reason,
            hint: None,
        }
    }

    fn fields_name(&self) -> String {
        format!("{}/fields.json", self.prefix)
    }
}
