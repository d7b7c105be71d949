//! The body of one call: rows, as a JSON array.

use std::sync::atomic::Ordering;

use bytes::{BufMut as _, Bytes};

use super::Collector;
use crate::model::LogType;
use crate::plan::IngestKind;
use crate::record::{Record, RowWriter};

impl Collector {
    /// The body of a call with the rows of these records, each with its own text. The memory of `buffer` is used again
    /// unless somebody still holds on to it, as after a call that was not answered in time.
    pub(super) fn body<'a>(
        &self,
        log_type: LogType,
        kind: IngestKind,
        rows: impl Iterator<Item = (&'a str, &'a Record)> + Clone,
        buffer: Bytes,
    ) -> Bytes {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        // 20 digits: a text of 32 would be stored as a GUID.
        let batch = format!("{}{number:08x}", self.owner.batch_prefix());
        let host = &self.settings.duo.host;
        let writer = RowWriter::new(log_type, host, kind, &batch);
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
        body.freeze()
    }
}
