//! One record of Duo's, from the page it came on to the row it becomes.

use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use smallvec::SmallVec;

use super::{Hour, Millis};

/// Identity of an event: the first 20 bytes of a SHA-256, shown as 40 hex digits in `event_uid`.
pub(crate) type EventUid = [u8; 20];
/// Fingerprint of a record's content: the first 4 bytes of a hash, shown as 8 hex digits in `event_content`.
pub(crate) type EventContent = [u8; 4];

/// What tells one record from another: records that agree in both are one event, delivered once.
///
/// Its text is `{event_uid}-{event_content}`, as dead letters are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
#[display("{}-{}", hex::encode(uid), hex::encode(content))]
pub struct RecordKey {
    /// Identity of the event, from Duo's id and the event time.
    pub uid: EventUid,
    /// Fingerprint of everything that the record says.
    pub content: EventContent,
}

/// One record: Duo's text, and what was read of it. `Debug` does not show the text.
#[derive(Clone, Default, derive_more::Debug)]
#[debug("Record({key}, {} bytes)", place.len())]
pub struct Record {
    /// The page that the text is a part of; its memory is shared by the records of the page.
    pub page: Arc<String>,
    /// Where the text stands in the page.
    pub place: Range<usize>,
    /// What tells it from other records.
    pub key: RecordKey,
    /// Event time in microseconds since 1970; `None` where the record has none that can be read.
    pub time_micros: Option<i64>,
    /// How its text becomes a row.
    pub shape: RowShape,
    /// Values of which only the beginning goes into the row, in the order of the text.
    pub truncations: Vec<Truncation>,
    /// Upper bound of the encoded row, in bytes.
    pub row_bytes: usize,
}

impl Record {
    /// The JSON text that Duo sent.
    pub fn text(&self) -> &str {
        &self.page[self.place.clone()]
    }

    /// The same record with a copy of its text, so that it does not keep the page in memory.
    #[must_use]
    pub fn detached(self) -> Self {
        let text = self.text().to_owned();
        Self { place: 0..text.len(), page: Arc::new(text), ..self }
    }

    /// Event time as the newer endpoints count it, rounded down.
    pub fn time(&self) -> Option<Millis> {
        self.time_micros.map(|micros| Millis(micros.div_euclid(1000)))
    }

    /// The hour under which its ledger entry is stored.
    pub fn hour(&self) -> Hour {
        self.time().map_or(Hour::UNDATED, Hour::of)
    }

    /// Fields that are larger than the service keeps, so that the row has the beginning of them only, or nothing; named
    /// like their columns, without the suffix.
    pub fn truncated_fields(&self) -> impl Iterator<Item = &str> {
        let left_out = match &self.shape {
            RowShape::Flattened(flat) => &flat.left_out[..],
            RowShape::Object(_) | RowShape::Wrapped => &[],
        };
        let truncated = self.truncations.iter().map(|truncation| truncation.field.as_str());
        truncated.chain(left_out.iter().map(String::as_str))
    }

    /// Whether the row lacks a part of the record.
    pub fn is_truncated(&self) -> bool {
        self.truncated_fields().next().is_some()
    }

    /// Paths of fields without a declared column, or whose value fits no column of theirs; none on the Data Collector
    /// API, where the service makes the columns.
    pub fn unmapped_fields(&self) -> &[String] {
        match &self.shape {
            RowShape::Flattened(flat) => &flat.unmapped,
            RowShape::Object(_) | RowShape::Wrapped => &[],
        }
    }
}

/// The place of a part of a text in it. The part must be borrowed from the whole, as what serde reads without
/// copying is; for another text the answer is some range that means nothing.
pub(crate) fn position(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    start..start.wrapping_add(part.len())
}

#[derive(Clone, Debug, Default)]
pub enum RowShape {
    /// As it is, with the values at these places (`true`, `false`) put in quotation marks. A device has three of them.
    Object(SmallVec<[Range<usize>; 3]>),
    /// One member per column.
    Flattened(Box<FlatRow>),
    /// As one text in `raw_record`, because it is no object, or has a field that the row or the service reserves.
    #[default]
    Wrapped,
}

/// A record as one member per column, for the Logs Ingestion API. `Debug` does not show them.
#[derive(Clone, Default, derive_more::Debug)]
#[debug("FlatRow({} bytes)", members.len())]
pub struct FlatRow {
    /// The members of the row, each with a comma behind it.
    pub members: BytesMut,
    /// Paths without a declared column, or with a value that fits no column of theirs.
    pub unmapped: Vec<String>,
    /// Paths without a column for which `AdditionalFields` had no room.
    pub left_out: Vec<String>,
}

/// A value of which only the beginning goes into the row.
#[derive(Clone, Debug)]
pub struct Truncation {
    /// Where the value stands in the text of the record.
    pub place: Range<usize>,
    /// Bytes that are kept: of the text that the value means, or of its JSON.
    pub kept: usize,
    /// Whether the value is a text, and not JSON that becomes one.
    pub is_text: bool,
    /// Its path, as the service names the column, without the suffix.
    pub field: String,
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn a_part_is_found_where_it_was_borrowed() {
        let whole = "true true";
        assert_eq!(position(whole, &whole[5..]), 5..9);
    }
}
