//! The dead letters of one account: originals of records whose rows are incomplete or missing.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::document::{TRIES, changed_by_others};
use super::{DeadLetter, Document as _, StorageError, Store, Unreadable, Version, WriteError};
use crate::model::{Hour, LogType};

const CONCURRENCY: usize = 8;

/// The dead letters of one account.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    store: Store,
    prefix: String,
}

/// The parts of a dead letter's name. Names sort by log, then date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct DeadLetterName {
    pub log_type: LogType,
    /// UTC date of the event, `2026-11-22`; for an event without a time, the date of storing.
    pub date: String,
    pub event_uid: String,
    #[serde(skip)]
    pub event_content: String,
}

impl DeadLetterName {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('/');
        let (log_type, date, file) = (parts.next()?, parts.next()?, parts.next()?);
        let (event_uid, event_content) = file.strip_suffix(".json")?.split_once('-')?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            log_type: log_type.parse().ok()?,
            date: date.to_owned(),
            event_uid: event_uid.to_owned(),
            event_content: event_content.to_owned(),
        })
    }
}

impl DeadLetters {
    /// The dead letters of an account; `host` is its API hostname.
    pub fn new(store: Store, host: &str) -> Self {
        Self { store, prefix: format!("{host}/self/") }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Stores dead letters. An existing one is kept unless its content differs.
    pub(crate) async fn keep(&self, letters: Vec<DeadLetter>) -> Result<(), StorageError> {
        stream::iter(letters)
            .map(|letter| async move { self.keep_one(&letter).await })
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn keep_one(&self, letter: &DeadLetter) -> Result<(), StorageError> {
        // The date of the event, so that storing it again uses the same name.
        let name = self.name_of(&DeadLetterName {
            log_type: letter.log_type,
            date: Hour::of(letter.event_time.unwrap_or(letter.when)).date(),
            event_uid: letter.event_uid.clone(),
            event_content: letter.event_content.clone(),
        });
        let mut expected: Option<Version> = None;
        for _ in 0..TRIES {
            match self.store.write(&name, letter.to_json(), expected.as_ref()).await {
                Ok(_) => return Ok(()),
                Err(WriteError::Conflict) => {}
                Err(WriteError::Failed(error)) => return Err(explained(error)),
            }
            expected = match self.store.read(&name).await.map_err(explained)? {
                None => None,
                Some((content, version)) => match DeadLetter::from_json(&content) {
                    Ok(stored) if stored.has_content_of(letter) => return Ok(()),
                    // A later release stored the same event.
                    Err(Unreadable::Newer { .. }) => return Ok(()),
                    Ok(_) | Err(Unreadable::Damaged(_)) => Some(version),
                },
            };
        }
        let error = self.store.error("write", &name, &changed_by_others(), None);
        Err(explained(error))
    }

    /// The names of all dead letters or those of one log, sorted by log and date.
    pub(crate) async fn list(
        &self,
        log_type: Option<LogType>,
    ) -> Result<Vec<DeadLetterName>, StorageError> {
        let below = log_type
            .map_or_else(|| self.prefix.clone(), |log_type| format!("{}{log_type}/", self.prefix));
        let names = self.store.list(&below).await?;
        let mut found: Vec<DeadLetterName> = names
            .iter()
            .filter_map(|(name, _)| DeadLetterName::parse(name.strip_prefix(&self.prefix)?))
            .collect();
        found.sort();
        Ok(found)
    }

    pub(crate) async fn read(
        &self,
        name: &DeadLetterName,
    ) -> Result<Option<DeadLetter>, StorageError> {
        let name = self.name_of(name);
        let Some((content, _)) = self.store.read(&name).await? else {
            return Ok(None);
        };
        let letter = DeadLetter::from_json(&content).map_err(|error| {
            let hint = "run the release that wrote it, or purge it";
            self.store.error("use", &name, &error, Some(hint))
        })?;
        Ok(Some(letter))
    }

    pub(crate) async fn remove(&self, name: &DeadLetterName) -> Result<(), StorageError> {
        self.store.remove(&self.name_of(name)).await
    }

    fn name_of(&self, name: &DeadLetterName) -> String {
        let DeadLetterName { log_type, date, event_uid, event_content } = name;
        format!("{}{log_type}/{date}/{event_uid}-{event_content}.json", self.prefix)
    }
}

fn explained(error: StorageError) -> StorageError {
    let meaning = "the log is stopped because the dead letter of a record could not be stored: \
                   CISCO_DUO_DEAD_LETTER_CONTAINER, or the folder dead-letter in CISCO_DUO_STATE_DIR, must be writable";
    let hint = match &error.hint {
        Some(hint) => format!("{meaning}; {hint}"),
        None => meaning.to_owned(),
    };
    StorageError { hint: Some(hint), ..error }
}

#[cfg(test)]
mod tests {
    use super::DeadLetterName;
    use crate::model::LogType;

    #[test]
    fn names_of_dead_letters_are_parsed_and_others_ignored() {
        let name = DeadLetterName::parse("activity/2026-11-22/ab-cd.json").unwrap();
        assert_eq!(name.log_type, LogType::Activity);
        assert_eq!(
            (name.date.as_str(), name.event_uid.as_str(), name.event_content.as_str()),
            ("2026-11-22", "ab", "cd")
        );
        for other in [
            "activity/checkpoint.json",
            "activity/2026-11-22/.lock",
            "activity/2026-11-22/ab-cd.json.new",
            "activity/2026-11-22/ab.json",
            "activity/2026-11-22/ab-cd.json/more",
            "check/2026-11-22/ab.json",
        ] {
            assert_eq!(DeadLetterName::parse(other), None, "{other}");
        }
    }
}
