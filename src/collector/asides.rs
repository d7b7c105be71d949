//! Originals of one log's records on their way to the dead letters.

use super::report::Trouble;
use crate::ingestion::SinkError;
use crate::model::{Hour, LogType, Millis};
use crate::status::Code;
use crate::storage::{DeadLetters, StateError};
use crate::sync::{DeadLetter, RowId, Why};
use crate::transform::Record;

/// Originals of one log's records on their way to the dead letters.
#[derive(Debug)]
pub(super) struct Asides {
    letters: DeadLetters,
    log_type: LogType,
    /// Records that were refused even alone. The core ends the run before they are many.
    refused: Vec<RefusedRecord>,
}

/// A record that was refused even alone: its page may be gone before it is known what becomes of it.
#[derive(Debug)]
struct RefusedRecord {
    id: RowId,
    time: Option<Millis>,
    why: Why,
    answer: String,
    original: String,
}

impl Asides {
    pub(super) fn new(letters: DeadLetters, log_type: LogType) -> Self {
        Self {
            letters,
            log_type,
            refused: Vec::new(),
        }
    }

    /// Takes a record that was refused even alone, with the answer.
    pub(super) fn refused(&mut self, record: &Record, text: &str, fault: &SinkError) {
        self.refused.retain(|known| known.id != record.id);
        self.refused.push(RefusedRecord {
            id: record.id,
            time: record.time(),
            why: Why::Refused {
                status: fault.status,
                code: fault.code.clone(),
            },
            answer: fault.to_string(),
            original: text.to_owned(),
        });
    }

    /// Stores a record that was refused even alone.
    pub(super) async fn set_aside(&mut self, id: &RowId, now: Millis) -> Result<(), StateError> {
        let place = self.refused.iter().position(|record| record.id == *id);
        let place = place.expect("what is set aside was refused before");
        let RefusedRecord {
            id,
            time,
            why,
            original,
            ..
        } = &self.refused[place];
        let letter = self.letter(id, *time, why.clone(), original, now);
        self.letters.keep(vec![letter]).await?;
        self.refused.swap_remove(place);
        Ok(())
    }

    /// Stores the originals of records whose rows lack a part of them.
    pub(super) async fn keep_originals<'a>(
        &self,
        records: impl Iterator<Item = (&'a str, &'a Record)>,
        now: Millis,
    ) -> Result<(), StateError> {
        let letters = records.map(|(text, record)| {
            let fields = record.cut_fields().map(str::to_owned).collect();
            let why = Why::Oversized { fields };
            self.letter(&record.id, record.time(), why, text, now)
        });
        self.letters.keep(letters.collect()).await
    }

    /// Tells which records were refused, by their identity, never by their content.
    pub(super) fn trouble(&self, refused: &[RowId]) -> Trouble {
        let uids: Vec<String> = refused.iter().map(hex::encode).collect();
        let last = self.refused.last();
        let answer = last.map_or("no answer", |record| &record.answer);
        Trouble {
            code: Code::RecordsRefused,
            http_status: None,
            message: format!(
                "records were refused even alone: event_uid {} ({answer})",
                uids.join(", ")
            ),
            hint: Some(
                "the log stands still so that nothing is lost, because the fault may not be theirs: Azure Monitor \
                 accepted no other record in this run, or refused more than ten; the other records were delivered"
                    .to_owned(),
            ),
        }
    }

    /// A dead letter and its date: that of the event, so that storing it once more finds the same name.
    fn letter(
        &self,
        id: &RowId,
        time: Option<Millis>,
        why: Why,
        text: &str,
        now: Millis,
    ) -> (String, DeadLetter) {
        let date = Hour::of(time.unwrap_or(now)).date();
        let uid = hex::encode(id);
        let letter = DeadLetter::new(self.log_type, uid, now, why, text.to_owned());
        (date, letter)
    }
}
