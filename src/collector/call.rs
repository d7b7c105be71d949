//! One call: its rows, as a JSON array, and what is told with them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{BufMut as _, Bytes};

use super::Collector;
use crate::ingestion::{SinkCall, Table};
use crate::model::{LogType, Millis};
use crate::settings::TimeGenerated;
use crate::sync::IngestKind;
use crate::transform::{Call, Record, RowWriter};

/// Longest wait for the answer.
const LONGEST_CALL: Duration = Duration::from_secs(30);

impl Collector {
    /// A call with the rows of these records, each with its own text. The memory of `buffer` is used again unless
    /// somebody still holds on to it, as after a call that was not answered in time.
    pub(super) fn call<'a>(
        &self,
        log_type: LogType,
        kind: IngestKind,
        rows: impl Iterator<Item = (&'a str, &'a Record)> + Clone,
        now: Millis,
        buffer: Bytes,
    ) -> SinkCall {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        // 20 digits: a text of 32 would be stored as a GUID.
        let batch = format!("{}{number:08x}", self.owner.batch_prefix());
        let host = &self.settings.duo.host;
        // Only rows sent in their turn: the service would date older ones anew all the same.
        let is_dated_by_event =
            kind == IngestKind::Live && self.settings.sink.time_generated == TimeGenerated::Event;
        let call = Call {
            log_type,
            host,
            kind,
            batch: &batch,
            sent_at: now,
            is_dated_by_event,
        };
        let writer = RowWriter::new(self.sink.api(), &call);
        let bytes: usize = rows
            .clone()
            .map(|(text, record)| record.longest_row(text, host) + 1)
            .sum();
        let mut body = buffer.try_into_mut().unwrap_or_default();
        body.clear();
        body.reserve(bytes + 1);
        for (text, record) in rows {
            body.put_u8(if body.is_empty() { b'[' } else { b',' });
            writer.write(&mut body, text, record);
        }
        body.put_u8(b']');
        SinkCall {
            table: Table::CiscoDuo,
            body: body.freeze(),
            is_dated_by_event,
            now: now.date_time(),
            timeout: LONGEST_CALL,
        }
    }
}
