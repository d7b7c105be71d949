//! Records of numbered events.

use std::sync::Arc;

use crate::model::{Millis, Record, RecordKey, RowShape, Truncation};

/// The key of a numbered event.
pub(in crate::sync) fn id(number: u64) -> RecordKey {
    let mut key = RecordKey::default();
    key.uid[..8].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number of a key.
pub(in crate::sync) fn number(key: RecordKey) -> u64 {
    u64::from_be_bytes(*key.uid.first_chunk().unwrap())
}

/// The numbers of records.
pub(in crate::sync) fn numbers<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<u64> {
    records.into_iter().map(|record| number(record.key)).collect()
}

/// The record of a numbered event.
pub(in crate::sync) fn record(number: u64, time: Millis) -> Record {
    of_key(id(number), Some(time), false)
}

/// Sets the size of the row.
pub(in crate::sync) fn record_of(record: Record, row_bytes: usize) -> Record {
    Record { row_bytes, ..record }
}

/// The record of a key, optionally truncated.
pub(super) fn of_key(key: RecordKey, time: Option<Millis>, is_truncated: bool) -> Record {
    let text = format!("{{\"number\":{}}}", number(key));
    let truncation = Truncation { range: 1..2, kept: 1, is_text: true, field: "long".to_owned() };
    Record {
        range: 0..text.len(),
        page: Arc::new(text),
        key,
        replaces: None,
        time_micros: time.map(|time| time.0 * 1000),
        shape: RowShape::default(),
        truncations: is_truncated.then_some(truncation).into_iter().collect(),
        row_bytes: 48,
    }
}
