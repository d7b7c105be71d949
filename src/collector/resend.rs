use bytes::Bytes;

use super::Collector;
use crate::model::Batch;
use crate::storage::DeadLetterName;
use crate::sync::{RunError, kind_when_resent};
use crate::transform::Records;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resent {
    /// The whole record was accepted, and the dead letter removed.
    Whole,
    /// The row was accepted with a truncated value. The dead letter is kept: it has the rest.
    Truncated,
    Gone,
}

impl Collector {
    /// Sends a dead letter again; removes it if the whole record was accepted.
    pub(crate) async fn resend(&self, name: &DeadLetterName) -> Result<Resent, RunError> {
        let (letters, now) = (&self.dead_letters, self.now());
        let Some(letter) = letters.read(name).await? else {
            return Ok(Resent::Gone);
        };
        let host = &self.settings.duo.host;
        let text = letter.original.as_str();
        let columns = self.unmapped_columns(letter.log_type);
        let records =
            |columns| Records::new(letter.log_type, host, self.sink.api()).with_columns(columns);
        let mut reader = records(&columns);
        let mut record = reader.read_alone(text);
        if !reader.wanted_columns().is_empty() {
            let columns = self.add_columns(letter.log_type, reader.wanted_columns()).await;
            records(&columns).reshape(&mut record);
        }
        // Identical records without a Duo id have different uids, by their order in the response.
        hex::decode_to_slice(&letter.event_uid, &mut record.key.uid).ok();
        let is_truncated = record.is_truncated();
        let batch = Batch { kind: kind_when_resent(record.time(), now), records: vec![record] };
        let request = self.request(letter.log_type, &batch, now, Bytes::new());
        self.sink.send(request).await?;
        if is_truncated {
            return Ok(Resent::Truncated);
        }
        letters.remove(name).await?;
        Ok(Resent::Whole)
    }
}
